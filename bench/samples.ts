// How fast self-teaching makes its samples: samples an hour and the share that is kept, and the tokens a second that it
// writes, against the bare loop of bench/bareLoop.ts on the same threads, which reads no prompts meanwhile.
//   PREFLEXOR_TEST_MODEL=FILE node bench/samples.ts [--samples=8] [--threads=2] [--write]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { repository } from '../scripts/setup/paths.ts';
import { DatasetSample } from '../server/src/protocol/index.ts';
import { preflexor } from '../test/cli/support.ts';
import { ownHome } from '../test/support/ownHome.ts';
import type { BareRequest, BareResult } from './bareLoop.ts';
import { numberOption, report } from './measure.ts';

const papers = ['kanapy', 'autoeis', 'simcardems'];

const samples = numberOption('samples', 8);
const threads = numberOption('threads', 2);
const model = process.env['PREFLEXOR_TEST_MODEL'] ?? '';

/** Lines that the command line prints. @throws where it fails */
async function linesOf(home: string, ...args: readonly string[]): Promise<string[]> {
  const how = ['--model', model, '--gpu', 'cpu', '--threads', String(threads), '--json'];
  const { code, stdout, stderr } = await preflexor([...args, ...how], { env: { PREFLEXOR_HOME: home } });
  if (code !== 0) throw new Error(`preflexor ${args.join(' ')} ended with ${String(code)}. ${stderr}`);
  return stdout.trim().split('\n');
}

async function bareTokensPerSecond(): Promise<number> {
  const child = fork(join(import.meta.dirname, 'bareLoop.ts'), [model, '2048', String(threads)]);
  await once(child, 'message');
  const request: BareRequest = { prompt: 'Texture is', maxTokens: 256, limitMs: 60_000 };
  const answer = once(child, 'message') as Promise<[BareResult]>;
  child.send(request);
  const [{ generated, restMs }] = await answer;
  child.disconnect();
  return ((generated - 1) * 1000) / restMs;
}

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-samples-'));
try {
  const home = await ownHome(join(folder, 'home'));
  const notes = join(folder, 'notes');
  for (const paper of papers)
    await cp(join(repository, 'test/fixtures/corpus', paper), join(notes, paper), { recursive: true });
  await linesOf(home, 'index', notes, '--workspace', notes);
  const made = await linesOf(
    home,
    ...['dataset', 'generate', '--samples', String(samples), '--preset', 'quick'],
    ...['--out', join(folder, 'pairs.jsonl'), '--workspace', notes],
  );
  const all = made
    .map((line) => JSON.parse(line) as { event: string })
    .filter(({ event }) => event === 'sample')
    .map((event) => DatasetSample.parse(event));
  const seconds = all.reduce((sum, one) => sum + one.seconds, 0);
  const generated = all.reduce((sum, one) => sum + one.generated, 0);
  const bare = await bareTokensPerSecond();
  await report('samples', {
    ...{ model: basename(model), threads, attempts: all.length, kept: all.filter(({ kept }) => kept).length },
    ...{ samplesPerHour: (all.length * 3600) / seconds, tokensPerSample: generated / all.length },
    tokensPerSecond: { ours: generated / seconds, bare, ratio: generated / seconds / bare },
  });
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
