import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostQueue } from './hostQueue.ts';

/** A job that ends when its test says so, or when it is aborted. */
class Job {
  readonly #log: string[];
  readonly #name: string;
  finish: () => void = () => undefined;

  constructor(log: string[], name: string) {
    this.#log = log;
    this.#name = name;
  }

  readonly run = async (signal: AbortSignal): Promise<void> => {
    this.#log.push(`${this.#name} ${signal.aborted ? 'aborted' : 'starts'}`);
    if (!signal.aborted) await this.#untilOver(signal);
  };

  async #untilOver(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.finish = resolve;
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    this.#log.push(`${this.#name} ${signal.aborted ? 'stops' : 'ends'}`);
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('given three requests, when they come at once, then they run one after the other in that order', async () => {
  const log: string[] = [];
  const queue = new HostQueue();
  const jobs = ['a', 'b', 'c'].map((name) => new Job(log, name));
  for (const [at, job] of jobs.entries()) queue.add(at, job.run);
  for (const job of jobs) {
    await settle();
    job.finish();
  }
  await settle();
  assert.deepEqual(log, ['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
});

test('given a request that waits, when it is cancelled, then it answers at once and the running one goes on', async () => {
  const log: string[] = [];
  const queue = new HostQueue();
  const [a, b] = [new Job(log, 'a'), new Job(log, 'b')];
  queue.add(1, a.run);
  queue.add(2, b.run);
  queue.cancel(2);
  assert.deepEqual(log, ['a starts', 'b aborted']);
  a.finish();
  await settle();
  assert.deepEqual(log, ['a starts', 'b aborted', 'a ends']);
});

test('given a running request, when it is cancelled, then it stops and the next one starts', async () => {
  const log: string[] = [];
  const queue = new HostQueue();
  const [a, b] = [new Job(log, 'a'), new Job(log, 'b')];
  queue.add(1, a.run);
  queue.add(2, b.run);
  queue.cancel(1);
  queue.cancel(77);
  await settle();
  assert.deepEqual(log, ['a starts', 'a stops', 'b starts']);
  b.finish();
});
