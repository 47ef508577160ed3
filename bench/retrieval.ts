// The index at several sizes: search p50/p95 with recall@10 against exact search, ours against bare LanceDB on
// the same table, building time, memory, bytes per chunk. A million rows take about ten minutes and 4 GB of disk.
//   node bench/retrieval.ts [--rows 1000,20000,200000,1000000] [--base-vectors FILE] [--write]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { report } from './measure.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000,20000,200000,1000000' },
    'base-vectors': { type: 'string' },
    write: { type: 'boolean' },
  },
});
const sizes = values.rows.split(',').map(Number);
if (sizes.some((size) => !Number.isInteger(size) || size < 100))
  throw new Error('--rows takes whole numbers from 100 on, separated by commas.');

/** Not in the system's temporary folder: that may be in memory. */
const cache = join(import.meta.dirname, '..', '.cache');
await mkdir(cache, { recursive: true });

const results: unknown[] = [];
for (const size of sizes) {
  const folder = await mkdtemp(join(cache, 'bench-retrieval-'));
  try {
    const base = values['base-vectors'];
    const child = fork(
      join(import.meta.dirname, 'retrievalRun.ts'),
      [folder, String(size), ...(base === undefined ? [] : [base])],
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    let result: unknown;
    child.on('message', (message) => {
      result = message;
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0 || result === undefined)
      throw new Error(`${size} rows did not run through (${String(code)}).`);
    results.push(result);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
await report('retrieval', {
  vectors: values['base-vectors'] === undefined ? 'seeded' : 'stored ones, perturbed',
  sizes: results,
});
