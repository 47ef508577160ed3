import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureThreads, threadCandidates, type Phase } from './threads.ts';

/** A machine whose speed is known; time passes only by running. */
class Machine {
  time = 0;
  runs: string[] = [];
  readonly #seconds: (phase: Phase, threads: number, run: number) => number;

  constructor(seconds: (phase: Phase, threads: number, run: number) => number) {
    this.#seconds = seconds;
  }

  readonly meter = (phase: Phase, threads: number): Promise<number> => {
    const seconds = this.#seconds(phase, threads, this.runs.length);
    this.runs.push(`${phase} ${threads}`);
    this.time += seconds * 1000;
    return Promise.resolve(seconds);
  };

  measure(cores: number) {
    const { meter } = this;
    return measureThreads({ cores, meter, now: () => this.time, onProgress: () => undefined });
  }
}

test('given numbers of cores, when candidates are made, then they are powers of two and all cores, largest first', () => {
  assert.deepEqual(threadCandidates(1), [1]);
  assert.deepEqual(threadCandidates(2), [2, 1]);
  assert.deepEqual(threadCandidates(6), [6, 4, 2, 1]);
  assert.deepEqual(threadCandidates(8), [8, 4, 2, 1]);
});

test('given two cores where generation is faster with one thread, when measured, then the counts differ', async () => {
  const machine = new Machine((phase, threads) =>
    phase === 'prompt' ? 0.25 / threads : threads === 1 ? 0.05 : 0.09,
  );
  assert.deepEqual(await machine.measure(2), { prompt: 2, generation: 1 });
});

test('given runs that are disturbed now and then, when measured, then the median does not care', async () => {
  const machine = new Machine((phase, threads, run) => {
    const disturbed = run % 7 === 3 ? 10 : 1;
    return (disturbed * (phase === 'prompt' ? 0.02 : 0.01)) / threads;
  });
  assert.deepEqual(await machine.measure(2), { prompt: 2, generation: 2 });
});

test('given counts that are about as fast, when measured, then the smaller one is taken', async () => {
  const machine = new Machine((_, threads) => (threads === 1 ? 0.0505 : 0.05));
  assert.deepEqual(await machine.measure(2), { prompt: 1, generation: 1 });
});

test('given many cores, when few threads are hopeless, then not all of them are tried', async () => {
  const machine = new Machine((_, threads) => 1.6 / threads);
  await machine.measure(16);
  assert.ok(!machine.runs.includes('prompt 1'), machine.runs.join(', '));
});

test('given a large model, when one round takes longer than all should, then there is one round', async () => {
  const machine = new Machine(() => 5);
  await machine.measure(2);
  assert.deepEqual(machine.runs, ['prompt 2', 'prompt 1', 'generation 2', 'generation 1']);
});

test('given a meter that fails, when it is measured, then the failure is passed on', async () => {
  await assert.rejects(
    measureThreads({
      cores: 2,
      meter: () => Promise.reject(new Error('stopped')),
      now: () => 0,
      onProgress: () => undefined,
    }),
    /stopped/,
  );
});
