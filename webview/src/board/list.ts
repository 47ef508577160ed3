// The list of pairs: only the rows in sight are in the page, however many there are. Templates only.
import '@vscode-elements/elements/dist/vscode-icon/index.js';
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { pairSignalNames, type PairRow } from '../../../server/src/protocol/index.ts';
import { isMarked, rowAt, type BoardState } from './boardState.ts';
import { findingNames, rowWords } from './words.ts';

/** In CSS pixels; the style sheet says the same. */
export const rowHeight = 58;
const beyond = 8;

export interface ListPlace {
  readonly scrollTop: number;
  readonly height: number;
}

export interface ListActions {
  readonly focus: (index: number) => void;
  readonly mark: (pair: string) => void;
}

/** The rows that are drawn, from `from` up to and without `to`. */
export function drawnRows(matching: number, { scrollTop, height }: ListPlace): { from: number; to: number } {
  const from = Math.max(0, Math.floor(scrollTop / rowHeight) - beyond);
  const to = Math.min(matching, Math.ceil((scrollTop + height) / rowHeight) + beyond);
  return { from: Math.min(from, to), to };
}

export function listTemplate(state: BoardState, place: ListPlace, act: ListActions): TemplateResult {
  const matching = state.head?.matching ?? 0;
  const { from, to } = drawnRows(matching, place);
  const indices = Array.from({ length: to - from }, (_, at) => from + at);
  // Set as a property: the policy refuses style attributes, and allows what a script sets.
  return html`<div
    class="rows"
    role="listbox"
    tabindex="0"
    aria-label="Pairs"
    aria-multiselectable="true"
    aria-activedescendant=${matching > 0 ? `row-${state.focus}` : nothing}
  >
    <div class="space" role="presentation" .style=${`height: ${matching * rowHeight}px`}>
      ${repeat(
        indices,
        (index) => index,
        (index) => rowTemplate(state, index, matching, act),
      )}
    </div>
  </div>`;
}

function rowTemplate(state: BoardState, index: number, matching: number, act: ListActions): TemplateResult {
  const row = rowAt(state, index);
  const marked = row !== null && isMarked(state, row.pair);
  const classes = [
    'row',
    ...(index === state.focus ? ['focused'] : []),
    ...(marked ? ['marked'] : []),
    ...(row?.curation && row.curation.excluded !== null ? ['excluded'] : []),
  ];
  return html`<div
    id=${`row-${index}`}
    class=${classes.join(' ')}
    role="option"
    aria-selected=${index === state.focus || marked ? 'true' : 'false'}
    aria-setsize=${matching}
    aria-posinset=${index + 1}
    title=${row ? rowWords(row) : 'Loading'}
    .style=${`transform: translateY(${index * rowHeight}px)`}
    @click=${(event: MouseEvent) => {
      act.focus(index);
      if (row && (event.ctrlKey || event.metaKey)) act.mark(row.pair);
    }}
  >
    ${row ? rowContent(row, marked) : nothing}
  </div>`;
}

function rowContent(row: PairRow, marked: boolean): TemplateResult {
  const { chosen, rejected, findings, curation, signal, note, split } = row;
  return html`
    <vscode-icon
      class="mark"
      name=${marked ? 'check' : icons[signal]}
      title=${pairSignalNames[signal]}
    ></vscode-icon>
    <div class="texts">
      <div class="text chosen">${chosen ?? '–'}</div>
      <div class="text rejected">${rejected ?? '–'}</div>
      <div class="facts">
        ${split === 'held-out' ? html`<span>held out</span>` : nothing}
        ${findings.map((code) => html`<span class="finding">${findingNames[code]}</span>`)}
        ${curation?.tags.map((tag) => html`<span class="tag">${tag}</span>`) ?? nothing}
        ${note === null ? nothing : html`<span class="note">${note}</span>`}
      </div>
    </div>
  `;
}

const icons = {
  edit: 'edit',
  settled: 'edit',
  regenerate: 'refresh',
  pick: 'list-selection',
  hunk: 'diff-modified',
  accept: 'thumbsup',
  reject: 'thumbsdown',
  rate: 'star-half',
  compare: 'split-horizontal',
  generated: 'beaker',
  imported: 'cloud-download',
} as const satisfies Record<PairRow['signal'], string>;
