// <preflexor-comparison>: two iterations of a run side by side in one text, word by word, with the critique that
// stands between them. Keeps which two are compared; made anew only when they change.
import { LitElement, css, html, type PropertyValues, type TemplateResult } from 'lit';
import type { IterationSnapshot, SegmentKind } from '../../../server/src/protocol/index.ts';
import { diffStyles, pieceTemplate } from '../shared/diffText.ts';
import { diffWords, wordDiff, type Piece } from '../shared/wordDiff.ts';
import { iterationName, sectionNames } from './words.ts';

const kinds = ['answer', 'thinking', 'reflection'] as const satisfies readonly SegmentKind[];

export class Comparison extends LitElement {
  static override readonly properties = {
    iterations: { attribute: false },
    from: { state: true },
    to: { state: true },
    kind: { state: true },
  };

  /** Finished ones, two at least. */
  declare iterations: readonly IterationSnapshot[];
  /** Indices of iterations; null: the last two. */
  declare from: number | null;
  declare to: number | null;
  declare kind: SegmentKind;
  #compared = '';
  #pieces: readonly Piece[] = [];

  constructor() {
    super();
    this.iterations = [];
    this.from = null;
    this.to = null;
    this.kind = 'answer';
  }

  static override readonly styles = [
    diffStyles,
    css`
      :host {
        display: block;
        margin: 2px 6px 8px 9px;
      }
      .choice {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      label {
        align-items: center;
        display: flex;
        gap: 4px;
      }
      select {
        background: var(--vscode-dropdown-background);
        border: 1px solid var(--vscode-dropdown-border, var(--vscode-contrastBorder, transparent));
        border-radius: 2px;
        color: var(--vscode-dropdown-foreground);
        font: inherit;
        min-height: 24px;
      }
      select:focus-visible {
        outline: 1px solid var(--vscode-focusBorder);
        outline-offset: -1px;
      }
      .text,
      .feedback {
        line-height: 1.5;
        margin: 8px 0 0;
        overflow-wrap: anywhere;
        user-select: text;
        white-space: pre-wrap;
      }
      .sum,
      h3 {
        color: var(--vscode-descriptionForeground);
        font-size: 0.95em;
        font-weight: 600;
        margin: 8px 0 0;
      }
      .sum {
        font-weight: inherit;
      }
      .feedback {
        border-inline-start: 2px solid var(--vscode-panel-border);
        margin-top: 2px;
        padding-inline-start: 8px;
      }
    `,
  ];

  protected override willUpdate(_: PropertyValues<this>): void {
    const { before, after } = this.#pair();
    const texts = [textOf(before, this.kind), textOf(after, this.kind)] as const;
    const compared = JSON.stringify(texts);
    if (compared === this.#compared) return;
    this.#compared = compared;
    this.#pieces = wordDiff(...texts);
  }

  protected override render(): TemplateResult {
    const { before, after } = this.#pair();
    const between = this.iterations.filter(
      ({ index, facts }) => facts?.feedback && index > before.index && index <= after.index,
    );
    return html`
      <div class="choice">
        ${this.#select('From', `${before.index}`, this.#names(), (value) => (this.from = Number(value)))}
        ${this.#select('To', `${after.index}`, this.#names(), (value) => (this.to = Number(value)))}
        ${this.#select(
          'Part',
          this.kind,
          kinds.map((kind) => [kind, sectionNames[kind]]),
          (value) => (this.kind = kinds.find((kind) => kind === value) ?? 'answer'),
        )}
      </div>
      <p class="sum">${diffWords(this.#pieces)}</p>
      <div class="text">${this.#pieces.map(pieceTemplate)}</div>
      ${between.map(({ index, facts }) => {
        const whose = facts?.feedback?.from === 'critic' ? 'The critique' : 'The reflection';
        return html`<h3>${whose} that ${iterationName(index)} set out to mend</h3>
          <div class="feedback">${facts?.feedback?.text.trim()}</div>`;
      })}
    `;
  }

  #names(): (readonly [string, string])[] {
    return this.iterations.map(({ index }) => [`${index}`, iterationName(index)]);
  }

  #select(
    label: string,
    chosen: string,
    options: readonly (readonly [string, string])[],
    choose: (value: string) => void,
  ): TemplateResult {
    return html`<label
      >${label}
      <select
        aria-label=${label}
        @change=${(event: Event) => {
          if (event.target instanceof HTMLSelectElement) choose(event.target.value);
        }}
      >
        ${options.map(
          ([value, name]) => html`<option value=${value} ?selected=${value === chosen}>${name}</option>`,
        )}
      </select>
    </label>`;
  }

  #pair(): { before: IterationSnapshot; after: IterationSnapshot } {
    const known = (index: number | null): IterationSnapshot | undefined =>
      this.iterations.find((iteration) => iteration.index === index);
    const nothingToShow: IterationSnapshot = { index: 0, sections: [], facts: null };
    return {
      before: known(this.from) ?? this.iterations.at(-2) ?? nothingToShow,
      after: known(this.to) ?? this.iterations.at(-1) ?? nothingToShow,
    };
  }
}

function textOf({ sections }: IterationSnapshot, wanted: SegmentKind): string {
  return sections
    .filter(({ kind }) => kind === wanted)
    .map(({ text }) => text.trim())
    .join('\n\n');
}

customElements.define('preflexor-comparison', Comparison);

declare global {
  interface HTMLElementTagNameMap {
    'preflexor-comparison': Comparison;
  }
}
