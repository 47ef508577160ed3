// The background worker with a clock, a power reader and a process that only say what a test tells them to; its records
// are real files.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { cancelled, PreflexorError } from '../../errors.ts';
import {
  LearntPairs,
  type TeachingEstimate,
  type TeachingLine,
  type TeachingState,
  type TeachingStatus,
} from '../../protocol/index.ts';
import type { TeachingWishes } from './decide.ts';
import type { TeachingTask, WorkerPorts } from './ports.ts';
import { offerAdapter } from './records.ts';
import { TeachingWorker } from './worker.ts';

const estimate: TeachingEstimate = {
  ...{ bytes: 1e9, availableBytes: 4e9, trainingSeconds: 60, samplesSeconds: null, diskBytes: 1e7 },
  ...{ freeDiskBytes: 1e11, steps: 8, samples: 10, writerPairs: 3, refusal: null },
};
const minute = 60_000;

/** A process that goes on until it is told what comes of it. */
class Script {
  readonly task: TeachingTask;
  readonly #signal: AbortSignal;
  readonly #waiting: { lines: TeachingLine[]; end: Error | 'done' | null } = { lines: [], end: null };
  #wake: () => void = () => undefined;

  constructor(task: TeachingTask, signal: AbortSignal) {
    this.task = task;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.#wake();
    });
  }

  say(...lines: TeachingLine[]): void {
    this.#waiting.lines.push(...lines);
    this.#wake();
  }

  end(how: Error | 'done' = 'done'): void {
    this.#waiting.end = how;
    this.#wake();
  }

  async *lines(): AsyncGenerator<TeachingLine> {
    for (;;) {
      const line = this.#waiting.lines.shift();
      if (line) yield line;
      else if (this.#signal.aborted) throw cancelled();
      else if (this.#waiting.end === 'done') return;
      else if (this.#waiting.end) throw this.#waiting.end;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** What the machine and the writer are like; a test changes it as it goes. */
interface World {
  now: number;
  pairs: string[];
  folders: string[];
  power: 'plugged-in' | 'battery';
  wishes: TeachingWishes;
  estimate: TeachingEstimate;
  available: number;
  elsewhere: boolean;
  readonly runs: Script[];
  room: number;
  readonly worker: TeachingWorker;
  /** Another process over the same files: the editor was started again. */
  restart(): World;
}

async function world(t: TestContext): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'preflexor-worker-'));
  const workers: TeachingWorker[] = [];
  t.after(async () => {
    for (const worker of workers) await worker.dispose();
    await rm(home, { recursive: true, force: true });
  });
  await mkdir(join(home, 'notes'));
  return of(home, workers, {
    ...{ now: Date.UTC(2026, 2, 1, 12), pairs: ['a', 'b', 'c'], folders: [join(home, 'notes')] },
    ...{ power: 'plugged-in', estimate, available: 4e9, elsewhere: false },
    wishes: { mode: 'automatic', newPairs: 3, window: null, idleMinutes: 10, onBattery: false },
  });
}

type Given = Pick<
  World,
  'now' | 'pairs' | 'folders' | 'power' | 'estimate' | 'available' | 'elsewhere' | 'wishes'
>;

function of(home: string, workers: TeachingWorker[], given: Given): World {
  const runs: Script[] = [];
  const at = { ...given, runs, room: 0 };
  const ports: WorkerPorts = {
    home,
    now: () => at.now,
    every: () => () => undefined,
    folders: () => at.folders,
    wishes: () => Promise.resolve({ ...at.wishes, preset: 'quick' }),
    pairs: () => Promise.resolve(at.pairs),
    estimate: () => Promise.resolve(at.estimate),
    power: () => Promise.resolve(at.power),
    busyShare: () => 0.1,
    prepare: (root) => Promise.resolve(join(root, '.preflexor', 'teach', '1')),
    run: (task, signal) => {
      const script = new Script(task, signal);
      runs.push(script);
      return script.lines();
    },
    makeRoom: () => {
      at.room += 1;
      return Promise.resolve();
    },
    availableBytes: () => Promise.resolve(at.available),
    holder: () => Promise.resolve(at.elsewhere ? { pid: 1, run: '/notes/1' } : null),
    log: () => undefined,
  };
  const worker = new TeachingWorker(ports);
  workers.push(worker);
  return Object.assign(at, { worker, restart: () => of(home, workers, at) });
}

async function until(at: World, state: TeachingState): Promise<TeachingStatus> {
  for (let tries = 0; tries < 500 && at.worker.status().state !== state; tries += 1) await delay(2);
  const status = at.worker.status();
  assert.equal(status.state, state, status.says);
  return status;
}

/** The process of the run that goes on, the `count`th in all. */
async function running(at: World, count = 1): Promise<Script> {
  for (let tries = 0; tries < 500 && at.runs.length < count; tries += 1) await delay(2);
  await until(at, 'running');
  const script = at.runs[count - 1];
  assert.ok(script && at.runs.length === count, `${at.runs.length} runs`);
  return script;
}

const stage = (name: 'dataset' | 'training' | 'gate', phase: 1 | 2 = 1): TeachingLine => ({
  ...{ event: 'stage', stage: name, phase, refresh: 1 },
});
const step: TeachingLine = {
  ...{ event: 'step', step: 3, loss: 1.5, 'rewards/margins': 0.2, 'rewards/accuracies': 1 },
  ...{ tokens_per_second: 200, seconds_remaining: 120 },
};
const offered: TeachingLine = {
  ...{ event: 'verdict', offered: true, why: 'It is better.', report: '/notes/report.md', adapter: 'exo-1' },
};

test('given enough pairs and a machine that is left alone, when the worker looks, then it starts, follows the run, and keeps what was offered and learnt', async (t) => {
  const at = await world(t);
  await at.worker.look();
  assert.match(at.worker.status().says, /not written/);
  at.now += 11 * minute;
  await at.worker.look();
  const script = await running(at);
  script.say(stage('dataset'), { event: 'sample', kept: true }, { event: 'sample', kept: false });
  script.say(stage('training'), { event: 'started', step: 0, steps: 8 }, step, { event: 'paused' });
  const yielding = await until(at, 'yielding');
  assert.deepEqual(
    [yielding.phase, yielding.step, yielding.steps, yielding.metrics?.samples, yielding.metrics?.margin],
    [1, 3, 8, { kept: 1, made: 2, wanted: 10 }, 0.2],
  );
  script.say({ event: 'resumed' });
  assert.match((await until(at, 'running')).says, /step 3 of 8, about 2 minutes left/);
  script.say(offered);
  script.end();
  const { offer } = await until(at, 'idle');
  assert.deepEqual([offer?.adapter, offer?.later], ['exo-1', false]);
  at.now += 11 * minute;
  await at.worker.look();
  assert.equal(at.worker.status().newPairs, 0);
  assert.match(at.worker.status().says, /0 new pairs; teaching starts with 3/);
  at.pairs.push('d');
  at.worker.pairsChanged(at.folders[0] ?? '');
  at.now += 11 * minute;
  await at.worker.look();
  assert.equal(at.worker.status().newPairs, 1);
  assert.equal(at.runs.length, 1);
});

test('given the usual settings, when pairs come, then nothing starts before the writer says so', async (t) => {
  const at = await world(t);
  at.wishes = { ...at.wishes, mode: 'manual' };
  at.now += 60 * minute;
  await at.worker.look();
  assert.deepEqual([at.runs.length, at.worker.status().newPairs], [0, 3]);
  await at.worker.act('start', at.folders[0] ?? '');
  await running(at);
  at.wishes = { ...at.wishes, mode: 'off' };
  await at.worker.act('cancel', '');
  await assert.rejects(at.worker.act('start', at.folders[0] ?? ''), /switched off/);
});

test('given a run of the writer’s, when they pause, resume and cancel it, then it ends each time with a checkpoint, goes on in the same folder, and is gone', async (t) => {
  const at = await world(t);
  at.power = 'battery';
  const root = at.folders[0] ?? '';
  await at.worker.act('start', root);
  await running(at);
  assert.equal((await at.worker.act('pause', root)).state, 'paused');
  await at.worker.look();
  assert.equal(at.worker.status().state, 'paused');
  await at.worker.act('resume', root);
  await running(at, 2);
  assert.equal(at.runs[1]?.task.run, at.runs[0]?.task.run);
  const { says } = await at.worker.act('cancel', root);
  assert.match(says, /cancelled; what it made is kept in .*teach/);
  assert.equal(at.runs.length, 2);
  await assert.rejects(at.worker.act('resume', root), (error) => PreflexorError.is(error, 'bad-input'));
});

test('given a run when the server is killed, when another one starts, then the run goes on in the same folder, and one that was paused does not', async (t) => {
  const at = await world(t);
  await at.worker.act('start', at.folders[0] ?? '');
  const first = await running(at);
  const second = at.restart();
  await second.worker.look();
  assert.equal((await running(second)).task.run, first.task.run);
  await second.worker.act('pause', '');
  const third = second.restart();
  await third.worker.look();
  assert.deepEqual([third.worker.status().state, third.runs.length], ['paused', 0]);
});

test('given a run in one window, when the other window looks or wants one, then it is told so and starts none; when the folder is closed, it waits', async (t) => {
  const at = await world(t);
  await at.worker.act('start', at.folders[0] ?? '');
  await running(at);
  const other = at.restart();
  other.elsewhere = true;
  await other.worker.look();
  assert.equal(other.worker.status().elsewhere, true);
  await assert.rejects(other.worker.act('start', '/x'), (error) => PreflexorError.is(error, 'locked'));
  other.elsewhere = false;
  other.folders = ['/elsewhere'];
  await other.worker.look();
  assert.match(other.worker.status().says, /goes on when .*notes is open again/);
  assert.equal(other.runs.length, 0);
});

test('given a run that began by itself, when the charger is pulled, then it is held, and goes on when it is back and the writer is away', async (t) => {
  const at = await world(t);
  at.now += 11 * minute;
  await at.worker.look();
  await running(at);
  at.power = 'battery';
  await at.worker.look();
  assert.match((await until(at, 'held')).says, /plugged in/);
  at.power = 'plugged-in';
  at.worker.wrote();
  await at.worker.look();
  assert.equal(at.worker.status().state, 'held');
  at.now += 11 * minute;
  await at.worker.look();
  await running(at, 2);
});

test('given a clock that is set back a day, when the worker looks, then it counts from there and starts when the writer has been away', async (t) => {
  const at = await world(t);
  at.now -= 24 * 60 * minute;
  await at.worker.look();
  assert.equal(at.runs.length, 0);
  at.now += 11 * minute;
  await at.worker.look();
  await running(at);
});

test('given too little memory, when teaching is started, then the engine gives its own back, and if that is not enough it is refused with the numbers', async (t) => {
  const at = await world(t);
  const refusal = 'Teaching needs 9.0 GB of memory, and 4.0 GB are free.';
  at.estimate = { ...estimate, refusal };
  await assert.rejects(
    at.worker.act('start', at.folders[0] ?? ''),
    (error) => PreflexorError.is(error, 'out-of-memory') && error.message === refusal,
  );
  assert.deepEqual([at.room, at.runs.length], [1, 0]);
  at.now += 11 * minute;
  await at.worker.look();
  assert.deepEqual([at.worker.status().state, at.runs.length], ['idle', 0]);
  assert.match(at.worker.status().says, /9\.0 GB/);
});

test('given a model that takes what training needs, when training begins, then the engine gives its memory back; with enough it does not', async (t) => {
  const at = await world(t);
  await at.worker.act('start', at.folders[0] ?? '');
  const script = await running(at);
  script.say(stage('training'), step);
  for (let tries = 0; tries < 500 && at.worker.status().step !== 3; tries += 1) await delay(2);
  assert.equal(at.room, 0);
  at.available = 5e8;
  script.say(stage('training', 2), { ...step, step: 4 });
  for (let tries = 0; tries < 500 && at.worker.status().step !== 4; tries += 1) await delay(2);
  assert.equal(at.room, 1);
});

test('given a run that breaks off, when it is resumed by the writer, then what the watch list found is passed over from there', async (t) => {
  const at = await world(t);
  const root = at.folders[0] ?? '';
  await at.worker.act('start', root);
  const script = await running(at);
  const finding = { phase: 1, value: 3, threshold: 1, verdict: 'failed', says: 'It rises.' } as const;
  script.say({ event: 'watch', findings: [{ name: 'heldout-loss', ...finding }] });
  script.end(new PreflexorError('paused', 'Paused by the watch list. It rises.'));
  assert.match((await until(at, 'failed')).says, /It rises/);
  await at.worker.look();
  assert.equal(at.worker.status().state, 'failed');
  await at.worker.act('resume', root);
  assert.deepEqual((await running(at, 2)).task.ignored, ['heldout-loss']);
});

test('given a disk that is full in the middle of a run that began by itself, when hours have passed, then it is tried again, and not for ever', async (t) => {
  const at = await world(t);
  at.now += 11 * minute;
  await at.worker.look();
  for (const times of [1, 2, 3]) {
    (await running(at, times)).end(new PreflexorError('disk-full', 'The disk is full.'));
    assert.match((await until(at, 'failed')).says, /disk is full/);
    await at.worker.look();
    assert.equal(at.runs.length, times);
    at.now += 7 * 60 * minute;
    await at.worker.look();
  }
  assert.equal(at.runs.length, 3);
});

test('given an offer, when the writer wants to decide later and then decides, then it is kept and then gone, over restarts too', async (t) => {
  const at = await world(t);
  await at.worker.act('start', at.folders[0] ?? '');
  const script = await running(at);
  script.say(offered);
  script.end();
  await until(at, 'idle');
  await at.worker.act('later', '');
  const second = at.restart();
  await second.worker.look();
  assert.equal(second.worker.status().offer?.later, true);
  await second.worker.answered('another');
  assert.equal(second.worker.status().offer?.adapter, 'exo-1');
  await second.worker.answered('exo-1');
  assert.equal(second.worker.status().offer, null);
  const learnt = await readFile(join(at.folders[0] ?? '', '.preflexor', 'teach', 'learnt.json'), 'utf8');
  assert.deepEqual(LearntPairs.parse(JSON.parse(learnt)).pairs, ['a', 'b', 'c']);
});

test('given a start that is being estimated, when it is cancelled, then nothing starts', async (t) => {
  const at = await world(t);
  const starting = at.worker.act('start', at.folders[0] ?? '');
  await delay(1);
  const cancelling = at.worker.act('cancel', '');
  await starting.catch(() => undefined);
  await cancelling;
  assert.deepEqual([at.worker.status().state, at.worker.status().run], ['idle', null]);
});

test('given an offer that a command left, when the worker looks, then it is told, until the writer has answered it', async (t) => {
  const at = await world(t);
  at.wishes = { ...at.wishes, mode: 'manual' };
  const time = new Date(at.now).toISOString();
  const home = join(at.folders[0] ?? '', '..');
  await offerAdapter(home, { adapter: 'orpo-0123456789', why: 'Offered: it is better.', report: null, time });
  await at.worker.look();
  const { offer } = at.worker.status();
  assert.deepEqual([offer?.adapter, offer?.report, offer?.later], ['orpo-0123456789', null, false]);
  await at.worker.answered('orpo-0123456789');
  assert.equal(at.restart().worker.status().offer, null);
  await at.worker.look();
  assert.equal(at.worker.status().offer, null);
});
