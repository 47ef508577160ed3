// One pair in full: its two texts beside each other or as one with the words that differ, what is known of it, what
// the checks found, its prompt and its history. Templates only.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { html, nothing, type TemplateResult } from 'lit';
import type { CurationAction, PairDetail, PairSide } from '../../../server/src/protocol/index.ts';
import '../shared/disclosure.ts';
import type { ToggleEvent } from '../shared/disclosure.ts';
import { pieceTemplate } from '../shared/diffText.ts';
import { diffWords, type Piece } from '../shared/wordDiff.ts';
import { sectionsOf, type SectionPair } from './sections.ts';
import { actionWords, factsOf, sectionNames, sideNames } from './words.ts';

/** What the writer is typing. */
export type Typing =
  | { readonly what: 'edit'; readonly side: PairSide; readonly text: string }
  | { readonly what: 'exclude'; readonly text: string }
  | { readonly what: 'tag'; readonly text: string };

export interface PairSurroundings {
  readonly language: string;
  readonly typing: Typing | null;
  /** Words of both in one text, in place of two texts side by side. */
  readonly asOne: boolean;
  readonly toggled: ReadonlyMap<string, boolean>;
  readonly toggle: (name: string, open: boolean) => void;
  readonly begin: (typing: Typing) => void;
  readonly type: (text: string) => void;
  readonly save: () => void;
  readonly leave: () => void;
  readonly act: (action: CurationAction) => void;
  readonly openPlace: () => void;
}

export function pairTemplate(detail: PairDetail, around: PairSurroundings): TemplateResult {
  const { pair, row, findings, place } = detail;
  const excluded = row.curation?.excluded ?? null;
  return html`
    <div class="head">
      <p class="facts">${factsOf(detail, around.language).join(' · ')}</p>
      ${
        pair.note === null
          ? nothing
          : html`<button class="place" type="button" ?disabled=${place === null} @click=${around.openPlace}>
              <vscode-icon name="go-to-file"></vscode-icon>${pair.note.path}
            </button>`
      }
      ${
        excluded === null
          ? nothing
          : html`<p class="excluded">
              <vscode-icon name="circle-slash"></vscode-icon
              >${actionWords({ do: 'exclude', reason: excluded })}
            </p>`
      }
      ${pair.reason === null ? nothing : html`<p class="reason">“${pair.reason}”</p>`}
      ${findings.map(
        ({ message }) =>
          html`<p class="finding"><vscode-icon name="warning"></vscode-icon><span>${message}</span></p>`,
      )}
      ${tagsTemplate(detail, around)}
    </div>
    ${typingTemplate(around)} ${sectionsTemplate(detail, around)} ${promptTemplate(detail, around)}
    ${historyTemplate(detail, around)}
  `;
}

function tagsTemplate({ row }: PairDetail, { act }: PairSurroundings): TemplateResult | typeof nothing {
  const tags = row.curation?.tags ?? [];
  if (tags.length === 0) return nothing;
  return html`<p class="tags">
    ${tags.map(
      (tag) =>
        html`<button
          class="tag"
          type="button"
          title="Take off this tag"
          @click=${() => {
            act({ do: 'tag', tag, on: false });
          }}
        >
          ${tag}<vscode-icon name="close"></vscode-icon>
        </button>`,
    )}
  </p>`;
}

const typingLabels = { exclude: 'Why is it excluded?', tag: 'Tag' } as const;

function typingTemplate(around: PairSurroundings): TemplateResult | typeof nothing {
  const { typing } = around;
  if (!typing) return nothing;
  const label =
    typing.what === 'edit' ? `${sideNames[typing.side]}, as you would have it` : typingLabels[typing.what];
  const onInput = (event: Event): void => {
    if (event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement)
      around.type(event.target.value);
  };
  return html`<form
    class="typing"
    @submit=${(event: Event) => {
      event.preventDefault();
      around.save();
    }}
  >
    <label
      >${label}
      ${
        typing.what === 'edit'
          ? html`<textarea
              class="field"
              rows="10"
              spellcheck="false"
              .value=${typing.text}
              @input=${onInput}
            ></textarea>`
          : html`<input class="field" .value=${typing.text} maxlength="1000" @input=${onInput} />`
      }
    </label>
    <div class="buttons">
      <vscode-button @click=${around.save}>Save</vscode-button>
      <vscode-button secondary @click=${around.leave}>Cancel</vscode-button>
      <span class="hint"
        >${typing.what === 'edit' ? 'Ctrl+Enter saves, Esc leaves' : 'Enter saves, Esc leaves'}</span
      >
    </div>
  </form>`;
}

