// The trainer's process against hostile input: cut and damaged models and configurations, and nonsense on its
// stdin. Always a last line `failed` and exit 1 (or a run that ends well), never a crash or a hang. With the
// sanitizers: PREFLEXOR_TRAINER=native/build-sanitize/preflexor-trainer.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { TrainerTrainConfig } from '../../server/src/protocol/trainer.ts';
import { libraries, runTrainer, runTrainerWith, withFolder, type TrainerResult } from './support/trainer.ts';

/** Reproducible: a linear congruential generator. */
function random(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % bound;
  };
}

function run(model: string, out: string): TrainerTrainConfig {
  const records = [{ prompt: [3, 4, 5], chosen: [6, 7, 8, 9], rejected: [10, 11] }];
  return { task: 'train', libraries, model, out, loss: 'orpo', records, steps: 2, lora: { rank: 2 } };
}

async function tinyModel(folder: string): Promise<string> {
  const file = path.join(folder, 'tiny.gguf');
  assert.equal((await runTrainerWith(['--tiny-model', 'gemma3', file])).exitCode, 0);
  return file;
}

/** A file that is written over is flushed to the disk by some file systems, which takes longer than the run. */
async function writeAnew(file: string, bytes: Uint8Array): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, bytes);
}

/** Ended by itself, by its own words. */
function assertOrderly(result: TrainerResult, what: string): void {
  const last = result.lines.at(-1);
  const orderly =
    result.exitCode === 0 ? last?.event === 'done' : result.exitCode === 1 && last?.event === 'failed';
  assert.ok(orderly, `${what}: exit ${result.exitCode}, ${JSON.stringify(last)} ${result.stderr}`);
}

describe('given hostile input', () => {
  it('when a model is cut anywhere, then the run fails with a line', async () => {
    await withFolder(async (folder) => {
      const whole = await readFile(await tinyModel(folder));
      const file = path.join(folder, 'cut.gguf');
      for (const share of [0, 0.0001, 0.01, 0.05, 0.1, 0.3, 0.6, 0.9, 0.9999]) {
        await writeAnew(file, whole.subarray(0, Math.floor(whole.length * share)));
        const result = await runTrainer(folder, run(file, path.join(folder, 'out')));
        assertOrderly(result, `${share} of the file`);
        assert.equal(result.exitCode, 1);
      }
    });
  });

  it('when numbers in a model are made huge, then the run ends with a line', async () => {
    await withFolder(async (folder) => {
      const whole = await readFile(await tinyModel(folder));
      const file = path.join(folder, 'huge.gguf');
      const below = random(3);
      for (let round = 0; round < 30; round++) {
        const bytes = Buffer.from(whole);
        // The counts of tensors and values come first; half of the rounds aim at them.
        const position = round % 2 === 0 ? 8 + below(16) : 24 + below(2000);
        bytes.writeBigUInt64LE(0xffff_ffff_ffff_ffffn >> BigInt(below(40)), position);
        await writeAnew(file, bytes);
        assertOrderly(await runTrainer(folder, run(file, path.join(folder, 'out'))), `byte ${position}`);
      }
    });
  });

  it('when the configuration is damaged, then the run ends with a line', async () => {
    await withFolder(async (folder) => {
      const model = await tinyModel(folder);
      const good = JSON.stringify(run(model, path.join(folder, 'out')));
      const below = random(4);
      for (let round = 0; round < 30; round++) {
        const position = below(good.length);
        const damage = ['"', '}', '[', '-', '9'.repeat(40), '\u0000', 'null', ''][below(8)] ?? '';
        const text = good.slice(0, position) + damage + good.slice(position + below(4));
        assertOrderly(await runTrainer(folder, text), text);
      }
    });
  });

  it('when stdin brings nonsense, then it warns and the run ends well', async () => {
    await withFolder(async (folder) => {
      const config = run(await tinyModel(folder), path.join(folder, 'out'));
      const nonsense = Buffer.concat([
        Buffer.from([0, 255, 254, 10, 10]),
        Buffer.alloc(300_000, 'x'),
        Buffer.from('\npause\npause\nresume\nresume\nPAUSE\nstop now\n'),
      ]);
      const result = await runTrainer(folder, { ...config, steps: 50 }, (line, child) => {
        if (line.event === 'started') child.stdin.end(nonsense);
      });
      assert.equal(result.exitCode, 0, JSON.stringify(result.lines.at(-1)));
      assert.ok(result.lines.some((line) => line.event === 'warning'));
      assert.equal(result.lines.at(-1)?.event, 'done');
    });
  });
});
