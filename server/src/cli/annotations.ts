// preflexor annotations, strip and decide: what stands in a note, and what the writer makes of it.
import { applyEdits, readBlocks, stripBlocks } from '../notes/index.ts';
import { PreflexorError } from '../errors.ts';
import { knownCitations, type Library } from '../library/index.ts';
import type { Appended } from '../preferences/index.ts';
import type { Rating, SegmentKind, TextEdit } from '../protocol/index.ts';
import {
  planDecision,
  planPick,
  planRating,
  recordDecision,
  recordPick,
  runOfBlock,
  Stores,
  type DecidableKind,
  type Note,
} from '../workflow/index.ts';
import { settingsOf, withLibrary, type Context } from './context.ts';
import { readNote, writeNote } from './notes.ts';

/** Lists the note's blocks. `state`: offered, edited by the writer, or unknown (its run is not stored here). */
export async function annotationsCommand(path: string, context: Context): Promise<void> {
  const note = await readNote(path, context.options.workspace);
  const stores = new Stores(context.home, Date.now);
  const { blocks, problems } = readBlocks(note.text);
  const listed = await Promise.all(
    blocks.map(async (block) => {
      const answer = block.sections.find(({ kind }) => kind === 'answer')?.text ?? '';
      const run = await runOfBlock(stores, note.root, block.id, answer);
      return {
        id: block.id,
        start: block.start,
        end: block.end,
        lines: { start: block.startLine + 1, end: block.endLine + 1 },
        state: !run ? 'unknown' : run.final === answer ? 'offered' : 'edited',
        sections: block.sections.map(({ kind, title, text, start, end }) => ({
          kind,
          title,
          text,
          start,
          end,
        })),
      };
    }),
  );
  const text = listed.map(({ id, state, lines }) => `${id}  lines ${lines.start} to ${lines.end}  ${state}`);
  for (const problem of problems) context.output.say(problem);
  context.output.result(listed, text.length > 0 ? text.join('\n') : 'No annotations.');
}

/** Prints the note without its annotations, or removes them with `--write`. */
export async function stripCommand(
  path: string,
  options: { write?: boolean },
  context: Context,
): Promise<void> {
  const note = await readNote(path, context.options.workspace);
  const { text, removed } = stripBlocks(note.text);
  if (options.write && removed > 0) await writeNote(note, text);
  if (context.output.json) context.output.result({ text, removed, written: options.write === true }, '');
  else if (options.write) context.output.say(`${removed} annotations removed.`);
  // Exactly the note's bytes: no line end of our own.
  else context.output.write(text);
}

export interface DecideOptions {
  readonly block: string;
  readonly as: 'accept' | 'edit' | 'reject' | 'regenerate' | 'pick' | 'rate';
  /** For pick and rate. */
  readonly iteration?: number;
  /** For rate. */
  readonly segment?: SegmentKind;
  readonly value?: Rating['value'];
  readonly reason?: string;
  readonly write?: boolean;
}

const kinds: Record<Exclude<DecideOptions['as'], 'pick' | 'rate'>, DecidableKind> = {
  accept: 'accept',
  edit: 'accept-edited',
  reject: 'reject',
  regenerate: 'regenerate',
};

interface Planned {
  readonly edits: TextEdit[];
  readonly record: () => Promise<Appended>;
}

/** Records the decision; with `--write` carries it out in the note too. */
export async function decideCommand(path: string, options: DecideOptions, context: Context): Promise<void> {
  const note = await readNote(path, context.options.workspace);
  const settings = settingsOf(context.options);
  await withLibrary(context, note.root, settings, (library) => decideIn(note, options, context, library));
}

async function decideIn(
  note: Note,
  options: DecideOptions,
  context: Context,
  library: Library,
): Promise<void> {
  const { edits, record: keep } = await planned(note, options, context, library);
  const changed = applyEdits(note.text, edits);
  if (options.write) await writeNote(note, changed);
  const { record, warning } = await keep().catch(async (error: unknown) => {
    // A decision is never half there: what can't be recorded is not carried out.
    if (options.write) await writeNote({ ...note, text: changed }, note.text);
    throw error;
  });
  if (warning) context.output.say(warning);
  const done =
    options.write || edits.length === 0
      ? 'recorded and carried out'
      : 'recorded; add --write to carry it out in the note';
  context.output.result({ entry: record, edits, warning }, `${record.kind} of ${record.block}: ${done}.`);
}

async function planned(
  note: Note,
  options: DecideOptions,
  context: Context,
  library: Library,
): Promise<Planned> {
  const { block, as, reason } = options;
  const stores = new Stores(context.home, Date.now, library);
  const settings = settingsOf(context.options);
  if (as === 'rate') {
    const choice = { block, iteration: needed(options.iteration, '--iteration') };
    const rating = {
      segment: needed(options.segment, '--segment'),
      value: needed(options.value, '--value'),
    };
    const entry = await planRating(note, choice, rating, settings, stores);
    return { edits: [], record: () => recordDecision(stores, note.root, entry) };
  }
  if (as === 'pick') {
    const choice = { block, iteration: needed(options.iteration, '--iteration') };
    const known = await knownCitations(library, note.root, context.signal);
    const pick = await planPick(note, choice, settings, stores, known, context.signal);
    return { edits: pick.edits, record: () => recordPick(stores, note.root, pick) };
  }
  const { edits, entry } = await planDecision(note, { block, as: kinds[as], reason }, settings, stores);
  return { edits, record: () => recordDecision(stores, note.root, entry) };
}

/** @throws PreflexorError `bad-input` */
function needed<T>(value: T | undefined, option: string): T {
  if (value === undefined) throw new PreflexorError('bad-input', `${option} is needed.`);
  return value;
}
