// preflexor teach: from the writer's own notes to an adapter that earned its place, in one command.
import { readFile, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { createTeachingHolder, shippedText } from '../composition.ts';
import { PreflexorError } from '../errors.ts';
import {
  TeachReport,
  type PreferencePair,
  type TeachingLine,
  type TeachSettings,
  type TeachSetup,
  type WatchFinding,
} from '../protocol/index.ts';
import { relativeNotePath, workspaceOf } from '../state/index.ts';
import {
  datasetPromptVersion,
  estimateRun,
  generateDataset,
  heldoutNotes,
  measure,
  offerAdapter,
  prepareRuns,
  secondsPerSample,
  teach,
  teachPreset,
  usableChunks,
  withValues,
  type CorpusChunk,
  type PresetName,
  type TeachEvent,
  type TeachPorts,
  type TrainWish,
  type UntouchedText,
} from '../teaching/index.ts';
import { readPairsFile, train, type AnchorWishes, type TrainEvent } from '../training/index.ts';
import { programVersion } from '../version.ts';
import { anchorTexts, Stores, workspacePairs } from '../workflow/index.ts';
import { settingsOf, type Context } from './context.ts';
import { usualSeed, writePairsFile } from './dataset.ts';
import { estimateWords, tellTeaching } from './teachWords.ts';
import { withTeachingTools, type TeachingTools } from './teachingTools.ts';
import { withTrainingTools, type TrainingTools } from './training.ts';

export interface TeachOptions {
  readonly preset: PresetName;
  readonly samples?: number;
  /** `NAME=VALUE` of any number of the settings. */
  readonly set?: readonly string[];
  readonly out?: string;
  readonly plan?: boolean;
  readonly estimate?: boolean;
  readonly ignore?: readonly WatchFinding['name'][];
  /** false: training is held to no plain text. */
  readonly anchor: boolean;
}

export async function teachCommand(
  folders: readonly string[],
  options: TeachOptions,
  context: Context,
): Promise<void> {
  const { home, output } = context;
  const { workspace } = context.options;
  const [first] = folders;
  const root = await workspaceOf({
    home,
    ...(workspace !== undefined && { workspace }),
    ...(first !== undefined && { folder: path.resolve(first) }),
  });
  const report = await withTrainingTools(context, (tools) =>
    withTeachingTools(root, context, async (teaching) => {
      const training = { ...tools, trainer: tools.politeTrainer };
      const setup = setupOf(options, training, teaching, context);
      if (options.plan) {
        output.result(setup.settings, JSON.stringify(setup.settings, null, 2));
        return null;
      }
      await index(folders, teaching, context);
      const sides = await sidesOf(setup.settings, teaching, context);
      const parts = { training, teaching, sides, setup, options, context };
      await tellEstimate(parts);
      if (options.estimate) return null;
      const folder = await folderOf(root, setup, options.out);
      output.say(`The run is in ${folder}.`);
      const ports = portsOf(parts);
      const request = { folder, setup, ignored: options.ignore ?? [] };
      return await createTeachingHolder(home).hold(folder, () =>
        follow(teach(request, ports, context.signal), context),
      );
    }),
  ).catch((error: unknown) => {
    if (output.json && PreflexorError.is(error)) output.line(failedLine(error));
    throw error;
  });
  const failed = report?.phases[0]?.failed ?? null;
  if (report && report.phases[0]?.adapter === null && failed !== null) {
    throw new PreflexorError('bad-input', failed, {
      remedy:
        'Try a larger model, or notes with more text; the log of the samples says what was wrong with each.',
    });
  }
}

/** Programs that follow the stream are to tell one failure from another. */
function failedLine({ code, message, remedy }: PreflexorError): Extract<TeachingLine, { event: 'failed' }> {
  return { event: 'failed', code, message, remedy };
}

async function follow(
  events: AsyncGenerator<TeachEvent, TeachReport>,
  { home, output }: Context,
): Promise<TeachReport> {
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
    tellTeaching(step.value, output);
    if (step.value.event !== 'verdict' || !step.value.offered || step.value.adapter === null) continue;
    const { adapter, why, report } = step.value;
    await offerAdapter(home, { adapter, why, report, time: new Date().toISOString() });
  }
}

