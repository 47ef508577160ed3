// Chunks a second: the embedder, all the way through client and host, against a bare node-llama-cpp loop on the same
// texts with the same threads; and what share of the time goes into carrying texts and vectors between processes.
//   PREFLEXOR_TEST_EMBEDDER=FILE node bench/embedding.ts [--rounds=N] [--chunks=N] [--write]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { testEmbedder, testEmbedderFile } from '../test/support/testEmbedder.ts';
import type { BareEmbeddingResult } from './bareEmbedding.ts';
import { median, numberOption, report } from './measure.ts';

const rounds = numberOption('rounds', 5);
const chunks = numberOption('chunks', 128);
const never = new AbortController().signal;
const words =
  'gradient interface crack tip stress width layer nacre tablet protein film shear fibre matrix grain texture'.split(
    ' ',
  );

/** About 150 tokens each, no two alike. */
const texts = Array.from({ length: chunks }, (_, chunk) =>
  Array.from({ length: 140 }, (__, at) => words[(at * (chunk + 3) + chunk) % words.length]).join(' '),
);

async function bareLoop(threads: number) {
  const child = fork(join(import.meta.dirname, 'bareEmbedding.ts'), [testEmbedderFile(), String(threads)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return {
    run: async (): Promise<number> => {
      const answer = once(child, 'message');
      child.send(texts);
      const [seconds] = (await answer) as [BareEmbeddingResult];
      return seconds;
    },
    stop: () => {
      child.disconnect();
    },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const byThreads: Record<string, number>[] = [];
for (const threads of [...new Set([1, availableParallelism()])]) {
  const bare = await bareLoop(threads);
  const embedder = testEmbedder({ threads });
  await embedder.embed(texts.slice(0, 4), 'passage', never);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    // In turns, so that a disturbance meets both alike.
    theirs.push(await bare.run());
    ours.push(await timed(() => embedder.embed(texts, 'passage', never)));
  }
  bare.stop();
  await embedder.dispose();
  byThreads.push({
    threads,
    embedderChunksPerSecond: chunks / median(ours),
    bareChunksPerSecond: chunks / median(theirs),
    ratio: median(theirs) / median(ours),
  });
}

/** Vectors there and back over the channel, without a model: a host that answers at once. */
const empty = testEmbedder({
  hostModule: join(import.meta.dirname, '../server/src/engine/llama/testing/wideHost.ts'),
});
await empty.embed(texts.slice(0, 4), 'passage', never);
const carried: number[] = [];
for (let round = 0; round < rounds; round++) {
  carried.push(await timed(() => empty.embed(texts, 'passage', never)));
}
await empty.dispose();
await report('embedding', {
  chunks,
  rounds,
  byThreads,
  carryingMillisecondsPerChunk: (1000 * median(carried)) / chunks,
});
