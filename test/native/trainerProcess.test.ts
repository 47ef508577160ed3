// The trainer as a process: its lines, its commands, its end by kill -9 and what comes after, and
// its answer to configurations that are wrong. Uses the real model: PREFLEXOR_TEST_MODEL.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TrainerScoreConfig, TrainerTrainConfig } from '../../server/src/protocol/trainer.ts';
import { golden } from './support/golden.ts';
import {
  libraries,
  linesOf,
  runTrainer,
  runTrainerWith,
  testModel,
  withFolder,
  type TrainerResult,
} from './support/trainer.ts';

/** A short run: the two shortest golden pairs, cut to a few dozen tokens. */
function shortRun(folder: string, changes: Partial<TrainerTrainConfig> = {}): TrainerTrainConfig {
  const records = [1, 6].map((index) => {
    const pair = golden.pairs[index];
    assert.ok(pair !== undefined);
    return {
      prompt: pair.prompt_ids.slice(-12),
      chosen: pair.chosen_ids.slice(0, 20),
      rejected: pair.rejected_ids.slice(0, 20),
    };
  });
  return {
    task: 'train',
    libraries,
    model: testModel(),
    precision: 'f32',
    out: path.join(folder, 'out'),
    loss: 'orpo',
    records,
    heldout: records.slice(0, 1),
    lora: { rank: 4, alpha: 8 },
    optimizer: { learningRate: 1e-3 },
    steps: 5,
    checkpointEvery: 2,
    seed: 7,
    ...changes,
  };
}

/** What a run computed, without what its clock said. */
function figures(result: TrainerResult): [number, number | null, number | null][] {
  return linesOf(result.lines, 'step').map((line) => [line.step, line.loss, line.grad_norm]);
}

function failure(result: TrainerResult): string | undefined {
  return linesOf(result.lines, 'failed')[0]?.code;
}

describe('given a short run', () => {
  /** One unbroken run, which several tests look at and none changes. */
  let folder = '';
  let unbroken: TrainerResult;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'preflexor-native-'));
    unbroken = await runTrainer(folder, shortRun(folder));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('when unbroken, then lines are in order, numbered, and the files are there', () => {
    assert.equal(unbroken.exitCode, 0);
    assert.deepEqual(
      unbroken.lines.map((line) => line.seq),
      unbroken.lines.map((_, index) => index),
    );
    assert.deepEqual(
      unbroken.lines.map((line) => line.event),
      'hello started step step checkpoint step step checkpoint step eval checkpoint done'.split(' '),
    );
    const losses = figures(unbroken).map(([, loss]) => loss ?? NaN);
    assert.ok((losses.at(-1) ?? NaN) < (losses[0] ?? NaN) - 0.1, losses.join(' '));
    const done = linesOf(unbroken.lines, 'done')[0];
    assert.ok(existsSync(done?.gguf ?? ''));
    assert.ok(existsSync(path.join(done?.peft ?? '', 'adapter_config.json')));
  });

  it('when killed with SIGKILL after a checkpoint and resumed, then the losses are those of an unbroken run', async () => {
    await withFolder(async (other) => {
      const killed = await runTrainer(other, shortRun(other), (line, child) => {
        if (line.event === 'step' && line.step === 3) child.kill('SIGKILL');
      });
      assert.equal(killed.exitCode, null);
      const resumed = await runTrainer(other, shortRun(other, { resume: true }));
      assert.equal(linesOf(resumed.lines, 'started')[0]?.resumed, true);
      const from = linesOf(resumed.lines, 'started')[0]?.step ?? NaN;
      assert.ok(from === 2 || from === 4, `resumed from step ${from}`);
      assert.deepEqual(figures(resumed), figures(unbroken).slice(from));
      const [theirs, ours] = await Promise.all(
        [other, folder].map((place) => readFile(path.join(place, 'out/adapter.gguf'))),
      );
      assert.deepEqual(theirs, ours);
    });
  });

  it('when told to pause, checkpoint, resume and stop, then it does so', async () => {
    await withFolder(async (folder) => {
      const config = shortRun(folder, { steps: 500, checkpointEvery: 0 });
      const result = await runTrainer(folder, config, (line, child) => {
        if (line.event === 'step' && line.step === 1) child.stdin.write('pause\nnonsense\n');
        if (line.event === 'paused') child.stdin.write('checkpoint\nresume\n');
        if (line.event === 'resumed') child.stdin.write('stop\n');
      });
      assert.equal(result.exitCode, 0);
      const events = result.lines.map((line) => line.event);
      const order = ['paused', 'checkpoint', 'resumed', 'done'].map((event) =>
        events.findIndex((other) => other === event),
      );
      assert.ok(!order.includes(-1), events.join(' '));
      assert.deepEqual(
        order,
        [...order].sort((left, right) => left - right),
      );
      assert.ok(events.includes('warning'));
      assert.equal(linesOf(result.lines, 'done')[0]?.stopped, true);
      assert.ok((linesOf(result.lines, 'done')[0]?.step ?? 500) < 500);
    });
  });

  it('when told to pause and to stop in the middle of a step, then the step is as if it had never begun', async () => {
    const long = shortRun('').records.map(({ prompt, chosen, rejected }) => {
      const longer = (ids: number[] = []) => Array.from({ length: 4 }, () => ids).flat();
      return { prompt, chosen: longer(chosen), rejected: longer(rejected) };
    });
    const config = (folder: string, resume: boolean) =>
      shortRun(folder, { records: long, heldout: [], steps: 2, checkpointEvery: 0, resume });
    await withFolder(async (whole) => {
      await withFolder(async (broken) => {
        const stopped = await runTrainer(broken, config(broken, false), (line, child) => {
          // Of a second and more.
          if (line.event === 'step') setTimeout(() => child.stdin.write('pause\n'), 300);
          if (line.event === 'paused') child.stdin.write('stop\n');
        });
        const done = linesOf(stopped.lines, 'done')[0];
        assert.deepEqual([done?.stopped, done?.step], [true, 1]);
        const resumed = await runTrainer(broken, config(broken, true));
        const unbroken = await runTrainer(whole, config(whole, false));
        assert.deepEqual([...figures(stopped), ...figures(resumed)], figures(unbroken));
      });
    });
  });

  it('when told to pause, to go on and to stop while it scores, then it does so', async () => {
    const records = Array.from({ length: 200 }, () => shortRun('').records).flat();
    const config: TrainerScoreConfig = { task: 'score', libraries, model: testModel(), records };
    await withFolder(async (place) => {
      const result = await runTrainer(place, config, (line, child) => {
        if (line.event === 'score' && line.index === 0) child.stdin.write('pause\n');
        if (line.event === 'paused') child.stdin.write('checkpoint\nresume\n');
        if (line.event === 'resumed') child.stdin.write('stop\n');
      });
      assert.equal(result.exitCode, 0);
      const scored = linesOf(result.lines, 'score').length;
      const done = linesOf(result.lines, 'done')[0];
      assert.deepEqual([done?.stopped, done?.records], [true, scored]);
      assert.ok(scored < records.length, 'it ended before its end');
    });
  });

  it('when resumed with other data, then it is refused and the checkpoint stays as it was', async () => {
    await withFolder(async (copy) => {
      await cp(folder, copy, { recursive: true });
      const checkpoint = path.join(copy, 'out/checkpoint.safetensors');
      const bytes = await readFile(checkpoint);
      const other = await runTrainer(copy, shortRun(copy, { steps: 7, seed: 8, resume: true }));
      assert.equal(other.exitCode, 1);
      assert.equal(failure(other), 'bad-checkpoint');
      assert.deepEqual(await readFile(checkpoint), bytes);
    });
  });

  it('when the adapter to start from overflows, then it fails as diverged and writes no adapter', async () => {
    await withFolder(async (folder) => {
      const adapter = path.join(folder, 'adapter');
      await mkdir(adapter);
      await writeFile(path.join(adapter, 'adapter_config.json'), '{"r": 1, "lora_alpha": 1}');
      await writeFile(path.join(adapter, 'adapter_model.safetensors'), overflowingAdapter());
      const { lora: _, ...config } = shortRun(folder);
      const result = await runTrainer(folder, { ...config, adapter });
      assert.equal(result.exitCode, 1);
      assert.equal(failure(result), 'diverged');
      const warning = linesOf(result.lines, 'warning')[0];
      assert.ok(warning?.nonFinite?.includes('grad_norm'), JSON.stringify(warning));
      assert.ok(!existsSync(path.join(folder, 'out/adapter.gguf')));
    });
  });
});

