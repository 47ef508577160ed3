// How much a whole `index` run costs beside the embedding itself: passages per second against a bare loop over the
// same texts, what an unchanged index costs to look at again, stalls of the event loop, and memory.
//   node bench/indexing.ts [--chunks N] [--rounds N] [--parts FILE] [--write]
// FILE's default export opens the parts that are measured (BenchPartsOf); without it they are those that are shipped.
// bench/indexingParts.ts has small ones whose embedder sleeps: they show whether the stages overlap.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Embedder } from '../server/src/retrieval/ports.ts';
import {
  IndexSession,
  WorkspaceWalker,
  defaultLimits,
  everything,
  scan,
  type DocumentChunker,
  type DocumentReader,
  type OpenedIndex,
} from '../server/src/retrieval/index.ts';
import { growCorpus } from './growCorpus.ts';
import { median, report } from './measure.ts';

/** What is measured. */
export interface BenchParts {
  /** In words, for the result. */
  readonly name: string;
  readonly reader: DocumentReader;
  readonly chunker: DocumentChunker;
  readonly embedder: Embedder;
  /** An index in a folder of its own, empty when the folder is. */
  openIndex(home: string): Promise<OpenedIndex>;
  dispose(): Promise<void>;
}
export type BenchPartsOf = () => Promise<BenchParts>;

const signal = new AbortController().signal;
const settings = {
  editorExcludes: [],
  include: ['**/*.md'],
  exclude: [],
  maxFileBytes: 50_000_000,
};

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    parts: { type: 'string', default: join(import.meta.dirname, 'realParts.ts') },
    write: { type: 'boolean' },
  },
});
const { default: partsOf } = (await import(pathToFileURL(resolve(values.parts)).href)) as {
  default: BenchPartsOf;
};

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-indexing-'));
const parts = await partsOf();
try {
  const notes = join(folder, 'notes');
  const grown = await growCorpus(notes, Number(values.chunks));
  const texts = await textsOf(notes, parts);
  await parts.embedder.embed(texts.slice(0, 1), 'passage', signal);
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    rounds.push(await measureRound(join(folder, `index ${round}`), notes, texts, parts));
  }
  const ratios = rounds.map(({ index, bare }) => index.chunksPerSecond / bare.chunksPerSecond);
  await report('indexing', {
    parts: parts.name,
    ...grown,
    chunks: texts.length,
    rounds,
    ratioMedian: median(ratios),
    goal: 0.95,
    scan: await measureScan(notes),
  });
} finally {
  await parts.dispose();
  await rm(folder, { recursive: true, force: true });
}

/** All texts that an index run embeds, in the order of the notes. */
async function textsOf(notes: string, { reader, chunker }: BenchParts): Promise<string[]> {
  const walker = new WorkspaceWalker(notes, settings);
  const { files } = await scan(walker, { signal });
  const texts: string[] = [];
  for (const path of [...files.keys()].sort()) {
    const read = await walker.read(path);
    const result = read && (await reader.read(path, read.bytes, () => Promise.resolve(null), signal));
    if (!result || !('document' in result)) throw new Error(`${path} was not read`);
    const chunks = await chunker.chunk(result.document, 0, signal);
    texts.push(...chunks.map((chunk) => chunker.embeddedText(chunk)));
  }
  return texts;
}

async function measureRound(home: string, notes: string, texts: readonly string[], bench: BenchParts) {
  const bare = await timed(async () => {
    const size = defaultLimits.textsPerCall;
    for (let at = 0; at < texts.length; at += size) {
      await bench.embedder.embed(texts.slice(at, at + size), 'passage', signal);
    }
  });
  await mkdir(home, { recursive: true });
  const session = new IndexSession({
    ...bench,
    openIndex: () => bench.openIndex(home),
    exclusively: (work) => work(),
  });
  const run = { walker: new WorkspaceWalker(notes, settings) };
  const first = await timed(() => session.run(everything, run, signal));
  const again = await turnsOf(() => session.run(everything, run, signal));
  await session.close();
  if (first.result.embedded !== texts.length)
    throw new Error(`${first.result.embedded} of ${texts.length} embedded`);
  return {
    bare: { seconds: bare.seconds, chunksPerSecond: texts.length / bare.seconds },
    index: {
      seconds: first.seconds,
      chunksPerSecond: texts.length / first.seconds,
      longestStallMs: first.longestStallMs,
      peakMegabytes: first.peakMegabytes,
    },
    again: { seconds: again.seconds, embedded: again.result.embedded, longestTurnMs: again.longestTurnMs },
  };
}

async function measureScan(notes: string) {
  const walker = new WorkspaceWalker(notes, settings);
  const { result, seconds, longestTurnMs } = await turnsOf(() => scan(walker, { signal }));
  return { files: result.files.size, seconds, longestTurnMs };
}

/** The most processor time that one turn of the event loop took: other programs on the machine do not count. */
async function turnsOf<T>(work: () => Promise<T>) {
  let longest = 0;
  let going = true;
  let last = process.threadCpuUsage();
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    longest = Math.max(longest, (user + system) / 1000);
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  const started = performance.now();
  const result = await work();
  going = false;
  return { result, seconds: (performance.now() - started) / 1000, longestTurnMs: longest };
}

/** Wall-clock time, the longest time in which the event loop did nothing else, and the most memory that was held. */
async function timed<T>(work: () => Promise<T>) {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  let peak = process.memoryUsage().rss;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 100);
  delays.enable();
  const started = performance.now();
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  delays.disable();
  clearInterval(sampler);
  return { result, seconds, longestStallMs: delays.max / 1e6, peakMegabytes: peak / 1e6 };
}
