// The review of a suggestion change by change: what is taken, what is left, and what is recorded at the end.
// Values only: nothing of the note changes before a plan is carried out.
import { PreflexorError } from '../errors.ts';
import { hunkEdits, noteHunks, readBlocks, type NoteHunks } from '../notes/index.ts';
import type { Decision as LedgerEntry, Together } from '../preferences/index.ts';
import type { HunkState, Run, TextEdit } from '../protocol/index.ts';
import { entryOf } from './decide.ts';
import { runOfBlock, type Note } from './reasonInNote.ts';
import type { Stores } from './stores.ts';

export interface HunkReview {
  readonly block: string;
  /** Whether the suggestion stands in the note; else it is its run's. */
  readonly inNote: boolean;
  readonly run: Run | null;
  readonly found: NoteHunks;
  /** One for each hunk. */
  readonly states: readonly HunkState[];
  /** The hunk that is decided on next, from 0. */
  readonly current: number;
}

export interface PlannedReview {
  readonly edits: TextEdit[];
  /** What goes to the ledger, all of it or nothing. */
  readonly entries: Together<LedgerEntry>;
}

/** @throws PreflexorError `unknown-block`, `note-changed`, `bad-input` (nothing differs), `note-too-large`, `not-text` */
export async function beginReview(note: Note, block: string, stores: Stores): Promise<HunkReview> {
  const present = readBlocks(note.text).blocks.find(({ id }) => id === block);
  const answer = present?.sections.find(({ kind }) => kind === 'answer')?.text ?? '';
  const run = await runOfBlock(stores, note.root, block, present && answer);
  const own = { block, inNote: present !== undefined, run };
  const found = hunksIn(note.text, own);
  return { ...own, found, states: found.hunks.map(() => 'open'), current: 0 };
}

/**
 * The review in a note that was changed meanwhile. Where paragraph or suggestion were changed, the hunks that are
 * still the same keep what was decided on them.
 * @throws PreflexorError as `beginReview`: then there is nothing left to be reviewed
 */
export function followNote(review: HunkReview, text: string): HunkReview {
  const found = hunksIn(text, review);
  const rest = review.found.hunks.map((hunk, index) => ({ ...hunk, index }));
  const same = found.hunks.map(({ before, after }) => {
    const at = rest.findIndex((hunk) => hunk.before === before && hunk.after === after);
    return at < 0 ? null : (rest.splice(0, at + 1).at(-1)?.index ?? null);
  });
  const states = same.map((index) => (index === null ? 'open' : (review.states[index] ?? 'open')));
  const current = same.indexOf(review.current);
  return { ...review, found, states, current: current < 0 ? (nextOpen(states, 0) ?? 0) : current };
}

/** Takes a hunk or leaves it, and goes on to the next one that is open. */
export function decideHunk(review: HunkReview, index: number, state: 'taken' | 'left'): HunkReview {
  const states = review.states.map((known, at) => (at === index ? state : known));
  return { ...review, states, current: nextOpen(states, index + 1) ?? index };
}

/** Takes or leaves all hunks that are open. */
export function decideRest(review: HunkReview, state: 'taken' | 'left'): HunkReview {
  return { ...review, states: review.states.map((known) => (known === 'open' ? state : known)) };
}

/** Goes to the hunk after another one or before it, around the end. */
export function goFrom(review: HunkReview, index: number, step: 1 | -1): HunkReview {
  const count = review.states.length;
  return { ...review, current: (index + step + count) % count };
}

/** The hunk that an offset of the note is in or at; else the current one. */
export function hunkAt(review: HunkReview, offset: number | undefined): number {
  if (offset === undefined) return review.current;
  const touches = ({ range }: NoteHunks['hunks'][number]): boolean =>
    range.start <= offset && offset <= range.end;
  const current = review.found.hunks[review.current];
  if (current && touches(current)) return review.current;
  const found = review.found.hunks.findIndex(touches);
  return found < 0 ? review.current : found;
}

/**
 * What the review does to the note as one edit, and what is recorded: a line for each decision, and one for the
 * whole where all hunks were taken (accepted) or none (rejected). Hunks that are open stay as they are.
 * @param note the text that the review follows
 * @throws PreflexorError `bad-input` when nothing is taken and not all is left
 */
export function planReview(note: Note, review: HunkReview): PlannedReview {
  const { block: id, run, found, states } = review;
  const taken = states.filter((state) => state === 'taken').length;
  if (taken === 0 && states.includes('open')) {
    throw new PreflexorError('bad-input', 'No change is taken yet.', {
      remedy: 'Take one of them, or leave all of them to reject the suggestion.',
    });
  }
  const { edits, paragraph, result } = hunkEdits(note.text, found, (index) => states[index] === 'taken');
  const block = readBlocks(note.text).blocks.find((candidate) => candidate.id === id);
  const { start, end } = block ?? found.place;
  const entry = entryOf(note, { id, block, run }, { paragraph, result, range: { start, end } }, null);
  const hunks = found.hunks.flatMap(({ before, after }, index): LedgerEntry[] => {
    const state = states[index];
    if (state === undefined || state === 'open') return [];
    const hunk = { index, of: states.length, accepted: state === 'taken', before, after };
    return [{ ...entry, kind: 'hunk', hunk }];
  });
  const [first, ...others] = [...hunks, ...wholeOf(review, entry, taken, block !== undefined)];
  if (!first) throw new PreflexorError('bad-input', 'There is nothing to be decided.');
  return { edits, entries: [first, ...others] };
}

/** The line for the whole: none where some hunks were taken and others not. */
function wholeOf(
  { found, states }: HunkReview,
  entry: Omit<LedgerEntry, 'kind'>,
  taken: number,
  inNote: boolean,
): LedgerEntry[] {
  if (taken === 0) return [{ ...entry, kind: 'reject' }];
  if (taken < states.length) return [];
  const edited = inNote && found.present !== entry.texts.offered;
  return [{ ...entry, kind: edited ? 'accept-edited' : 'accept' }];
}

function hunksIn(
  text: string,
  { block, inNote, run }: Pick<HunkReview, 'block' | 'inNote' | 'run'>,
): NoteHunks {
  return noteHunks(text, {
    block,
    ...(run && { paragraph: { text: run.paragraph, start: run.note.range.start } }),
    ...(run && !inNote && { answer: run.final }),
  });
}

/** The first open hunk from this one on, around the end. */
function nextOpen(states: readonly HunkState[], from: number): number | null {
  const after = states.indexOf('open', from);
  const found = after < 0 ? states.indexOf('open') : after;
  return found < 0 ? null : found;
}
