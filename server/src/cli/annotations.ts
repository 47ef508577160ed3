// preflexor annotations, strip and decide: what stands in a note, and what the writer makes of it.
import { applyEdits, readBlocks, stripBlocks } from '../notes/index.ts';
import {
  planDecision,
  recordDecision,
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
      const run = await runOfBlock(stores, note.root, block.id);
      const answer = block.sections.find(({ kind }) => kind === 'answer')?.text ?? '';
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
  readonly as: 'accept' | 'edit' | 'reject' | 'regenerate';
  readonly iteration?: number;
  readonly reason?: string;
  readonly write?: boolean;
}

const kinds: Record<DecideOptions['as'], DecidableKind> = {
  accept: 'accept',
  edit: 'accept-edited',
  reject: 'reject',
  regenerate: 'regenerate',
};

/** Records the decision; with `--write` carries it out in the note too. */
export async function decideCommand(path: string, options: DecideOptions, context: Context): Promise<void> {
  const note = await readNote(path, context.options.workspace);
  const settings = settingsOf(context.options);
  await withLibrary(context, note.root, settings, (library) =>
    decideIn(note, options, context, new Stores(context.home, Date.now, library)),
  );
}

async function decideIn(note: Note, options: DecideOptions, context: Context, stores: Stores): Promise<void> {
  const decision = { block: options.block, as: kinds[options.as], reason: options.reason };
  const { edits, entry } = await planDecision(note, decision, settingsOf(context.options), stores);
  const changed = applyEdits(note.text, edits);
  if (options.write) await writeNote(note, changed);
  const { record, warning } = await recordDecision(stores, note.root, entry).catch(async (error: unknown) => {
    // A decision is never half there: what can't be recorded is not carried out.
    if (options.write) await writeNote({ ...note, text: changed }, note.text);
    throw error;
  });
  if (warning) context.output.say(warning);
  const done = options.write
    ? 'recorded and carried out'
    : 'recorded; add --write to carry it out in the note';
  context.output.result({ entry: record, edits, warning }, `${record.kind} of ${record.block}: ${done}.`);
}
