// preflexor reason: the whole way of one paragraph, from the command line.
import { applyEdits } from '../notes/index.ts';
import { knownCitations, withoutRetrieval } from '../composition.ts';
import type { Intent, ReasonEvent, Run } from '../protocol/index.ts';
import { programVersion } from '../version.ts';
import { offer, reasonInNote, Stores, type RunOutcome } from '../workflow/index.ts';
import { PreflexorError } from '../errors.ts';
import { settingsOf, withEngine, type Context, type SamplingOptions } from './context.ts';
import { offsetAt, readNote, writeNote } from './notes.ts';
import type { Output } from './output.ts';

export interface ReasonOptions extends SamplingOptions {
  readonly at: string;
  readonly intent?: Intent;
  readonly question?: string;
  readonly iterations?: number;
  readonly write?: boolean;
  readonly stream?: boolean;
}

export async function reasonCommand(path: string, options: ReasonOptions, context: Context): Promise<void> {
  if ((options.iterations ?? 0) > 0) {
    throw new PreflexorError(
      'bad-input',
      'This version reasons with 0 iterations: a draft that reflects on itself.',
      {
        remedy: 'Leave --iterations out or set it to 0.',
      },
    );
  }
  const { output } = context;
  const note = await readNote(path, context.options.workspace);
  const offset = offsetAt(note.text, options.at);
  const settings = settingsOf({ ...context.options, ...options });
  const { run, warning } = await withEngine(context, settings, async (model) => {
    const stores = new Stores(context.home, Date.now);
    const retrieval = withoutRetrieval();
    const services = {
      model,
      stores,
      now: Date.now,
      random: Math.random,
      version: programVersion,
      knownCitations: (root: string, signal: AbortSignal) => knownCitations(retrieval, root, signal),
    };
    const { intent, question } = options;
    const events = reasonInNote(
      note,
      { offset, intent, question, seed: context.options.seed },
      settings,
      services,
      context.signal,
    );
    return await follow(events, options.stream === true, output);
  });
  if (warning) output.say(warning);

  const offered = offer(note.text, run);
  const edit = 'edits' in offered ? offered.edits[0] : undefined;
  if (options.write && edit) await writeNote(note, applyEdits(note.text, [edit]));
  if (options.write && 'reason' in offered) throw new PreflexorError('note-changed', offered.reason);
  if (!options.stream)
    output.result({ ...run, ...(options.write && { edit }) }, readable(run, options.write === true));
}

async function follow(
  events: AsyncGenerator<ReasonEvent, RunOutcome>,
  stream: boolean,
  output: Output,
): Promise<RunOutcome> {
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
    const event = step.value;
    if (stream) output.line(event);
    else if (event.event === 'waiting') output.progress(waitingText(event.reason, event.fraction));
    else if (event.event === 'segment') output.write(`\n── ${event.kind} ──\n`);
    else if (event.event === 'text') output.write(event.text);
    else if (event.event === 'segment-end') output.write('\n');
  }
}

function waitingText(reason: string, fraction: number | null): string {
  return fraction === null ? reason : `${reason} ${Math.round(fraction * 100)} %`;
}

/** The sections themselves were printed as they came. */
function readable(run: Run, written: boolean): string {
  const generated = run.iterations.reduce((sum, iteration) => sum + iteration.tokens.generated, 0);
  const doubts = run.iterations
    .flatMap((iteration) => iteration.signals)
    .filter((signal) => signal.verdict !== 'fine')
    .map((signal) => `${signal.name} (${signal.verdict})`);
  return [
    '',
    `${run.model} · ${generated} tokens · ${run.seconds.toFixed(1)} s · run ${run.id}`,
    ...(doubts.length > 0 ? [`Watch out: ${doubts.join(', ')}`] : []),
    ...(run.unknownCitations
      ? [`No bibliography here knows: ${run.unknownCitations.join(', ')} (marked in the suggestion)`]
      : []),
    written ? `Annotation ${run.block} stands below the paragraph.` : 'Add --write to put it into the note.',
  ].join('\n');
}
