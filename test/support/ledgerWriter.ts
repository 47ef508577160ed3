// A process that appends to a ledger until it is done or killed; see startWriter in ledgerExamples.ts.
import { writeSync } from 'node:fs';
import { watchedFileSystem } from './faultyDisk.ts';
import type { Watcher } from './faultyDisk.ts';
import { openLedger } from '../../server/src/preferences/index.ts';
import { decisionOf } from './ledgerExamples.ts';

interface Setting {
  workspaceRoot: string;
  home: string;
  name: string;
  count: number;
  /** The number of the ledger line (from 0) of which only half is written before the process kills itself. */
  tear?: number;
}

const setting = JSON.parse(process.argv[2] ?? '{}') as Setting;
const { workspaceRoot, home, name, count, tear } = setting;

let lines = 0;
let torn = false;
const tearing: Watcher = ({ operation, file, bytes }) => {
  if (torn) process.kill(process.pid, 'SIGKILL');
  if (operation !== 'write' || !file.endsWith('.jsonl')) return undefined;
  torn = lines === tear;
  lines += 1;
  return torn ? bytes >> 1 : undefined;
};

const ledger = await openLedger({
  workspaceRoot,
  home,
  staleMs: 2000,
  ...(tear !== undefined && { fileSystem: watchedFileSystem(tearing) }),
});
for (let index = 0; index < count; index += 1) {
  const { record, warning } = await ledger.append(decisionOf(`${name} ${index}`));
  if (warning !== null) process.stderr.write(`${warning}\n`);
  // Synchronously: what is acknowledged is said before anything else can happen.
  writeSync(1, `${record.id}\n`);
}
