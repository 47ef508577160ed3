// What the curation board knows: the query, the pages of rows that have come, which row has the focus and which are
// marked. Pure. The list may be long: only pages near what is seen are held.
import type {
  PairChoice,
  PairDetail,
  PairFilter,
  PairOrder,
  PairPage,
  PairRow,
} from '../../../server/src/protocol/index.ts';

/** Rows in a page. */
export const pageSize = 100;
const mostPages = 30;

export interface BoardState {
  readonly filter: PairFilter;
  readonly order: PairOrder;
  /** Number of the query; answers to earlier ones are passed over. */
  readonly query: number;
  /** The query that `pages` answer; until the first answer to a new one, what was there stays in view. */
  readonly answered: number;
  readonly pages: ReadonlyMap<number, readonly PairRow[]>;
  /** What came with the last page; null: nothing has come yet. */
  readonly head: Omit<PairPage, 'rows' | 'offset'> | null;
  readonly focus: number;
  /** Marked for what is done to several at once; `all`: all that fit the filter. */
  readonly marked: ReadonlySet<string> | 'all';
  /** Of the row with the focus, as soon as it is here. */
  readonly detail: PairDetail | null;
}

export const nothingYet: BoardState = {
  filter: { state: 'kept' },
  order: 'newest',
  query: 0,
  answered: -1,
  pages: new Map(),
  head: null,
  focus: 0,
  marked: new Set(),
  detail: null,
};

/** Another question: the list begins at its top, and no mark is carried over to what is not seen. */
export function asking(state: BoardState, filter: PairFilter, order: PairOrder): BoardState {
  return { ...state, filter, order, query: state.query + 1, focus: 0, marked: new Set() };
}

/** The same question again, as the answer may be another by now. */
export function askingAgain(state: BoardState): BoardState {
  return { ...state, query: state.query + 1 };
}

/** Takes in a page. The focus stays on its pair while that is in sight, else where it was in the list. */
export function withPage(state: BoardState, query: number, page: PairPage): BoardState {
  if (query !== state.query) return state;
  const { rows, offset, ...head } = page;
  const known = state.answered === query ? [...state.pages].slice(-mostPages) : [];
  const pages = new Map([...known, [Math.floor(offset / pageSize), rows]]);
  const before = state.detail?.row.pair;
  const moved = state.answered === query ? -1 : rows.findIndex(({ pair }) => pair === before);
  const focus = moved >= 0 ? offset + moved : state.focus;
  return { ...state, pages, head, answered: query, focus: clamp(focus, head.matching) };
}

export function withDetail(state: BoardState, detail: PairDetail): BoardState {
  return focusedRow(state)?.pair === detail.row.pair ? { ...state, detail } : state;
}

/** Pages of these rows that have not come, by their numbers. */
export function missingPages(state: BoardState, from: number, to: number): number[] {
  const last = Math.max(0, Math.min(to, (state.head?.matching ?? 1) - 1));
  const wanted: number[] = [];
  for (let page = Math.floor(Math.max(0, from) / pageSize); page <= Math.floor(last / pageSize); page += 1) {
    if (state.answered !== state.query || !state.pages.has(page)) wanted.push(page);
  }
  return wanted;
}

export function rowAt({ pages }: BoardState, index: number): PairRow | null {
  return pages.get(Math.floor(index / pageSize))?.[index % pageSize] ?? null;
}

export function focusedRow(state: BoardState): PairRow | null {
  return rowAt(state, state.focus);
}

export function withFocus(state: BoardState, index: number): BoardState {
  return { ...state, focus: clamp(index, state.head?.matching ?? 0) };
}

export function isMarked({ marked }: BoardState, pair: string): boolean {
  return marked === 'all' || marked.has(pair);
}

/** Marks or unmarks a row. Taking one out of all marks those that are held. */
export function withMark(state: BoardState, pair: string): BoardState {
  const held = [...state.pages.values()].flat().map((row) => row.pair);
  const marked = new Set(state.marked === 'all' ? held : state.marked);
  if (!marked.delete(pair)) marked.add(pair);
  return { ...state, marked };
}

export function withAllMarked(state: BoardState, on: boolean): BoardState {
  return { ...state, marked: on ? 'all' : new Set() };
}

export function markedCount({ marked, head }: BoardState): number {
  return marked === 'all' ? (head?.matching ?? 0) : marked.size;
}

/** What an action is about: the marked pairs, else the one with the focus. null: there is none. */
export function choiceOf(state: BoardState): PairChoice | null {
  if (state.marked === 'all') return state.filter;
  if (state.marked.size > 0) return [...state.marked];
  const row = focusedRow(state);
  return row ? [row.pair] : null;
}

/**
 * Which pair is merged with which other one: the two that are marked, the first one first, or a part with its pair.
 * null: neither is so.
 */
export function couplingOf(state: BoardState): { readonly pair: string; readonly other: string } | null {
  if (state.marked === 'all') return null;
  const [first, second, third] = state.marked;
  if (first !== undefined)
    return second !== undefined && third === undefined ? { pair: first, other: second } : null;
  const row = focusedRow(state);
  const other = row?.curation?.partOf;
  return row && other !== undefined ? { pair: row.pair, other } : null;
}

function clamp(index: number, count: number): number {
  return Math.max(0, Math.min(index, count - 1));
}
