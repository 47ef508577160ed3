// preflexor reason: the whole way of one paragraph, from the command line.
import { knownCitations, type Library } from '../library/index.ts';
import { applyEdits } from '../notes/index.ts';
import type { Intent, ReasonEvent, Run } from '../protocol/index.ts';
import { programVersion } from '../version.ts';
import {
  offer,
  reasonInNote,
  Stores,
  workspacePrompts,
  type RunOutcome,
  type Services,
} from '../workflow/index.ts';
import { promptsFolder } from '../composition.ts';
import { PreflexorError } from '../errors.ts';
import { settingsOf, withEngines, withLibrary, type Context, type SamplingOptions } from './context.ts';
import { offsetAt, readNote, writeNote } from './notes.ts';
import type { Output } from './output.ts';

export interface ReasonOptions extends SamplingOptions {
  readonly at?: string;
  readonly intent?: Intent;
  readonly question?: string;
  readonly iterations?: number;
  readonly write?: boolean;
  readonly stream?: boolean;
  readonly resume?: string;
}

export async function reasonCommand(path: string, options: ReasonOptions, context: Context): Promise<void> {
  const { output } = context;
  const note = await readNote(path, context.options.workspace);
  const offset = options.at === undefined ? undefined : offsetAt(note.text, options.at);
  const settings = settingsOf({ ...context.options, ...options });
  const reasoning = async (engines: Pick<Services, 'model' | 'critic'>, library: Library) => {
    const services: Services = {
      ...engines,
      grounding: library,
      knownCitations: (root, signal) => knownCitations(library, root, signal),
      prompts: (root, set) => workspacePrompts(promptsFolder(), root, set),
      stores: new Stores(context.home, Date.now, library),
      now: Date.now,
      random: Math.random,
      version: programVersion,
    };
    const { intent, question, iterations, resume } = options;
    const events = reasonInNote(
      note,
      { offset, intent, question, iterations, resume, seed: context.options.seed },
      settings,
      services,
      { cancel: context.signal },
    );
    return await follow(events, options.stream === true, output);
  };
  const { run, warning } = await withLibrary(context, note.root, settings, (library) =>
    withEngines(context, settings, (engines) => reasoning(engines, library)),
  );
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
  let kept: string | null = null;
  try {
    for (;;) {
      const step = await events.next();
      if (step.done) return step.value;
      if (step.value.event === 'step') kept = step.value.run;
      show(step.value, stream, output);
    }
  } catch (error) {
    if (kept !== null)
      output.say(`What is done is kept: --resume ${kept} in place of --at goes on from there.`);
    throw error;
  }
}

function show(event: ReasonEvent, stream: boolean, output: Output): void {
  if (stream) output.line(event);
  else if (event.event === 'waiting') output.progress(waitingText(event.reason, event.fraction));
  else if (event.event === 'segment') output.write(`\n── ${headline(event)} ──\n`);
  else if (event.event === 'text') output.write(event.text);
  else if (event.event === 'segment-end') output.write('\n');
}

function headline({ iteration, kind }: Extract<ReasonEvent, { event: 'segment' }>): string {
  return kind === 'integration' ? kind : `${kind} · ${iteration === 0 ? 'draft' : `iteration ${iteration}`}`;
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
    written ? `Annotation ${run.block} stands below the paragraph.` : 'Add --write to put it into the note.',
  ].join('\n');
}
