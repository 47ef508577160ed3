// Self-teaching from a corpus to a verdict: data, phase I, data of the phase I model, phase II, the gate. Each step leaves
// its files in the run's folder, and a run that was broken off goes on after the last one. Models, trainer and registry
// are ports.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import { seedFor } from '../evaluation/index.ts';
import {
  AdapterId,
  GateVerdict,
  TeachSetup,
  type DatasetSample,
  type DatasetSettings,
  type PhaseOutcome,
  type PhaseSettings,
  type PreferencePair,
  type TeachReport,
  type WatchFinding,
} from '../protocol/index.ts';
import { isMissing, makeFolders, writeDurably } from '../state/index.ts';
import type { TrainEvent } from '../training/index.ts';
import type { Dataset, DatasetEvent } from './dataset/generate.ts';
import { pairsOfSamples } from './dataset/pairs.ts';
import { GateMeasurementsFile, verdictOn, type GateMeasurements } from './gate/verdict.ts';
import { writeReport } from './reportFiles.ts';
import { watchDataset, watchHeldout, watchRefresh, watchVerdict, type HeldoutLook } from './watch.ts';

export type Phase = 1 | 2;

/** Data that a phase wants, from the model with this adapter (an id; null: none). */
export interface DatasetWish {
  readonly settings: DatasetSettings;
  readonly samples: number;
  readonly seed: number;
  readonly adapter: string | null;
  readonly log: string;
  readonly earlier: readonly DatasetSample[] | null;
}

/** Training that a phase wants. Files are pairs files. */
export interface TrainWish {
  readonly phase: Phase;
  readonly settings: PhaseSettings;
  readonly evaluateEvery: number;
  readonly seed: number;
  readonly pairs: string;
  readonly heldout: string | null;
  readonly adapter: string | null;
  /** The run's folder; gone on with where there is one. */
  readonly out: string;
}

export interface TeachPorts {
  readonly makeDataset: (wish: DatasetWish, signal: AbortSignal) => AsyncGenerator<DatasetEvent, Dataset>;
  /** The writer's own pairs with two sides, on the side that their note is on in generated data too. */
  readonly writerPairs: (signal: AbortSignal) => Promise<readonly PreferencePair[]>;
  /** Writes a pairs file, and remembers which notes are in it. */
  readonly writePairs: (file: string, pairs: readonly PreferencePair[], signal: AbortSignal) => Promise<void>;
  readonly train: (wish: TrainWish, signal: AbortSignal) => AsyncGenerator<TrainEvent>;
  readonly measure: (
    wish: {
      readonly phase: Phase;
      readonly adapter: string;
      readonly baseline: string | null;
      readonly heldout: string;
    },
    signal: AbortSignal,
  ) => Promise<GateMeasurements>;
  /** Keeps a verdict with its adapter. */
  readonly judged: (adapter: string, verdict: GateVerdict) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface TeachRequest {
  readonly folder: string;
  readonly setup: TeachSetup;
  /** Findings of the watch list that do not pause the run. */
  readonly ignored: readonly WatchFinding['name'][];
}

interface Where {
  readonly phase: Phase;
  readonly refresh: number;
}

/** What happens, in order. */
export type TeachEvent =
  | ({ readonly event: 'stage'; readonly stage: 'dataset' | 'training' | 'gate' } & Where)
  | (DatasetEvent & Where)
  | (TrainEvent & Where)
  | { readonly event: 'watch'; readonly findings: readonly WatchFinding[] }
  | ({ readonly event: 'gate'; readonly adapter: string } & GateVerdict)
  | {
      readonly event: 'verdict';
      readonly offered: boolean;
      readonly why: string;
      readonly report: string;
      readonly adapter: string | null;
    };

const setupName = 'teach.json';

/**
 * @throws PreflexorError `paused` (the watch list), `bad-input` (a folder of another run, nothing to ask from),
 * `cancelled`, and what models and trainer throw; what is done is kept
 */
export async function* teach(
  request: TeachRequest,
  ports: TeachPorts,
  signal: AbortSignal,
): AsyncGenerator<TeachEvent, TeachReport> {
  await begin(request);
  return yield* new Teaching(request, ports, signal).run();
}

/** Writes down what is about to be computed, or holds it against what was. */
async function begin({ folder, setup }: TeachRequest): Promise<void> {
  await makeFolders(folder);
  const file = path.join(folder, setupName);
  const known = await stored(file, TeachSetup);
  const wanted = TeachSetup.parse(JSON.parse(JSON.stringify(setup)));
  if (known === null) await writeDurably(file, `${JSON.stringify(wanted, null, 2)}\n`);
  else if (!isDeepStrictEqual(known, wanted)) {
    throw new PreflexorError('bad-input', `${folder} holds a run with other settings, or of another model.`, {
      remedy: 'Choose another folder with --out.',
    });
  }
}

/** A phase while it is under way. */
interface Underway {
  readonly phase: Phase;
  /** What it starts from. */
  readonly baseline: string | null;
  readonly datasets: Dataset[];
  /** What was measured after each refresh but the last, which the gate measures. */
  readonly measured: GateMeasurements[];
  adapter: string | null;
  heldout: string | null;
  writerPairs: number;
  failed: string | null;
  verdict: GateVerdict | null;
}

class Teaching {
  readonly #request: TeachRequest;
  readonly #ports: TeachPorts;
  readonly #signal: AbortSignal;
  readonly #watch: WatchFinding[] = [];
  readonly #phases: Underway[] = [];

