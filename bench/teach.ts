// Self-teaching from nothing to the gate's verdict, whatever it is, in one command on one machine: the notes are indexed,
// samples made, phase I and phase II trained and judged. Minutes of each part; with `--write` the run's own report and its
// curves go to bench/results/teach. What was broken off goes on in its `--folder`.
//   PREFLEXOR_TEST_MODEL=FILE node bench/teach.ts [--samples=64] [--threads=2] [--folder=DIR] [--write]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { repository } from '../scripts/setup/paths.ts';
import { TeachReport, TeachingLine, WatchFinding } from '../server/src/protocol/index.ts';
import { ownHome } from '../test/support/ownHome.ts';
import { numberOption, report, resultsFolder, textOption } from './measure.ts';

const samples = numberOption('samples', 64);
const threads = numberOption('threads', 2);
const model = process.env['PREFLEXOR_TEST_MODEL'] ?? '';

/** When the run came to a part of its way (milliseconds since the epoch); a process begins with `index`. */
const Passed = z.object({ time: z.number(), part: z.string() });
type Passed = z.infer<typeof Passed>;

const named = textOption('folder');
const folder = named ? resolve(named) : await mkdtemp(join(tmpdir(), 'preflexor-bench-teach-'));
const places = {
  notes: join(folder, 'notes'),
  run: join(folder, 'run'),
  passed: join(folder, 'passed.jsonl'),
};

/** One start of `preflexor teach`, followed to its end. @returns why the watch list paused it; null: it came to its verdict */
async function teach(home: string, ignored: readonly string[]): Promise<string | null> {
  const pass = (part: string): Promise<void> =>
    appendFile(places.passed, `${JSON.stringify({ time: Date.now(), part } satisfies Passed)}\n`);
  await pass('index');
  const child = spawn(
    process.execPath,
    [
      ...[join(repository, 'dist/cli.js'), 'teach', places.notes, '--workspace', places.notes],
      ...['--preset', 'quick', '--samples', String(samples), '--out', places.run, '--json'],
      // Five short papers hold few passages: each is asked from more often than it would be among many.
      ...['--set', 'dataset.perChunk=10'],
      ...['--model', model, '--gpu', 'cpu', '--threads', String(threads)],
      ...(ignored.length > 0 ? ['--ignore', ignored.join(',')] : []),
    ],
    { env: { ...process.env, PREFLEXOR_HOME: home }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close') as Promise<[number | null]>;
  let paused: string | null = null;
  for await (const text of createInterface({ input: child.stdout })) {
    const { data: line } = TeachingLine.safeParse(JSON.parse(text));
    if (line?.event === 'stage') await pass(`phase ${line.phase}: ${line.stage}`);
    if (line?.event === 'failed' && line.code === 'paused') paused = line.message;
  }
  const [code] = await ended;
  await pass('end');
  if (code !== 0 && paused === null) throw new Error(`preflexor teach ended with ${String(code)}.`);
  return paused;
}

/** Minutes of each part, over all starts. Between a start that was broken off and the next one no part goes on. */
async function minutesOfParts(): Promise<Record<string, number>> {
  const lines = (await readFile(places.passed, 'utf8')).trim().split('\n');
  const passed = lines.map((line) => Passed.parse(JSON.parse(line)));
  const minutes: Record<string, number> = {};
  for (const [at, { part, time }] of passed.entries()) {
    const next = passed[at + 1];
    if (part === 'end' || !next || next.part === 'index') continue;
    minutes[part] = (minutes[part] ?? 0) + (next.time - time) / 60_000;
  }
  return minutes;
}

try {
  await mkdir(folder, { recursive: true });
  const home = await ownHome(join(folder, 'home'));
  await cp(join(repository, 'test/fixtures/corpus'), places.notes, { recursive: true });
  const pauses: string[] = [];
  for (;;) {
    const paused = await teach(home, pauses.length > 0 ? WatchFinding.shape.name.options : []);
    if (paused === null) break;
    // The verdict is wanted, whatever it is.
    pauses.push(paused);
  }
  const whole = TeachReport.parse(JSON.parse(await readFile(join(places.run, 'report.json'), 'utf8')));
  const minutes = await minutesOfParts();
  await report('teach', {
    ...{ model: basename(model), threads, samples, pauses, minutes },
    minutesInAll: Object.values(minutes).reduce((sum, one) => sum + one, 0),
    phases: whole.phases.map(({ phase, samples: attempts, kept, verdict, failed }) => ({
      ...{ phase, attempts, kept, offered: verdict?.offered ?? false, why: verdict?.why ?? failed },
      checks: verdict?.checks ?? [],
    })),
    ...{ offered: whole.offered, plots: whole.plots },
  });
  if (process.argv.includes('--write')) {
    const kept = join(resultsFolder, 'teach');
    await rm(kept, { recursive: true, force: true });
    for (const name of ['report.md', ...whole.plots])
      await cp(join(places.run, name), join(kept, name), { recursive: true });
  }
} finally {
  if (!named) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
