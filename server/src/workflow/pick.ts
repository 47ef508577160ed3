// The writer's choice among a run's iterations, and their rating of a section. The stored run keeps what the recursion
// made of itself; the choice stands beside it.
import { paragraphAt, readBlocks, relocate, type Paragraph } from '../notes/index.ts';
import { PreflexorError } from '../errors.ts';
import type { Appended, Decision as LedgerEntry } from '../preferences/index.ts';
import type { Iteration, Rating, Run, Settings, TextEdit } from '../protocol/index.ts';
import { noteHash, relativeNotePath } from '../state/index.ts';
import { offerAt } from './offer.ts';
import { checkCitations } from './realCitations.ts';
import type { Note } from './reasonInNote.ts';
import { asRecorded } from './recording.ts';
import type { Stores } from './stores.ts';

/** One iteration of the run that a block came from. */
export interface Choice {
  readonly block: string;
  readonly iteration: number;
}

export interface PlannedPick {
  /** Empty where nothing of the run stands in the note, nor should. */
  readonly edits: TextEdit[];
  readonly entry: LedgerEntry;
  /** The run as it is stored, before and with the choice. */
  readonly before: Run;
  readonly run: Run;
}

/** The run as the writer sees it: with the iteration of their choice, or else the one that it thinks best. */
export function asPicked(run: Run): Run {
  if (!run.picked) return run;
  const { iteration, final, unknownCitations } = run.picked;
  return { ...run, best: iteration, final, unknownCitations };
}

/**
 * The run as a block shows it: undoing a choice brings back the text that stood there before, and a decision is about
 * what the writer has before their eyes.
 * @param present the answer in the block
 */
export function asShown(run: Run, present: string): Run {
  const wanted = asPicked(run);
  const { picked: _, ...own } = run;
  const others = run.iterations.map(({ index, answer }): Run => ({ ...own, best: index, final: answer }));
  return [wanted, own, ...others].find(({ final }) => final === present) ?? wanted;
}

/**
 * Works out what a choice changes. Nothing is written here. The block is put back where it is gone and its paragraph
 * is still there.
 * @param known keys of the workspace's bibliographies
 * @throws PreflexorError `unknown-run`, `bad-input`, `cancelled`
 */
export async function planPick(
  note: Note,
  { block, iteration: index }: Choice,
  settings: Settings,
  stores: Stores,
  known: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<PlannedPick> {
  const { run: before, iteration } = await chosen(stores, note.root, { block, iteration: index });
  const { unknownCitations: _, ...bare } = before;
  const checked = await checkCitations(
    { ...bare, best: index, final: iteration.answer },
    note.text,
    known,
    signal,
  );
  const { final, unknownCitations = [] } = checked;
  const run: Run = { ...before, picked: { iteration: index, final, unknownCitations } };
  const shown = asPicked(before);
  const place = placeOf(note.text, before);
  const inNote = readBlocks(note.text).blocks.some(({ id }) => id === block);
  const wanted = inNote || settings['annotations.storage'] === 'note';
  return {
    edits: place && wanted ? offerAt(note.text, place, asPicked(run), inNote ? block : undefined) : [],
    entry: await asRecorded(note, settings, {
      ...entryOf(note, before, iteration, place),
      ...{ kind: 'pick', over: shown.best },
    }),
    ...{ before, run },
  };
}

/**
 * Stores the choice, and a line in the ledger. A choice that can't be recorded is taken back.
 * @throws PreflexorError `read-only`, `disk-full`, `ledger-failed`
 */
export async function recordPick(
  stores: Stores,
  root: string,
  { run, before, entry }: PlannedPick,
): Promise<Appended> {
  const runs = stores.runs(root);
  await runs.save(run);
  try {
    const appended = await (await stores.ledger(root)).append(entry);
    stores.decided(root);
    return appended;
  } catch (error) {
    await runs.save(before);
    throw error;
  }
}

/** The ledger's line of a rating. @throws PreflexorError `unknown-run`, `bad-input` */
export async function planRating(
  note: Note,
  choice: Choice,
  rating: Rating,
  settings: Settings,
  stores: Stores,
): Promise<LedgerEntry> {
  const { run, iteration } = await chosen(stores, note.root, choice);
  if (iteration[rating.segment] === '') {
    throw new PreflexorError('bad-input', `Iteration ${choice.iteration} has no ${rating.segment}.`);
  }
  const entry = entryOf(note, run, iteration, placeOf(note.text, run));
  return await asRecorded(note, settings, { ...entry, kind: 'rate', rating });
}

async function chosen(
  stores: Stores,
  root: string,
  { block, iteration: index }: Choice,
): Promise<{ run: Run; iteration: Iteration }> {
  const run = await stores.runs(root).findByBlock(block);
  if (!run) {
    throw new PreflexorError('unknown-run', `The run of annotation ${block} is not stored here.`, {
      remedy: 'Its note may come from another folder. Reason about the paragraph again.',
    });
  }
  const iteration = run.iterations.find((known) => known.index === index);
  if (!iteration) {
    throw new PreflexorError('bad-input', `This run has no iteration ${index}.`, {
      remedy: `Choose one from 0 (the draft) to ${run.iterations.length - 1}.`,
    });
  }
  return { run, iteration };
}

/** The run's paragraph, else the one that its block stands below. */
function placeOf(text: string, run: Run): Paragraph | null {
  const found = relocate(text, { text: run.paragraph, start: run.note.range.start });
  const block = found ? undefined : readBlocks(text).blocks.find(({ id }) => id === run.block);
  if (found || !block) return found;
  try {
    return paragraphAt(text, text.slice(0, block.start).trimEnd().length);
  } catch (error) {
    if (PreflexorError.is(error)) return null;
    throw error;
  }
}

function entryOf(
  note: Note,
  run: Run,
  { index, thinking, reflection, answer }: Iteration,
  place: Paragraph | null,
): Omit<LedgerEntry, 'kind'> {
  return {
    block: run.block,
    run: run.id,
    iteration: index,
    texts: {
      ...{ question: run.question, paragraph: place?.text ?? run.paragraph },
      ...{ thinking, reflection, offered: answer, result: null, reason: null },
    },
    note: {
      path: relativeNotePath(note.root, note.file),
      hash: noteHash(note.text),
      range: place ? { start: place.start, end: place.end } : run.note.range,
    },
    provenance: run.provenance,
  };
}
