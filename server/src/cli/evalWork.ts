// What the experiments of `preflexor eval` need that make samples or train: a corpus, or a trainer with pairs.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { shippedText } from '../composition.ts';
import type { LanguageModel } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import type { SampleMaker, TrainingBench } from '../evaluation/index.ts';
import { AdapterId, type EvaluationSetup, type ExperimentName } from '../protocol/index.ts';
import { workspacePlaces } from '../state/index.ts';
import { datasetPromptVersion, generateDataset, measure, type PresetName } from '../teaching/index.ts';
import {
  AdapterRegistry,
  noAdapter,
  planTraining,
  readPairsFile,
  train,
  type ChosenAdapter,
  type PlanWishes,
  type TrainEvent,
} from '../training/index.ts';
import { programVersion } from '../version.ts';
import type { Context } from './context.ts';
import { datasetSettings, requireIndex, setupOf } from './dataset.ts';
import { withTeachingTools } from './teachingTools.ts';
import { withTrainingTools, type TrainingTools } from './training.ts';

export interface WorkOptions {
  readonly samples?: number;
  readonly preset?: PresetName;
  readonly topic?: string;
  readonly reflectionTokens?: number;
  readonly answerTokens?: number;
  readonly pairs?: string;
  readonly heldout?: string;
  readonly phase?: '1' | '2';
  readonly steps?: number;
  readonly lr?: number;
  readonly rank?: number;
}

/** What an experiment works with beside questions and models. */
export interface EvalWork {
  readonly measured: EvaluationSetup['questions'];
  readonly numbers: NonNullable<EvaluationSetup['work']>;
  readonly samples?: SampleMaker;
  readonly bench?: TrainingBench;
  /** The models that make the samples: no others are loaded beside them. */
  readonly models?: { readonly student: LanguageModel; readonly teacher: LanguageModel };
}

export interface WorkPlace {
  readonly root: string;
  /** Of the experiment. */
  readonly folder: string;
  readonly seed: number;
}

const usualSamples = 20;

/** Runs `use` with what the experiment needs; null: questions alone. */
export async function withEvalWork<T>(
  name: ExperimentName,
  place: WorkPlace,
  options: WorkOptions,
  context: Context,
  use: (work: EvalWork | null) => Promise<T>,
): Promise<T> {
  if (name === 'dataset') return await withSamples(place, options, context, use);
  if (name === 'masking' || name === 'mask-share') return await withBench(place, options, context, use);
  return await use(null);
}

async function withSamples<T>(
  { root, folder, seed }: WorkPlace,
  options: WorkOptions,
  context: Context,
  use: (work: EvalWork) => Promise<T>,
): Promise<T> {
  return await withTeachingTools(root, context, async (tools) => {
    await requireIndex(tools, root);
    const count = options.samples ?? usualSamples;
    const settings = {
      ...datasetSettings(options, tools),
      ...({ phase: 1, answers: 0, heldoutShare: 0 } as const),
    };
    const { adapter = noAdapter } = context.options;
    const open = tools.open(adapter === noAdapter ? null : adapter, false);
    try {
      const setup = { ...(await setupOf(open.student, settings, context)), seed };
      const samples: SampleMaker = {
        async upTo(kept, signal) {
          const request = { setup, samples: kept, log: join(folder, 'samples.jsonl') };
          const events = generateDataset({ ...request, earlier: null, heldout: null }, open.ports, signal);
          for (;;) {
            const step = await events.next();
            if (step.done) return step.value;
          }
        },
      };
      const numbers = z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(settings)));
      return await use({
        measured: { source: 'passages of the workspace', sha256: datasetPromptVersion, count },
        ...{ numbers, samples, models: { student: open.student, teacher: open.ports.teacher } },
      });
    } finally {
      await open.close();
    }
  });
}

/** The files that are trained on and measured on, and what training starts from. */
interface Pairs {
  readonly pairs: string;
  readonly heldout: string;
  readonly phase: 1 | 2;
  readonly start: string | undefined;
}

async function withBench<T>(
  { root, folder, seed }: WorkPlace,
  options: WorkOptions,
  context: Context,
  use: (work: EvalWork) => Promise<T>,
): Promise<T> {
  const files = await pairsFor(root, options, context.options.adapter);
  return await withTrainingTools(context, async (tools) => {
    const heldout = await readPairsFile(files.heldout, context.signal);
    const trained = await readPairsFile(files.pairs, context.signal);
    const start = await tools.choose(files.start);
    const { steps, lr, rank } = options;
    const wishes: PlanWishes = {
      ...{ phase: files.phase, seed },
      ...(steps !== undefined && { steps }),
      ...(lr !== undefined && { learningRate: lr }),
      ...(rank !== undefined && { rank }),
    };
    const { mask: _each, ...plan } = planTraining(wishes, tools.shape);
    return await use({
      measured: { source: basename(files.heldout), sha256: heldout.sha256, count: heldout.pairs.length },
      numbers: { ...plan, pairs: trained.sha256, start: start?.name ?? null },
      bench: benchOf({ files, folder, wishes, start, tools, context }),
    });
  });
}

