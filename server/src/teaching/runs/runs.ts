// The training runs of one workspace, as their files say: also while another process writes them. Writes nothing.
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import {
  DatasetLine,
  GateVerdict,
  TeachSetup,
  TrainerLine,
  TrainingRunRecord,
  type DatasetSample,
  type TrainingCursor,
  type TrainingData,
  type TrainingLogEntry,
  type TrainingRunDetail,
  type TrainingRunEntry,
  type TrainingRunState,
} from '../../protocol/index.ts';
import { comparisonsOf } from './comparisons.ts';
import { partOf, type PartLines } from './columns.ts';
import { fileAbove } from './fileAbove.ts';
import { findRuns, type FoundRun } from './find.ts';
import { reportOf, stored } from './folders.ts';
import type { Leg } from './leg.ts';
import { LineTail } from './lineTail.ts';
import { saidIn } from './logWords.ts';
import { watchedIn } from './watched.ts';

export interface TrainingRunsOptions {
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether a process with this id is there. */
  readonly isAlive: (pid: number) => boolean;
}

/** Who is at work writes at least so often, a long step apart. */
const silentMs = 10 * 60_000;
/** Refused lines and lines of the log that are told. */
const mostRefused = 20;
const mostLogged = 300;

interface Known extends FoundRun {
  readonly legs: Map<string, Leg>;
}

