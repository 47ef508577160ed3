import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PreflexorError } from '../errors.ts';
import type { TrainerLine } from '../protocol/index.ts';
import { machineLock } from './machineLock.ts';
import type { Trainer, TrainerTask } from './trainer.ts';
import { createTrainerProcess, type TrainerProcessOptions } from './trainerProcess.ts';

const program = fileURLToPath(new URL('./testing/scriptedTrainer.ts', import.meta.url));
const never = new AbortController().signal;

interface SetUp {
  readonly trainer: Trainer;
  readonly folder: string;
  readonly home: string;
  readonly task: Extract<TrainerTask, { task: 'train' }>;
}

async function setUp(
  t: TestContext,
  behaviour: string,
  options: Partial<TrainerProcessOptions> = {},
): Promise<SetUp> {
  const home = await mkdtemp(join(tmpdir(), 'preflexor-trainer-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'run');
  const trainer = createTrainerProcess({
    place: () => ({ program: process.execPath, libraries: '/libraries', device: 'cpu' }),
    programArguments: [program, behaviour],
    // The double is node, so its command line does not name the trainer.
    lock: machineLock({ home, isTrainer: (pid) => Promise.resolve(isRunning(pid)) }),
    ...options,
  });
  const records = [{ prompt: [1], chosen: [2], rejected: [3] }];
  return {
    trainer,
    folder,
    home,
    task: { task: 'train', model: 'm', out: folder, loss: 'orpo', records, steps: 3 },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function all(lines: AsyncIterable<TrainerLine>): Promise<TrainerLine[]> {
  const found: TrainerLine[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

function pidOf(lines: readonly TrainerLine[]): number {
  const hello = lines.find((line) => line.event === 'hello');
  assert.ok(hello);
  return hello.pid;
}

test('given a run, when it is followed, then its decoded lines come in order and its configuration is on disk', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'train');
  const lines = await all(trainer.run(task, folder, never));
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['hello', 'started', 'step', 'step', 'step', 'checkpoint', 'done'],
  );
  const config = JSON.parse(await readFile(join(folder, 'trainer.json'), 'utf8')) as unknown;
  assert.deepEqual(config, { ...task, libraries: '/libraries', device: 'cpu' });
});

for (const [behaviour, words] of [
  ['refuses', /Record 3 is wrong/],
  ['crashes', /SIGSEGV.*GGML_ASSERT\(everything\) failed/],
  ['half-line', /exit code 3/],
  ['garbage', /cannot be read: Segmentation is fun/],
] as const) {
  test(`given a trainer that ${behaviour}, when it is followed, then one typed error says so and no process is left`, async (t) => {
    const { trainer, folder, task } = await setUp(t, behaviour);
    const lines: TrainerLine[] = [];
    await assert.rejects(
      async () => {
        for await (const line of trainer.run(task, folder, never)) lines.push(line);
      },
      (error) => PreflexorError.is(error, 'trainer-failed') && words.test(error.message) && !!error.remedy,
    );
    assert.ok(!isRunning(pidOf(lines)));
  });
}

test('given a trainer that never says hello, when the time for that is over, then it is ended', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'silent', { helloMs: 300 });
  await assert.rejects(
    all(trainer.run(task, folder, never)),
    (error) => PreflexorError.is(error, 'trainer-failed') && error.message.includes('does not answer'),
  );
});

test('given a trainer that takes time, when stopped, then it writes its checkpoint and ends as cancelled', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'endless');
  const controller = new AbortController();
  const events: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { event } of trainer.run({ ...task, steps: 100_000 }, folder, controller.signal)) {
        events.push(event);
        if (event === 'step') controller.abort();
      }
    },
    (error) => PreflexorError.is(error, 'cancelled'),
  );
  assert.deepEqual(events.slice(-2), ['checkpoint', 'done']);
});

test('given a trainer that does not listen, when stopped, then it is killed', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'deaf', { stopMs: 100 });
  const controller = new AbortController();
  const lines: TrainerLine[] = [];
  await assert.rejects(
    async () => {
      for await (const line of trainer.run(task, folder, controller.signal)) {
        lines.push(line);
        controller.abort();
      }
    },
    (error) => PreflexorError.is(error, 'cancelled'),
  );
  assert.ok(!isRunning(pidOf(lines)));
});

test('given a run, when told to pause and to go on, then it does', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'endless');
  const run = trainer.run({ ...task, steps: 4 }, folder, never);
  const events: string[] = [];
  for await (const line of run) {
    events.push(line.event);
    if (line.event === 'step' && line.step === 1) run.send('pause');
    if (line.event === 'paused') run.send('resume');
  }
  assert.ok(events.indexOf('paused') < events.indexOf('resumed'), events.join(' '));
  assert.equal(events.at(-1), 'done');
});

test('given a follower that leaves early, when it is gone, then so is the process, and the next run may begin', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'endless');
  const lines: TrainerLine[] = [];
  for await (const line of trainer.run({ ...task, steps: 100_000 }, folder, never)) {
    lines.push(line);
    if (line.event === 'step') break;
  }
  assert.ok(!isRunning(pidOf(lines)));
  assert.equal((await all(trainer.run(task, folder, never))).at(-1)?.event, 'done');
});

test('given a run at work, when another one is wanted, then it is refused with where the first one is', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'endless');
  for await (const line of trainer.run({ ...task, steps: 100_000 }, folder, never)) {
    if (line.event !== 'step') continue;
    await assert.rejects(
      all(trainer.run(task, join(folder, 'other'), never)),
      (error) => PreflexorError.is(error, 'locked') && error.message.includes(folder),
    );
    break;
  }
});

test('given no trainer, when a run is wanted, then the error says how to build it', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'train', {
    place: () => {
      throw new PreflexorError('trainer-failed', 'Not built.', { remedy: 'Build it.' });
    },
  });
  await assert.rejects(all(trainer.run(task, folder, never)), /Not built/);
});

test('given a program that cannot be started, when a run is wanted, then it is an error and not a crash', async (t) => {
  const { trainer, folder, task } = await setUp(t, 'train', {
    place: () => ({ program: '/no/such/program', libraries: '/libraries', device: 'cpu' }),
  });
  await assert.rejects(
    all(trainer.run(task, folder, never)),
    (error) => PreflexorError.is(error, 'trainer-failed') && error.message.includes('cannot be started'),
  );
});