/** A LoRA of rank 1 on one linear map of SmolLM2, with values near the end of F32. */
function overflowingAdapter(): Buffer {
  const width = 576;
  const name = 'base_model.model.model.layers.3.self_attn.o_proj.lora_';
  const header = Buffer.from(
    JSON.stringify({
      [`${name}A.weight`]: { dtype: 'F32', shape: [1, width], data_offsets: [0, 4 * width] },
      [`${name}B.weight`]: { dtype: 'F32', shape: [width, 1], data_offsets: [4 * width, 8 * width] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const values = Buffer.from(new Float32Array(2 * width).fill(3e38).buffer);
  return Buffer.concat([length, header, values]);
}

describe('given what cannot work', () => {
  it('when the configuration or its files are wrong, then one line says so and the exit is 1', async () => {
    await withFolder(async (folder) => {
      const good = shortRun(folder);
      const broken = path.join(folder, 'broken.gguf');
      await writeFile(broken, await readFile(testModel()));
      await truncate(broken, 3_000_000);
      const empty = path.join(folder, 'empty.gguf');
      await writeFile(empty, '');
      const cases: [string, string | TrainerTrainConfig][] = [
        ['bad-config', '{'],
        ['bad-config', JSON.stringify({ ...good, steps: -1 })],
        ['bad-data', { ...good, records: [{ prompt: [1], chosen: [2], rejected: [49_152] }] }],
        ['bad-data', { ...good, records: [{ prompt: [1], chosen: [2] }] }],
        ['file', { ...good, model: path.join(folder, 'missing.gguf') }],
        ['file', { ...good, model: folder }],
        ['file', { ...good, model: empty }],
        ['bad-model', { ...good, model: broken }],
        ['libraries', { ...good, libraries: folder }],
      ];
      for (const [code, config] of cases) {
        const result = await runTrainer(folder, config);
        assert.equal(failure(result), code, JSON.stringify(result.lines));
        assert.equal(result.exitCode, 1);
        assert.equal(result.lines.at(-1)?.event, 'failed');
      }
    });
  });

  it('when called without arguments, then usage goes to stderr and the exit is 2', async () => {
    const result = await runTrainerWith([]);
    assert.equal(result.exitCode, 2);
    assert.match(result.stderr, /Usage/);
  });
});

describe('given the self-test', () => {
  it('when run, then every check passes', async () => {
    const result = await runTrainerWith(['--self-test', libraries]);
    assert.equal(result.exitCode, 0);
    const checks = linesOf(result.lines, 'self-test');
    assert.equal(checks.length, 7);
    assert.ok(checks.every((check) => check.passed));
  });
});