interface BenchParts {
  readonly files: Pairs;
  readonly folder: string;
  readonly wishes: PlanWishes;
  readonly start: ChosenAdapter | null;
  readonly tools: TrainingTools;
  readonly context: Context;
}

function benchOf({ files, folder, wishes, start, tools, context }: BenchParts): TrainingBench {
  const { model, shape, threads } = tools;
  // Adapters of an experiment are not for use: they have a registry of their own.
  const registry = new AdapterRegistry(join(folder, 'runs'), Date.now);
  const { identity } = model;
  return {
    makers: {
      ...{ model: identity, parameters: shape.parameters, adapter: start?.name ?? null },
      ...{ backend: 'the trainer', critic: identity, criticAdapter: null },
    },
    async trained(name, mask, signal) {
      const request = {
        ...{ pairs: files.pairs, heldout: files.heldout, out: join(folder, 'runs', name), resume: true },
        ...{ model, shape, threads, adapter: start, reference: null, wishes: { ...wishes, mask } },
      };
      const { politeTrainer: trainer, withTokenizer } = tools;
      const ports = { trainer, withTokenizer, registry, now: Date.now, version: programVersion };
      let done: Extract<TrainEvent, { event: 'done' }> | null = null;
      // To its very end: only then may the trainer be asked for the measurement.
      for await (const event of train(request, ports, signal)) {
        if (event.event === 'step') context.output.progress(`${name}: step ${event.step}`);
        if (event.event === 'done') done = event;
      }
      if (done === null) throw new PreflexorError('trainer-failed', 'Training ended without an adapter.');
      const stored = await registry.get(done.adapter);
      const measured = await measure(
        {
          ...{ phase: files.phase, model, trainedContext: shape.trainedContext, threads },
          ...{ adapter: stored.peft, baseline: start && (await start.peft(signal)) },
          heldout: await readPairsFile(files.heldout, signal),
          texts: [{ name: 'the text that ships', text: await readFile(shippedText(), 'utf8') }],
        },
        { ...tools, trainer },
        signal,
      );
      return { measured, steps: done.step, loss: done.heldout?.loss ?? null };
    },
  };
}

/** The files that were named, else those of the newest run of `teach` in this workspace. */
async function pairsFor(root: string, options: WorkOptions, adapter: string | undefined): Promise<Pairs> {
  const { pairs, heldout } = options;
  if (pairs !== undefined && heldout !== undefined) {
    const phase = options.phase === '1' ? 1 : 2;
    return { pairs: resolve(pairs), heldout: resolve(heldout), phase, start: adapter };
  }
  if (pairs !== undefined || heldout !== undefined) {
    throw new PreflexorError('bad-input', 'Pairs to train on and held-out pairs go together.', {
      remedy: 'Name both with --pairs and --heldout.',
    });
  }
  const { teaching } = workspacePlaces(root);
  const runs = (await readdir(teaching).catch(() => [])).map(Number).filter(Number.isInteger);
  const phases = options.phase === undefined ? ([2, 1] as const) : ([options.phase === '1' ? 1 : 2] as const);
  for (const run of runs.sort((one, other) => other - one)) {
    for (const phase of phases) {
      const folder = join(teaching, String(run), `phase-${phase}`);
      const found = {
        pairs: join(folder, 'refresh-1', 'pairs.jsonl'),
        heldout: join(folder, 'heldout.jsonl'),
      };
      if (!(await isFile(found.pairs)) || !(await isFile(found.heldout))) continue;
      const before = phase === 2 ? await trainedIn(join(teaching, String(run), 'phase-1')) : undefined;
      return { ...found, phase, start: adapter ?? before };
    }
  }
  throw new PreflexorError('bad-input', 'There are no pairs to train on.', {
    remedy: 'Name files with --pairs and --heldout, or run "preflexor teach" first.',
  });
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null))?.isFile() ?? false;
}

/** The adapter that a phase of a run ended with. */
async function trainedIn(phase: string): Promise<string | undefined> {
  const names = (await readdir(phase).catch(() => [])).filter((name) => name.startsWith('refresh-'));
  const order = (name: string): number => Number(name.slice('refresh-'.length));
  for (const name of names.sort((one, other) => order(other) - order(one))) {
    const text = await readFile(join(phase, name, 'run', 'result.json'), 'utf8').catch(() => null);
    const result = text === null ? null : z.object({ adapter: AdapterId }).safeParse(JSON.parse(text));
    if (result?.success) return result.data.adapter;
  }
  return undefined;
}
