// A job's folder under real TRL: before the first step it gets what the native trainer gets, it trains, and its adapter
// comes back, goes out again and still means the same. Needs python3, a package index once, and the built program.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { GateVerdict, TrainingJob } from '../../server/src/protocol/index.ts';
import { preflexor } from '../cli/support.ts';
import { trlPython } from './trlPython.ts';

const run = promisify(execFile);
const model = process.env['PREFLEXOR_TEST_MODEL'] ?? '';
const golden = path.join(import.meta.dirname, '..', 'fixtures', 'golden');

const Checked = z.object({ agrees: z.boolean(), largest: z.number(), found: z.array(z.unknown()) });

async function linesOf(name: string, count: number): Promise<string> {
  const lines = (await readFile(path.join(golden, name), 'utf8')).split('\n').slice(0, count);
  return lines.map((line) => `${line}\n`).join('');
}

async function setUp(t: TestContext) {
  const python = await trlPython();
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-job-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const pairs = path.join(folder, 'pairs.jsonl');
  const heldout = path.join(folder, 'heldout.jsonl');
  await writeFile(pairs, await linesOf('style-train.jsonl', 3));
  await writeFile(heldout, await linesOf('style-heldout.jsonl', 2));
  const env = { PREFLEXOR_HOME: path.join(folder, 'home') };

  async function command(...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await preflexor(
      [...args, '--model', model, '--threads', '1', '--json'],
      {
        env,
      },
    );
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }
  return {
    ...{ folder, heldout, command },
    async exportJob(name: string, ...options: readonly string[]): Promise<TrainingJob> {
      const target = path.join(folder, name);
      const written = await command('export-job', target, '--pairs', pairs, '--checks', '3', ...options);
      return z.object({ job: TrainingJob }).parse(written).job;
    },
    async train(name: string, ...options: readonly string[]): Promise<string> {
      const { stdout } = await run(
        python,
        [path.join(folder, name, 'train.py'), '--gguf', model, '--no-checkpointing', ...options],
        { env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' }, maxBuffer: 1e8 },
      );
      return stdout.trim().split('\n').at(-1) ?? '';
    },
    async check(name: string, dtype: string): Promise<number> {
      const { agrees, largest, found } = Checked.parse(
        JSON.parse(await this.train(name, '--check', '--dtype', dtype)),
      );
      t.diagnostic(`${name}, ${dtype}: largest difference ${largest.toExponential(2)} nats`);
      assert.ok(agrees, JSON.stringify(found));
      return largest;
    },
  };
}

test('given a job in ORPO, when TRL runs it, then its first losses are the native trainer’s, and its adapter goes through import and gate into a job in EXO that agrees too', async (t) => {
  const job = await setUp(t);
  const first = await job.exportJob('orpo', '--phase', '1', '--steps', '2', '--rank', '8');
  assert.equal(first.expected.length, 3);
  await job.check('orpo', 'float32');
  await job.check('orpo', 'bfloat16');
  // A mask over a part of the likelihood term too, which TRL itself does not have.
  await job.exportJob('orpo-masked', '--phase', '1', '--steps', '2', '--mask', 'thinking');
  await job.check('orpo-masked', 'float32');

  await job.train('orpo');
  const { id } = z
    .object({ id: z.string() })
    .parse(await job.command('adapters', 'import', path.join(job.folder, 'orpo', 'adapter')));
  const verdict = GateVerdict.parse(
    await job.command('adapters', 'judge', id, '--phase', '1', '--pairs', job.heldout),
  );
  assert.match(verdict.why, /There are 2 held-out pairs/);

  const masked = ['--mask', 'thinking+reflection', '--steps', '1'];
  const exo = await job.exportJob('exo', '--phase', '2', '--adapter', id, ...masked);
  assert.deepEqual([exo.start, exo.reference], ['start', 'start']);
  await job.check('exo', 'float32');
  // Compared with another adapter than it starts from, so that the loss is not that of no difference.
  for (const loss of ['exo_pair', 'dpo', 'ipo']) {
    const other = await job.exportJob(loss, '--loss', loss, '--reference', id, ...masked);
    assert.deepEqual([other.start, other.reference], [null, 'reference']);
    await job.check(loss, 'float32');
  }
});
