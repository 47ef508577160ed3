// A folder of 20,000 short notes in the editor: how long a fold and a lens take after a key press while the language
// server looks for them and indexes them, and when the folder is opened again. Embedding all of them takes the better
// part of an hour on two cores: each opening is watched for some minutes, and how far it came is told.
//   node bench/manyNotes.ts [--notes N] [--minutes M] [--write]   after `npm run build`, with the embedder in .cache
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { indexStatusRequest, type IndexStatus } from '../server/src/protocol/index.ts';
import { LspClient } from '../test/support/lspClient.ts';
import { growCorpus } from './growCorpus.ts';
import { median, percentile, report } from './measure.ts';

/** Between two key presses, as a person types. */
const keyPressMs = 250;

const { values } = parseArgs({
  options: {
    notes: { type: 'string', default: '20000' },
    minutes: { type: 'string', default: '3' },
    write: { type: 'boolean' },
  },
});

async function statusOf(client: LspClient): Promise<IndexStatus | undefined> {
  const answer = await client.request('preflexor/indexStatus', {});
  return indexStatusRequest.result.parse(answer).folders[0];
}

/** Types into the note until `isOver`. @returns milliseconds of each of folds and lenses after each key press */
async function typeUntil(
  client: LspClient,
  uri: string,
  isOver: (status: IndexStatus) => boolean,
): Promise<number[]> {
  const times: number[] = [];
  for (;;) {
    const start = { line: 0, character: 0 };
    await client.change(uri, { range: { start, end: start }, newText: 'x' });
    for (const method of ['textDocument/foldingRange', 'textDocument/codeLens']) {
      const before = performance.now();
      await client.request(method, { textDocument: { uri } });
      times.push(performance.now() - before);
    }
    await delay(keyPressMs);
    const status = await statusOf(client);
    if (status?.state === 'failed') throw new Error(status.message ?? 'The index failed.');
    if (status && isOver(status)) return times;
  }
}

interface Opened {
  readonly seconds: number;
  readonly status: IndexStatus;
  readonly times: readonly number[];
  /** Largest resident memory of the language server. */
  readonly serverMegabytes: number;
}

/** Opens the folder as an editor does, and types until the index is at rest, or the minutes are over. */
async function open(folder: string, home: string, chunks: number): Promise<Opened> {
  const isLate = () => performance.now() - started > Number(values.minutes) * 60_000;
  const started = performance.now();
  const client = await LspClient.start({
    folders: [folder],
    settings: { retrieval: { enabled: true } },
    env: { PREFLEXOR_HOME: home },
  });
  try {
    const uri = await client.open(join(folder, 'draft.md'));
    const times = await typeUntil(
      client,
      uri,
      (now) => isLate() || (now.state === 'idle' && now.chunks >= chunks),
    );
    const status = await statusOf(client);
    if (!status) throw new Error('There is no index.');
    const seconds = (performance.now() - started) / 1000;
    return { seconds, status, times, serverMegabytes: await peakMegabytes(client.process.pid) };
  } finally {
    await client.stop();
  }
}

async function peakMegabytes(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1] ?? NaN) / 1024;
}

function inWords({ seconds, status, times, serverMegabytes }: Opened): Record<string, unknown> {
  return {
    ...{ seconds, files: status.files, chunks: status.chunks, serverMegabytes, requests: times.length },
    foldsAndLensesMs: { median: median(times), p95: percentile(times, 0.95), longest: Math.max(...times) },
  };
}

const place = await mkdtemp(join(tmpdir(), 'preflexor-bench-notes-'));
try {
  const folder = join(place, 'notes');
  const wanted = Number(values.notes);
  await growCorpus(folder, wanted, 1, { wordsPerSection: 12, sectionsPerNote: 1 });
  await writeFile(join(folder, 'draft.md'), '# Draft\n\nA paragraph that is being written.\n');
  const home = join(place, 'home');
  await cp(join(process.env['PREFLEXOR_HOME'] ?? '', 'models'), join(home, 'models'), { recursive: true });
  const first = await open(folder, home, wanted);
  const again = await open(folder, home, wanted);
  await report('manyNotes', {
    notes: wanted,
    indexing: inWords(first),
    openedAgain: inWords(again),
    goal: 'no request longer than 250 ms',
  });
} finally {
  await rm(place, { recursive: true, force: true });
}