  constructor(request: TeachRequest, ports: TeachPorts, signal: AbortSignal) {
    this.#request = request;
    this.#ports = ports;
    this.#signal = signal;
  }

  async *run(): AsyncGenerator<TeachEvent, TeachReport> {
    for (const phase of [1, 2] as const) {
      const baseline = this.#phases[0]?.adapter ?? null;
      // Phase II is asked of the phase I model: without one there is nothing to ask.
      if (phase === 2 && baseline === null) break;
      const underway: Underway = {
        ...{ phase, baseline, adapter: baseline, datasets: [], measured: [], heldout: null },
        ...{ writerPairs: 0, failed: null, verdict: null },
      };
      this.#phases.push(underway);
      yield* this.#phase(underway);
    }
    const { report, file } = await writeReport(
      this.#request,
      this.#phases.map(outcomeOf),
      this.#watch,
      this.#phases.flatMap(({ datasets }) => datasets),
    );
    const { offered, why, adapter } = report;
    yield { event: 'verdict', offered, why, adapter, report: file };
    return report;
  }

  async *#phase(underway: Underway): AsyncGenerator<TeachEvent> {
    const { settings } = this.#request.setup;
    for (let refresh = 1; refresh <= settings.refreshes; refresh += 1) {
      yield { event: 'stage', stage: 'dataset', phase: underway.phase, refresh };
      const dataset = yield* this.#dataset(underway, refresh);
      const pairs = await this.#pairs(underway, dataset, refresh);
      if (pairs === null) {
        underway.failed = `No pair was left to train on: ${dataset.end.message}`;
        break;
      }
      yield { event: 'stage', stage: 'training', phase: underway.phase, refresh };
      underway.adapter = yield* this.#train(underway, pairs, refresh);
      if (refresh < settings.refreshes) yield* this.#look(underway, underway.adapter, refresh);
    }
    if (underway.adapter === underway.baseline) underway.adapter = null;
    if (underway.adapter !== null) yield* this.#gate(underway, underway.adapter);
  }

  async *#dataset(underway: Underway, refresh: number): AsyncGenerator<TeachEvent, Dataset> {
    const { phase, datasets } = underway;
    const { settings, seed } = this.#request.setup;
    const share = refresh === 1 ? settings.dataset.heldoutShare : 0;
    const earlier = phase === 2 ? (this.#phases[0]?.datasets[refresh - 1]?.samples ?? []) : null;
    const events = this.#ports.makeDataset(
      {
        settings: {
          ...{ ...settings.dataset, phase, heldoutShare: share },
          answers: phase === 2 ? settings.answers : 0,
        },
        // Later refreshes have the held-out pairs of the first.
        samples:
          refresh === 1
            ? settings.samples
            : Math.round(settings.samples * (1 - settings.dataset.heldoutShare)),
        seed: seedFor(seed, `phase ${phase} refresh ${refresh}`),
        adapter: underway.adapter,
        log: path.join(this.#folder({ phase, refresh }), 'samples.jsonl'),
        earlier,
      },
      this.#signal,
    );
    const dataset = yield* passedOn(events, { phase, refresh });
    datasets.push(dataset);
    yield* this.#watched(watchDataset(dataset, phase, datasets[0] ?? null));
    return dataset;
  }

