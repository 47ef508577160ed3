// The board's upper edge: search, filters, order, and how many pairs that leaves. Templates only.
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { html, nothing, type TemplateResult } from 'lit';
import {
  PairOrder,
  PairStateFilter,
  pairSignalNames,
  type PairFilter,
  type PairProblemCode,
  type PairSignal,
  type PairSplit,
} from '../../../server/src/protocol/index.ts';
import type { BoardState } from './boardState.ts';
import { countWords, findingNames, orderNames, stateNames } from './words.ts';

export interface ToolbarActions {
  readonly ask: (filter: PairFilter, order: PairOrder) => void;
  /** What stands in the search field, before it is asked for. */
  readonly type: (text: string) => void;
  readonly toggleMeaning: () => void;
  readonly undo: () => void;
  readonly refresh: () => void;
  readonly help: () => void;
}

type Choice = readonly [value: string, name: string];

export function toolbarTemplate(
  state: BoardState,
  search: { readonly text: string; readonly byMeaning: boolean },
  act: ToolbarActions,
): TemplateResult {
  const { filter, order, head } = state;
  const counts = head?.counts;
  const set = (change: PairFilter): void => {
    act.ask(withoutNothing({ ...filter, ...change }), order);
  };
  return html`<header class="toolbar">
    <div class="search">
      <input
        type="search"
        aria-label=${search.byMeaning ? 'Search by meaning' : 'Search'}
        placeholder=${search.byMeaning ? 'About what? Enter searches by meaning' : 'Search ( / )'}
        .value=${search.text}
        @input=${(event: Event) => {
          if (event.target instanceof HTMLInputElement) act.type(event.target.value);
        }}
      />
      <button
        class="toggle"
        type="button"
        aria-pressed=${search.byMeaning ? 'true' : 'false'}
        title="By meaning: pairs about places of your notes that mean something like it"
        aria-label="Search by meaning"
        @click=${act.toggleMeaning}
      >
        <vscode-icon name="lightbulb"></vscode-icon>
      </button>
    </div>
    ${select(
      'State',
      filter.state ?? 'kept',
      PairStateFilter.options.map((name) => [name, `${stateNames[name]}${counted(counts?.[name])}`]),
      (value) => {
        const known = PairStateFilter.safeParse(value);
        if (known.success) set({ state: known.data });
      },
    )}
    ${select(
      'Signal',
      filter.signals?.[0] ?? '',
      anyOf(counts?.signals, (name: PairSignal) => pairSignalNames[name], filter.signals?.[0]),
      (value) => set({ signals: found(counts?.signals, value) }),
    )}
    ${select(
      'Finding',
      filter.findings?.[0] ?? '',
      anyOf(counts?.findings, (name: PairProblemCode) => findingNames[name], filter.findings?.[0]),
      (value) => set({ findings: found(counts?.findings, value) }),
    )}
    ${select(
      'Split',
      filter.split ?? '',
      anyOf(
        counts?.splits,
        (name: PairSplit) => (name === 'train' ? 'In training' : 'Held out'),
        filter.split,
      ),
      (value) => set({ split: found(counts?.splits, value)?.[0] }),
    )}
    ${select(
      'Note',
      filter.note ?? '',
      anyOf(counts?.notes, (name: string) => name, filter.note),
      (value) => set({ note: value === '' ? undefined : value }),
    )}
    ${
      (counts?.tags.length ?? 0) > 0 || filter.tag !== undefined
        ? select(
            'Tag',
            filter.tag ?? '',
            anyOf(counts?.tags, (name: string) => name, filter.tag),
            (value) => set({ tag: value === '' ? undefined : value }),
          )
        : nothing
    }
    ${select(
      'Order',
      order,
      PairOrder.options.map((name) => [name, orderNames[name]]),
      (value) => {
        const known = PairOrder.safeParse(value);
        if (known.success) act.ask(filter, known.data);
      },
    )}
    <span class="count">${head ? countWords(head.matching, head.counts.all) : ''}</span>
    <vscode-toolbar-button icon="discard" label="Undo (u)" @click=${act.undo}></vscode-toolbar-button>
    <vscode-toolbar-button
      icon="refresh"
      label="Derive Anew (r)"
      @click=${act.refresh}
    ></vscode-toolbar-button>
    <vscode-toolbar-button icon="question" label="Keys (?)" @click=${act.help}></vscode-toolbar-button>
  </header>`;
}

function select(
  label: string,
  chosen: string,
  options: readonly Choice[],
  choose: (value: string) => void,
): TemplateResult {
  return html`<label
    ><span>${label}</span>
    <select
      aria-label=${label}
      .value=${chosen}
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

function anyOf<T extends string>(
  counts: readonly { readonly name: T; readonly count: number }[] | undefined,
  nameOf: (name: T) => string,
  chosen: T | undefined,
): Choice[] {
  // A choice that has no pairs any more is still the one that is asked for.
  const isGone = chosen !== undefined && counts?.some(({ name }) => name === chosen) !== true;
  return [
    ['', 'Any'],
    ...(counts ?? []).map(({ name, count }): Choice => [name, `${nameOf(name)}${counted(count)}`]),
    ...(isGone ? [[chosen, nameOf(chosen)] satisfies Choice] : []),
  ];
}

function counted(count: number | undefined): string {
  return count === undefined ? '' : ` (${count.toLocaleString('en')})`;
}

/** The value as one of the known names, in a list; nothing for "any". */
function found<T extends string>(
  counts: readonly { readonly name: T }[] | undefined,
  value: string,
): T[] | undefined {
  const known = counts?.find(({ name }) => name === value);
  return known && [known.name];
}

/** A filter that says nothing of a field does not have it. */
function withoutNothing(filter: PairFilter): PairFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
