// Decisions that were acknowledged and are lost when the writing process is killed (SIGKILL) at a random moment:
// there must be none. Each kill has a workspace of its own, and the next process goes on in it.
//   node bench/ledgerKills.ts [--kills=1000] [--lanes=4] [--write]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../server/src/preferences/index.ts';
import { decisionOf, startWriter } from '../test/support/ledgerExamples.ts';
import { numberOption, report } from './measure.ts';

const kills = numberOption('kills', 1000);
const lanes = Math.max(1, numberOption('lanes', 4));
/** The kill comes after so many acknowledgements, and then so many milliseconds, at most. */
const mostBefore = 25;
const mostWaitMs = 12;

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-kills-'));
const sum = { killed: 0, acknowledged: 0, lost: 0, unacknowledgedKept: 0, tornLines: 0, endedBefore: 0 };

async function killOnce(round: number): Promise<void> {
  const root = join(folder, `${round}`);
  await mkdir(root);
  const where = { workspaceRoot: root, home: join(root, '.home') };
  const killAfter = 1 + Math.floor(Math.random() * mostBefore);
  const killed = await startWriter({ ...where, name: 'killed', count: 10_000 }, (soFar, kill) => {
    if (soFar === killAfter) setTimeout(kill, Math.random() * mostWaitMs);
  });
  if (killed.signal === 'SIGKILL') sum.killed += 1;
  else sum.endedBefore += 1;
  // The next process has to wait for the dead one's lock, and to mend the line that it tore.
  const next = await openLedger({ ...where, staleMs: 2000 });
  const { record, warning } = await next.append(decisionOf('next'));
  if (warning !== null) throw new Error(warning);
  const { records, problems } = await next.read();
  const kept = new Set(records.map(({ id }) => id));
  const acknowledged = [...killed.acknowledged, record.id];
  sum.acknowledged += acknowledged.length;
  sum.lost += acknowledged.filter((id) => !kept.has(id)).length;
  sum.unacknowledgedKept += kept.size - acknowledged.filter((id) => kept.has(id)).length;
  sum.tornLines += problems.length;
  await rm(root, { recursive: true, force: true });
}

try {
  let round = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (round < kills) await killOnce((round += 1));
    }),
  );
  await report('ledgerKills', { kills, ...sum, goal: { lost: 0 } });
  if (sum.lost > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