/** Says what the run would take; one that can't fit fails here, before hours were spent on samples. */
async function tellEstimate(parts: Parts): Promise<void> {
  const { training, teaching, setup, options, context } = parts;
  const { model, threads, trainer, scratch } = training;
  const { output, signal } = context;
  output.progress('Estimating memory and time');
  const estimate = await estimateRun(
    {
      ...{ settings: setup.settings, model: model.file, threads, anchored: options.anchor ? 2 : 0 },
      writerPairs: (await writerPairs(parts, signal)).filter(({ split }) => split === 'train').length,
      sampleSeconds: await secondsPerSample(teaching.root, model.identity.sha256),
    },
    trainer,
    scratch,
    signal,
  );
  if (output.json) output.line({ event: 'estimate', ...estimate });
  else output.write(`${estimateWords(estimate)}\n`);
}

function setupOf(
  { preset, samples, set = [] }: TeachOptions,
  { model, shape }: TrainingTools,
  { prompts }: TeachingTools,
  { options }: Context,
): TeachSetup {
  const settings = withValues(teachPreset(preset, shape, prompts.thinkingParts), set);
  return {
    ...{ schema: 1, version: programVersion, seed: options.seed ?? usualSeed, model: model.identity },
    settings: samples === undefined ? settings : { ...settings, samples },
  };
}

/** Brings the index up to date: of the folders, or of the whole workspace. */
async function index(
  folders: readonly string[],
  { library, root }: TeachingTools,
  { output, signal }: Context,
): Promise<void> {
  const inside: string[] = [];
  for (const folder of folders) {
    const found = await stat(folder).catch(() => null);
    if (!found) throw new PreflexorError('bad-input', `There is no ${folder}.`, { remedy: 'Name a folder.' });
    const absolute = path.resolve(folder);
    inside.push(path.relative(root, absolute) === '' ? '' : relativeNotePath(root, absolute));
  }
  const paths = inside.length === 0 || inside.includes('') ? null : inside;
  const report = await library.indexOnce(
    root,
    paths,
    ({ done, total }) => output.progress(`Indexing: ${done} of ${total} files`),
    signal,
  );
  if (output.json) output.line({ event: 'indexed', ...report });
  else output.write(`${report.chunks} passages in the index, ${report.embedded} embedded now.\n`);
}

/** What is trained on and what is held out. */
interface Sides {
  readonly heldout: ReadonlySet<string>;
  readonly untouched: readonly UntouchedText[];
}

/** So many held-out notes are read to see what training cost. */
const mostUntouched = 3;
const fewestCharacters = 400;

/** @throws PreflexorError `bad-input` where nothing could be held out */
async function sidesOf(
  { dataset }: TeachSettings,
  { corpus, root }: TeachingTools,
  { signal }: Context,
): Promise<Sides> {
  const chunks = usableChunks(await corpus.chunks(null, signal));
  const documents = chunks.map(({ document }) => document);
  const heldout = heldoutNotes(documents, dataset.heldoutShare);
  if (heldout.size === 0) {
    const what =
      chunks.length === 0
        ? `${root} has no note with a passage to ask from.`
        : `All ${chunks.length} different passages of ${root} stand in one note: none can be held out, and an adapter could not be judged.`;
    throw new PreflexorError('bad-input', what, {
      remedy:
        'Teach from a folder with two notes or papers at least; a file that lies there twice counts once.',
    });
  }
  const byNote = Map.groupBy(
    chunks.filter(({ document }) => heldout.has(document)),
    ({ document }) => document,
  );
  const untouched = [...byNote]
    .map(([name, own]) => ({ name, text: textOf(own) }))
    .filter(({ text }) => text.length >= fewestCharacters)
    .sort((one, other) => other.text.length - one.text.length)
    .slice(0, mostUntouched);
  return { heldout, untouched };
}

function textOf(chunks: readonly CorpusChunk[]): string {
  return [...chunks]
    .sort((one, other) => one.start - other.start)
    .map(({ readable }) => readable)
    .join('\n\n');
}

/** The folder that was named, else the newest run that is not done and is the same, else a new one. */
async function folderOf(root: string, setup: TeachSetup, out: string | undefined): Promise<string> {
  if (out !== undefined) return path.resolve(out);
  const { folder: runs, newest } = await prepareRuns(root);
  const folder = path.join(runs, String(newest));
  const isSame = isDeepStrictEqual(
    await jsonOf(path.join(folder, 'teach.json')),
    JSON.parse(JSON.stringify(setup)),
  );
  const isDone = (await jsonOf(path.join(folder, 'report.json'))) !== null;
  return isSame && !isDone ? folder : path.join(runs, String(newest + 1));
}