export class TrainingRuns {
  readonly #options: TrainingRunsOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: TrainingRunsOptions) {
    this.#options = options;
  }

  /** The newest first. @throws PreflexorError `cancelled` */
  async list(signal: AbortSignal): Promise<TrainingRunEntry[]> {
    const entries: TrainingRunEntry[] = [];
    for (const found of await findRuns(this.#options.root, signal)) {
      throwIfCancelled(signal);
      const known = this.#known.get(found.run) ?? { ...found, legs: new Map<string, Leg>() };
      this.#known.set(found.run, known);
      const entry = await this.#entry(known, await this.#legs(known));
      if (entry) entries.push(entry);
    }
    return entries.sort((one, other) => (one.time < other.time ? 1 : -1));
  }

  /**
   * @param cursors what of its curves is known already
   * @throws PreflexorError `bad-input` where there is no such run
   */
  async detail(
    run: string,
    cursors: readonly TrainingCursor[],
    signal: AbortSignal,
  ): Promise<TrainingRunDetail> {
    const known = await this.#required(run);
    const legs = await this.#legs(known);
    throwIfCancelled(signal);
    const entry = await this.#entry(known, legs);
    if (!entry) throw noRun(run);
    const report = known.kind === 'teach' ? await reportOf(known.folder) : null;
    const setup =
      known.kind === 'teach' ? await stored(path.join(known.folder, 'teach.json'), TeachSetup) : null;
    const gates = known.kind === 'teach' ? await gatesOf(known.folder) : [];
    const parts = partsOf(legs, setup?.settings.refreshes ?? null);
    return {
      entry,
      parts: parts.map((lines) =>
        partOf(
          lines,
          cursors.find(({ part }) => part === lines.part),
        ),
      ),
      watch: watchedIn(legs, gates, report?.watch ?? []),
      gates,
      why: report?.why ?? null,
      log: legs.flatMap(logOf).slice(-mostLogged),
      data: (await Promise.all(legs.map((leg) => this.#data(leg, known.kind, signal)))).flatMap(
        (one) => one ?? [],
      ),
      samples: comparisonsOf(legs),
    };
  }

  /**
   * The pairs file of a part's refreshes, in their order, as far as they are still there.
   * @throws PreflexorError `bad-input`, `cancelled`
   */
  async pairsFiles(run: string, part: string, signal: AbortSignal): Promise<string[]> {
    const known = await this.#required(run);
    const legs = (await this.#legs(known)).filter((leg) => leg.part === part);
    const files = await Promise.all(
      legs.map(async (leg) => await this.#pairsFile(leg, known.kind, await recordOf(leg), signal)),
    );
    return files.filter((file) => file !== null);
  }

  /** Null: it is not there, or is another one by now. */
  async #pairsFile(
    { folder }: Leg,
    kind: FoundRun['kind'],
    record: TrainingRunRecord | null,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (kind === 'teach') return path.join(folder, '..', 'pairs.jsonl');
    return record && (await fileAbove(folder, this.#options.root, record.pairs, signal));
  }

  async #data(leg: Leg, kind: FoundRun['kind'], signal: AbortSignal): Promise<TrainingData | null> {
    const { part, refresh } = leg;
    const record = await recordOf(leg);
    if (!record) return null;
    const few = (counts: TrainingRunRecord['pairs']) => {
      return { ...counts, refused: counts.refused.slice(0, mostRefused) };
    };
    const heldout = record.heldout && few(record.heldout);
    const listed = (await this.#pairsFile(leg, kind, record, signal)) !== null;
    return { part, refresh, pairs: few(record.pairs), heldout, listed };
  }

  /** The run of this name, which comes from outside: it has to be a folder within the workspace, links looked through. */
  async #required(run: string): Promise<Known> {
    const known = this.#known.get(run);
    if (known) return known;
    const { root } = this.#options;
    const folder = path.resolve(root, run);
    const isInside = (base: string, file: string): boolean => {
      const below = path.relative(base, file);
      return below !== '' && below.split(path.sep)[0] !== '..' && !path.isAbsolute(below);
    };
    const real = await realpath(folder).catch(() => null);
    if (real === null || !isInside(root, folder) || !isInside(await realpath(root), real)) throw noRun(run);
    const files = new Set(await readdir(folder).catch(() => []));
    const kind = files.has('teach.json') ? 'teach' : files.has('run.json') ? 'train' : null;
    if (kind === null) throw noRun(run);
    const found: Known = { run, folder, kind, legs: new Map() };
    this.#known.set(run, found);
    return found;
  }

  /** Its trainings as they are now, in their order. */
  async #legs({ folder, kind, legs }: Known): Promise<Leg[]> {
    const places =
      kind === 'train'
        ? [{ part: 'train', phase: null, refresh: null, folder, samples: null }]
        : await refreshesOf(folder);
    const present: Leg[] = [];
    for (const { samples, ...place } of places) {
      const leg = legs.get(place.folder) ?? {
        ...place,
        log: new LineTail(path.join(place.folder, 'log.jsonl'), trainerLine),
        samples: samples === null ? null : new LineTail(samples, datasetSample),
      };
      legs.set(place.folder, leg);
      await Promise.all([leg.log.update(), leg.samples?.update()]);
      present.push(leg);
    }
    return present;
  }

  async #entry({ run, folder, kind }: Known, legs: readonly Leg[]): Promise<TrainingRunEntry | null> {
    if (kind === 'teach') {
      const setup = await stored(path.join(folder, 'teach.json'), TeachSetup);
      const report = await reportOf(folder);
      if (!setup) return null;
      const time = legs[0]?.samples?.lines[0]?.time ?? (await firstWritten(folder));
      const state = report ? 'finished' : this.#stateOf(legs);
      return { run, kind, time, model: setup.model.id, state, offered: report?.offered ?? null };
    }
    const record = await recordOf({ folder });
    if (!record) return null;
    const result = await stored(path.join(folder, 'result.json'), z.object({ stopped: z.boolean() }));
    const state = result ? (result.stopped ? 'stopped' : 'finished') : this.#stateOf(legs);
    return { run, kind, time: record.time, model: record.model.id, state, offered: null };
  }

  /** Of a run that has no result. */
  #stateOf(legs: readonly Leg[]): TrainingRunState {
    const log = legs.findLast((leg) => leg.log.lines.length > 0)?.log ?? null;
    const last = log?.lines.at(-1);
    const hello = log?.lines.findLast((line) => line.event === 'hello');
    const written = Math.max(...legs.flatMap((leg) => [leg.log.changed, leg.samples?.changed ?? 0]), 0);
    const isRecent = this.#options.now() - written < silentMs;
    const sampled = legs.at(-1)?.samples?.changed ?? 0;
    if (last?.event === 'failed' && sampled <= (log?.changed ?? 0)) return 'failed';
    // A process id may have gone to another program meanwhile: then nothing was written for long.
    const isHere = hello === undefined || last?.event === 'done' || this.#options.isAlive(hello.pid);
    if (!isRecent || !isHere) return 'broken-off';
    return last?.event === 'paused' ? 'paused' : 'running';
  }
}

async function recordOf({ folder }: Pick<Leg, 'folder'>): Promise<TrainingRunRecord | null> {
  return await stored(path.join(folder, 'run.json'), TrainingRunRecord);
}

async function refreshesOf(
  folder: string,
): Promise<(Pick<Leg, 'part' | 'phase' | 'refresh' | 'folder'> & { readonly samples: string })[]> {
  const found = [];
  for (const phase of [1, 2] as const) {
    const names = await readdir(path.join(folder, `phase-${phase}`)).catch(() => []);
    const numbers = names
      .flatMap((name) => /^refresh-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
    for (const refresh of numbers) {
      const at = path.join(folder, `phase-${phase}`, `refresh-${refresh}`);
      const samples = path.join(at, 'samples.jsonl');
      found.push({ part: `phase-${phase}`, phase, refresh, folder: path.join(at, 'run'), samples });
    }
  }
  return found;
}

function partsOf(legs: readonly Leg[], wanted: number | null): PartLines[] {
  return [...Map.groupBy(legs, ({ part }) => part)].map(([part, own]) => ({
    part,
    phase: own[0]?.phase ?? null,
    refreshes: own.map(({ log }) => log.lines),
    wanted,
    beginnings: own.reduce((sum, { log }) => sum + log.beginnings, 0),
  }));
}

function logOf({ part, refresh, log }: Leg): TrainingLogEntry[] {
  return log.lines.flatMap((line) => {
    const said = saidIn(line);
    return said ? [{ part, refresh, ...said }] : [];
  });
}

async function gatesOf(folder: string): Promise<GateVerdict[]> {
  const found = await Promise.all(
    [1, 2].map((phase) => stored(path.join(folder, `phase-${phase}`, 'gate.json'), GateVerdict)),
  );
  return found.flatMap((one) => one ?? []);
}

function trainerLine(json: unknown): TrainerLine | null {
  return TrainerLine.safeParse(json).data ?? null;
}

function datasetSample(json: unknown): DatasetSample | null {
  const line = DatasetLine.safeParse(json).data;
  return line?.line === 'sample' ? line : null;
}

async function firstWritten(folder: string): Promise<string> {
  return new Date((await stat(path.join(folder, 'teach.json'))).mtimeMs).toISOString();
}

function noRun(run: string): PreflexorError {
  return new PreflexorError('bad-input', `There is no training run ${run} in this folder.`, {
    remedy: 'Refresh the list of runs.',
  });
}
