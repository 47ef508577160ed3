// A writer's decision on an annotation: the edit that carries it out and the line that the ledger keeps.
import {
  acceptIntoNote,
  decideEdits,
  paragraphGone,
  readBlocks,
  relocate,
  unknownBlock,
  type Block,
  type DecidedEdits,
} from '../notes/index.ts';
import type { Appended, Decision as LedgerEntry, Together } from '../preferences/index.ts';
import type { DecisionTexts, OffsetRange, Run, SegmentKind, Settings, TextEdit } from '../protocol/index.ts';
import { noteHash, relativeNotePath } from '../state/index.ts';
import { asRecorded } from './recording.ts';
import { runOfBlock, type Note } from './reasonInNote.ts';
import type { Stores } from './stores.ts';

export type DecidableKind = 'accept' | 'accept-edited' | 'reject' | 'regenerate';

export interface Decision {
  readonly block: string;
  readonly as: DecidableKind;
  /** The writer's own words on why. */
  readonly reason?: string | undefined;
  /**
   * It was made at the annotation itself: where that is no longer in the note, it was drawn over in the moment of the
   * click (a regeneration put another one in its place), and the writer did not mean the one that is gone.
   */
  readonly onlyInNote?: boolean | undefined;
}

export interface PlannedDecision {
  readonly edits: TextEdit[];
  /** As the writer lets it be kept. */
  readonly entry: LedgerEntry;
  /** What it is about, whatever is kept of it. */
  readonly texts: DecisionTexts;
}

/**
 * Works out what a decision changes and what is recorded. Nothing is written here.
 * `accept-edited` without an edit is an `accept`: what the writer left standing is what the model wrote.
 * @throws PreflexorError `unknown-block`, `note-changed` (the paragraph can't be told), `bad-input`
 */
export async function planDecision(
  note: Note,
  decision: Decision,
  settings: Settings,
  stores: Stores,
): Promise<PlannedDecision> {
  const block = readBlocks(note.text).blocks.find(({ id }) => id === decision.block);
  const present = block?.sections.find(({ kind }) => kind === 'answer')?.text ?? '';
  const run = await runOfBlock(stores, note.root, decision.block, block && present);
  const offered = run?.final ?? present;
  const edited = block !== undefined && present !== offered;
  const as = decision.as === 'accept-edited' && !edited ? 'accept' : decision.as;

  let change: Change;
  if (block) change = inNote(note, block, as, offered, run, settings);
  else if (run && decision.onlyInNote !== true) change = fromSidebar(note, as, run, settings);
  else throw unknownBlock(decision.block);
  const reason = decision.reason?.trim() ? decision.reason.trim() : null;
  const entry: LedgerEntry = {
    ...entryOf(note, { id: decision.block, block, run }, change, reason),
    kind: as,
  };
  return { edits: change.edits, entry: await asRecorded(note, settings, entry), texts: entry.texts };
}

/** What a decision does to the note, and the place in it that it is about. */
type Change = DecidedEdits & { readonly range: OffsetRange };

/** The annotation that a decision is about, as far as it is known. */
export interface Subject {
  readonly id: string;
  /** undefined: it is not in the note. */
  readonly block: Block | undefined;
  /** The run as the block shows it; null: it is not stored here. */
  readonly run: Run | null;
}

/** What the ledger says of any decision on an annotation. */
export function entryOf(
  note: Note,
  { id, block, run }: Subject,
  { paragraph, result, range }: Omit<Change, 'edits'>,
  reason: string | null,
): Omit<LedgerEntry, 'kind'> {
  const section = (kind: SegmentKind): string =>
    block?.sections.find((candidate) => candidate.kind === kind)?.text ?? '';
  const iteration = run?.iterations[run.best];
  return {
    block: id,
    run: run?.id ?? null,
    iteration: run?.best ?? 0,
    texts: {
      question: run?.question ?? '',
      paragraph,
      thinking: iteration?.thinking ?? section('thinking'),
      reflection: iteration?.reflection ?? section('reflection'),
      offered: run?.final ?? section('answer'),
      result,
      reason,
    },
    note: {
      path: relativeNotePath(note.root, note.file),
      hash: noteHash(note.text),
      range,
    },
    provenance: run?.provenance ?? null,
  };
}

function inNote(
  note: Note,
  block: Block,
  as: DecidableKind,
  answer: string,
  run: Run | null,
  settings: Settings,
): Change {
  const options = {
    answer,
    placement: settings['annotations.acceptedText'],
    ...(run && { paragraph: { text: run.paragraph, start: run.note.range.start } }),
  };
  // Regenerating takes the block out, as rejecting does.
  const decided = decideEdits(note.text, block.id, as === 'regenerate' ? 'reject' : as, options);
  return { ...decided, range: { start: block.start, end: block.end } };
}

/** A decision on a run whose block is not in the note: storage `sidecar`, or the paragraph had changed. */
function fromSidebar(note: Note, as: DecidableKind, run: Run, settings: Settings): Change {
  const { paragraph } = run;
  const { range } = run.note;
  if (as === 'reject' || as === 'regenerate') return { edits: [], paragraph, result: null, range };
  const place = relocate(note.text, { text: paragraph, start: range.start });
  if (!place) throw paragraphGone();
  const { edit, result } = acceptIntoNote(note.text, place, run.final, settings['annotations.acceptedText']);
  return { edits: [edit], paragraph, result, range: { start: place.start, end: place.end } };
}

/**
 * Appends a decision to the ledger of the note's workspace.
 * @returns the record, and a warning when it had to be put elsewhere for now
 * @throws PreflexorError `ledger-failed` when it could be written nowhere
 */
export async function recordDecision(stores: Stores, root: string, entry: LedgerEntry): Promise<Appended> {
  return await recordDecisions(stores, root, [entry]);
}

/** The same for decisions that were made together: all of them are kept, or none. @returns the last record */
export async function recordDecisions(
  stores: Stores,
  root: string,
  entries: Together<LedgerEntry>,
): Promise<Appended> {
  const { records, warning } = await (await stores.ledger(root)).appendAll(entries);
  stores.decided(root);
  for (const record of records) await stores.learner?.learnDecision(root, record);
  return { record: records.at(-1) ?? records[0], warning };
}