  /** Writes the pairs files of a refresh; null: there is nothing to train on. */
  async #pairs(underway: Underway, { samples }: Dataset, refresh: number): Promise<string | null> {
    const { phase } = underway;
    const generated = pairsOfSamples(samples);
    const own =
      this.#request.setup.settings.writerWeight === 0 ? [] : await this.#ports.writerPairs(this.#signal);
    const ofSide = (all: readonly PreferencePair[], side: PreferencePair['split']) =>
      all.filter(({ split }) => split === side);
    const ownToTrain = ofSide(own, 'train');
    underway.writerPairs = ownToTrain.length;
    const weight = this.#request.setup.settings.writerWeight;
    const train = [...ofSide(generated, 'train'), ...Array.from({ length: weight }, () => ownToTrain).flat()];
    if (refresh === 1) {
      const heldout = [...ofSide(generated, 'held-out'), ...ofSide(own, 'held-out')];
      const file = path.join(this.#request.folder, `phase-${phase}`, 'heldout.jsonl');
      underway.heldout = heldout.length === 0 ? null : file;
      if (heldout.length > 0) await this.#ports.writePairs(file, heldout, this.#signal);
    }
    // What has been trained is not to be changed by decisions that came after.
    if (ofSide(generated, 'train').length === 0) return null;
    const file = path.join(this.#folder({ phase, refresh }), 'pairs.jsonl');
    if (!(await isThere(file))) await this.#ports.writePairs(file, train, this.#signal);
    return file;
  }

  async *#train(underway: Underway, pairs: string, refresh: number): AsyncGenerator<TeachEvent, string> {
    const { phase, heldout } = underway;
    const { settings, seed } = this.#request.setup;
    const out = path.join(this.#folder({ phase, refresh }), 'run');
    const done = await stored(path.join(out, 'result.json'), z.object({ adapter: AdapterId }));
    if (done) return done.adapter;
    const watching = new AbortController();
    const wish: TrainWish = {
      ...{ phase, pairs, heldout, out, seed, adapter: underway.adapter },
      settings: phase === 1 ? settings.phase1 : settings.phase2,
      evaluateEvery: settings.evaluateEvery,
    };
    const events = this.#ports.train(wish, AbortSignal.any([this.#signal, watching.signal]));
    const looks: HeldoutLook[] = [];
    let adapter: string | null = null;
    let bad: WatchFinding[] = [];
    try {
      for await (const event of events) {
        yield { ...event, phase, refresh };
        if (event.event === 'done') adapter = event.adapter;
        if (event.event !== 'eval') continue;
        looks.push({ step: event.step, loss: event.loss, accuracy: event['rewards/accuracies'] });
        const findings = watchHeldout(looks, phase);
        bad = this.#failedOf(findings);
        // The trainer writes a checkpoint and ends; what is said of it comes below.
        if (bad.length > 0) watching.abort();
      }
    } catch (error) {
      if (bad.length === 0 || this.#signal.aborted || !PreflexorError.is(error, 'cancelled')) throw error;
    }
    yield* this.#watched(watchHeldout(looks, phase));
    if (adapter === null) throw new PreflexorError('trainer-failed', 'Training ended without an adapter.');
    return adapter;
  }

  /** Holds a refresh against those before it, by the gate's own measures. */
  async *#look(underway: Underway, adapter: string, refresh: number): AsyncGenerator<TeachEvent> {
    const { phase, baseline, heldout, measured } = underway;
    if (heldout === null) return;
    const file = path.join(this.#folder({ phase, refresh }), 'measured.json');
    const known = await stored(file, GateMeasurementsFile);
    const found = known ?? (await this.#ports.measure({ phase, adapter, baseline, heldout }, this.#signal));
    throwIfCancelled(this.#signal);
    if (!known) await writeDurably(file, `${JSON.stringify(found)}\n`);
    yield* this.#watched(watchRefresh(found, measured, refresh));
    measured.push(found);
  }

  async *#gate(underway: Underway, adapter: string): AsyncGenerator<TeachEvent> {
    const { phase, baseline, heldout } = underway;
    const { setup, folder } = this.#request;
    yield { event: 'stage', stage: 'gate', phase, refresh: setup.settings.refreshes };
    const file = path.join(folder, `phase-${phase}`, 'gate.json');
    const known = await stored(file, GateVerdict);
    const verdict = known ?? (await this.#verdict({ phase, adapter, baseline, heldout }));
    throwIfCancelled(this.#signal);
    underway.verdict = verdict;
    await writeDurably(file, `${JSON.stringify(verdict, null, 2)}\n`);
    await this.#ports.judged(adapter, verdict);
    yield { event: 'gate', adapter, ...verdict };
    yield* this.#watched(watchVerdict(verdict));
  }

  async #verdict({
    phase,
    adapter,
    baseline,
    heldout,
  }: Pick<Underway, 'phase' | 'baseline' | 'heldout'> & { readonly adapter: string }): Promise<GateVerdict> {
    const measured =
      heldout === null
        ? { phase, answers: [], wholes: [], adoption: [], perplexity: [] }
        : await this.#ports.measure({ phase, adapter, baseline, heldout }, this.#signal);
    const time = new Date(this.#ports.now()).toISOString();
    return verdictOn(measured, seedFor(this.#request.setup.seed, 'gate'), time);
  }

  /** Keeps findings, and pauses the run where one failed. */
  *#watched(findings: readonly WatchFinding[]): Generator<TeachEvent> {
    this.#watch.push(...findings);
    if (findings.length > 0) yield { event: 'watch', findings };
    const failed = this.#failedOf(findings);
    if (failed.length === 0) return;
    const names = [...new Set(failed.map(({ name }) => name))].join(',');
    throw new PreflexorError(
      'paused',
      `Paused by the watch list. ${failed.map(({ says }) => says).join(' ')}`,
      {
        remedy: `What is done is kept in ${this.#request.folder}. Look at the samples; the same command with --ignore ${names} goes on all the same.`,
      },
    );
  }

  #failedOf(findings: readonly WatchFinding[]): WatchFinding[] {
    return findings.filter(
      ({ verdict, name }) => verdict === 'failed' && !this.#request.ignored.includes(name),
    );
  }

  #folder({ phase, refresh }: Where): string {
    return path.join(this.#request.folder, `phase-${phase}`, `refresh-${refresh}`);
  }
}

function outcomeOf({ phase, adapter, datasets, writerPairs, failed, verdict }: Underway): PhaseOutcome {
  const samples = datasets.flatMap((dataset) => dataset.samples);
  const refused: PhaseOutcome['refused'] = {};
  for (const { checks } of samples)
    for (const problem of checks.problems) refused[problem] = (refused[problem] ?? 0) + 1;
  return {
    ...{ phase, adapter, writerPairs, failed, verdict, refused },
    samples: samples.length,
    kept: samples.filter(({ kept }) => kept).length,
    enforced: samples.filter(({ kept, checks }) => kept && checks.enforced === true).length,
    diversity: datasets[0]?.diversity ?? null,
  };
}

async function* passedOn(
  events: AsyncGenerator<DatasetEvent, Dataset>,
  where: Where,
): AsyncGenerator<TeachEvent, Dataset> {
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
    yield { ...step.value, ...where };
  }
}

async function isThere(file: string): Promise<boolean> {
  return (await textOf(file)) !== null;
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A file of the run's folder; null: it is not there. @throws PreflexorError `bad-input` where it is damaged */
async function stored<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  const text = await textOf(file);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new PreflexorError('bad-input', `${file} can't be understood.`, {
      remedy: 'Begin a new run in another folder.',
      cause: error,
    });
  }
}
