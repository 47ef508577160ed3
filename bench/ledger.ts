// Replaying a long ledger: seconds and memory to read it, and to derive all its preference pairs.
//   node bench/ledger.ts [--entries=100000] [--write]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { derivePairs, openLedger } from '../server/src/preferences/index.ts';
import type { LedgerRecord } from '../server/src/protocol/index.ts';
import { decisionOf } from '../test/support/ledgerExamples.ts';
import { numberOption, report } from './measure.ts';

const entries = numberOption('entries', 100_000);
const never = new AbortController().signal;
const device = 'device01';
const kinds = ['accept-edited', 'reject', 'regenerate', 'accept', 'offer'] as const;
const words =
  'grain boundary slip stops strength steel texture hardening crystal lattice energy defect'.split(' ');

/** A sentence or two, as many words as `count`, no two alike: each begins with its own number. */
function prose(seed: number, count: number): string {
  const rest = Array.from(
    { length: count - 1 },
    (_, at) => words[(seed * 7 + at * (1 + (seed % 11))) % words.length],
  );
  return [seed, ...rest].join(' ');
}

/** About 1.7 kB each: four decisions a paragraph, in notes of fifty paragraphs. */
function lineOf(n: number): string {
  const subject = Math.floor(n / 4);
  const offered = prose(n, 60);
  const { texts, ...decision } = decisionOf('Why?', {
    block: `block${n}`,
    kind: kinds[n % kinds.length] ?? 'offer',
  });
  const record: LedgerRecord = {
    ...{
      schema: 1,
      id: `01JDF3Z${String(n).padStart(19, '0')}`,
      time: new Date(1e12 + n * 1000).toISOString(),
      device,
    },
    ...decision,
    texts: {
      ...{ ...texts, paragraph: `${subject} ${prose(subject, 50)}`, thinking: prose(n + 1, 30) },
      ...{ reflection: prose(n + 2, 20), offered, result: `${offered} indeed` },
    },
    note: { ...decision.note, path: `notes/${Math.floor(subject / 50)}.md` },
  };
  return `${JSON.stringify(record)}\n`;
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-ledger-'));
try {
  const ledgerFolder = join(folder, 'workspace', '.preflexor', 'ledger');
  await mkdir(ledgerFolder, { recursive: true });
  const file = join(ledgerFolder, `${device}.jsonl`);
  let bytes = 0;
  async function* lines() {
    for (let n = 0; n < entries; n += 1) {
      const line = lineOf(n);
      bytes += Buffer.byteLength(line);
      yield line;
    }
    await Promise.resolve();
  }
  await writeFile(file, lines());
  const resting = process.memoryUsage.rss();
  let started = performance.now();
  let used = process.cpuUsage();
  const ledger = await openLedger({
    workspaceRoot: join(folder, 'workspace'),
    home: join(folder, 'home'),
    device,
  });
  const { records, problems } = await ledger.read();
  const readSeconds = (performance.now() - started) / 1000;
  if (records.length !== entries || problems.length > 0) throw new Error('The ledger was not read whole.');
  const afterReading = process.memoryUsage.rss();
  const readCpuSeconds = cpuSeconds(used);
  started = performance.now();
  used = process.cpuUsage();
  const history = { records, runs: new Map(), notes: new Map() };
  const pairs = await derivePairs(
    history,
    { now: Date.now(), quietMs: 0, split: { share: 0.1, since: null } },
    never,
  );
  await report('ledger', {
    entries,
    megabytes: bytes / 1e6,
    readSeconds,
    /** Of all threads: on a machine that is busy otherwise it says more than the time on the wall. */
    readCpuSeconds,
    /** Resident memory that reading added, and the most that the process had. */
    readMegabytes: (afterReading - resting) / 1e6,
    deriveSeconds: (performance.now() - started) / 1000,
    deriveCpuSeconds: cpuSeconds(used),
    pairs: pairs.length,
    peakMegabytes: process.resourceUsage().maxRSS / 1000,
    goal: { readSeconds: 2, readMegabytes: 300 },
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