async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
}

interface Parts {
  readonly training: TrainingTools;
  readonly teaching: TeachingTools;
  readonly sides: Sides;
  readonly setup: TeachSetup;
  readonly options: TeachOptions;
  readonly context: Context;
}

function portsOf(parts: Parts): TeachPorts {
  const { training, teaching, sides, setup, context } = parts;
  const peftOf = async (adapter: string | null, signal: AbortSignal): Promise<string | null> => {
    const chosen = await training.choose(adapter ?? undefined);
    return chosen && (await chosen.peft(signal));
  };
  return {
    now: Date.now,
    async *makeDataset(wish, signal) {
      const { settings, samples, seed, log, earlier, adapter } = wish;
      const open = teaching.open(adapter, wish.settings.answers > 1 && settings.judge !== 'reference');
      try {
        const prompts = datasetPromptVersion;
        const dataset = { version: setup.version, seed, model: setup.model, adapter, prompts, settings };
        const request = { setup: dataset, samples, log, earlier, heldout: sides.heldout };
        return yield* generateDataset(request, open.ports, signal);
      } finally {
        await open.close();
      }
    },
    writerPairs: (signal) => writerPairs(parts, signal),
    writePairs: (file, pairs) => writePairsFile(file, pairs, teaching.root, context),
    train: (wish, signal) => trainAs(wish, parts, signal),
    async measure({ phase, adapter, baseline, heldout }, signal) {
      const folder = await peftOf(adapter, signal);
      if (folder === null) throw new PreflexorError('bad-input', `There is no adapter ${adapter}.`);
      return await measure(
        {
          ...{ phase, model: training.model, trainedContext: training.shape.trainedContext },
          ...{ adapter: folder, baseline: await peftOf(baseline, signal), threads: training.threads },
          ...{ heldout: await readPairsFile(heldout, signal), texts: sides.untouched },
        },
        training,
        signal,
      );
    },
    judged: async (adapter, verdict) => {
      await training.shelf.registry.judged(adapter, verdict);
    },
  };
}

/** The writer's own pairs: those of a note that is held out are held out with it. */
async function writerPairs(
  { teaching: { root }, sides: { heldout }, context }: Parts,
  signal: AbortSignal,
): Promise<PreferencePair[]> {
  const record = settingsOf(context.options)['preferences.record'];
  const request = { root, record, now: Date.now() };
  const { pairs } = await workspacePairs(request, new Stores(context.home, Date.now), signal);
  return pairs
    .filter(({ chosen, rejected, consent }) => chosen !== null && rejected !== null && consent === 'given')
    .map((pair) => (pair.note && heldout.has(pair.note.path) ? { ...pair, split: 'held-out' } : pair));
}

async function* trainAs(wish: TrainWish, parts: Parts, signal: AbortSignal): AsyncGenerator<TrainEvent> {
  const { training } = parts;
  const { phase, settings, pairs, heldout, out, seed, evaluateEvery, adapter } = wish;
  const { mask: kind, maskShare: share, steps, ...numbers } = settings;
  yield* train(
    {
      ...{ pairs, heldout, out, evaluateEvery, resume: true, threads: training.threads },
      wishes: { ...numbers, phase, seed, mask: { kind, share }, ...(steps !== null && { steps }) },
      anchor: await anchorOf(parts, signal),
      ...{ model: training.model, shape: training.shape },
      adapter: await training.choose(adapter ?? undefined),
      reference: null,
    },
    {
      ...{ trainer: training.trainer, withTokenizer: training.withTokenizer },
      registry: training.shelf.registry,
      now: Date.now,
      version: programVersion,
    },
    signal,
  );
}

/** The writer's own notes, without those that are held out, and the text that ships. */
async function anchorOf(
  { teaching, sides, options }: Parts,
  signal: AbortSignal,
): Promise<AnchorWishes | null> {
  if (!options.anchor) return null;
  const { workspace, sources } = await anchorTexts(
    { named: null, root: teaching.root, shipped: shippedText() },
    signal,
  );
  return {
    workspace,
    sources: sources.filter(({ from, file }) => from !== 'workspace' || !sides.heldout.has(file)),
  };
}
