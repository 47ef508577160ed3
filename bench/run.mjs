// All benchmarks, one after the other, each alone on the machine: `npm run bench [-- --write]`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const benchmarks = [
  'generation',
  'recursion',
  'embedding',
  'readers',
  'indexing',
  'manyNotes',
  'retrieval',
  'retrievalQuality',
  'graphExport',
  'ledger',
  'ledgerKills',
  'webview/board',
  'server',
  'activation',
];
const failed = benchmarks.filter((name) => {
  process.stdout.write(`\n── ${name} ──\n`);
  const file = join(import.meta.dirname, `${name}.ts`);
  return spawnSync(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) {
  console.error(`These did not run through: ${failed.join(', ')}`);
  process.exitCode = 1;
}