function sectionsTemplate({ pair }: PairDetail, around: PairSurroundings): TemplateResult {
  const sections = sectionsOf(pair);
  const isLone = pair.chosen === null || pair.rejected === null;
  return html`<section class="sections" aria-label="Texts">
    ${isLone ? loneTemplate(pair.chosen === null ? 'rejected' : 'chosen', around) : nothing}
    ${sections.map((section) => sectionTemplate(section, { isLone, count: sections.length }, around))}
  </section>`;
}

function loneTemplate(side: PairSide, { begin }: PairSurroundings): TemplateResult {
  const other = side === 'chosen' ? 'rejected' : 'chosen';
  return html`<p class="lone">
    There is only a ${side} text: good for KTO, and a pair as soon as it has another.
    <vscode-button
      secondary
      @click=${() => {
        begin({ what: 'edit', side: other, text: '' });
      }}
      >Write the ${other} text</vscode-button
    >
  </p>`;
}

function sectionTemplate(
  section: SectionPair,
  { isLone, count }: { readonly isLone: boolean; readonly count: number },
  around: PairSurroundings,
): TemplateResult {
  const { kind, pieces } = section;
  const differs = pieces.some((piece) => piece.kind !== 'same');
  return html`<preflexor-disclosure
    level="2"
    heading=${sectionNames[kind]}
    facts=${isLone ? '' : differs ? diffWords(pieces) : 'the same in both'}
    ?open=${around.toggled.get(kind) ?? (differs || count === 1)}
    @preflexor-toggle=${(event: ToggleEvent) => {
      around.toggle(kind, event.open);
    }}
  >
    ${
      isLone
        ? html`<div class="text one">${section.chosen || section.rejected}</div>`
        : around.asOne || !differs
          ? html`<div class="text one">${pieces.map(pieceTemplate)}</div>`
          : html`<div class="sides">
              ${sideTemplate('chosen', section, 'removed')} ${sideTemplate('rejected', section, 'added')}
            </div>`
    }
  </preflexor-disclosure>`;
}

function sideTemplate(side: PairSide, section: SectionPair, without: Piece['kind']): TemplateResult {
  return html`<div class=${`side ${side}`}>
    <h3>${sideNames[side]}</h3>
    <div class="text">${section.pieces.filter(({ kind }) => kind !== without).map(pieceTemplate)}</div>
  </div>`;
}

function promptTemplate({ pair }: PairDetail, { toggled, toggle }: PairSurroundings): TemplateResult {
  return html`<preflexor-disclosure
    level="2"
    heading="Prompt"
    ?open=${toggled.get('prompt') ?? false}
    @preflexor-toggle=${(event: ToggleEvent) => {
      toggle('prompt', event.open);
    }}
  >
    ${pair.prompt.map(
      ({ role, content }) =>
        html`<h3>${role}</h3>
          <div class="text">${content}</div>`,
    )}
  </preflexor-disclosure>`;
}

function historyTemplate(detail: PairDetail, around: PairSurroundings): TemplateResult {
  const { history } = detail;
  const { language, toggled, toggle, act } = around;
  const last = history.length - 1;
  return html`<preflexor-disclosure
    level="2"
    heading="History"
    facts=${last === 0 ? 'as derived' : `${last} ${last === 1 ? 'change' : 'changes'}`}
    ?open=${toggled.get('history') ?? false}
    @preflexor-toggle=${(event: ToggleEvent) => {
      toggle('history', event.open);
    }}
  >
    <ol class="history" reversed>
      ${history.toReversed().map(
        ({ entry, time, action }, at) =>
          html`<li>
            <span class="what">${actionWords(action)}</span>
            <time datetime=${time}>${new Date(time).toLocaleString(language)}</time>
            ${
              at === 0
                ? html`<span class="now">now</span>`
                : html`<vscode-button
                    secondary
                    @click=${() => {
                      act({ do: 'revert', to: entry });
                    }}
                    >Revert to This</vscode-button
                  >`
            }
          </li>`,
      )}
    </ol>
  </preflexor-disclosure>`;
}
