// What a run would take, in the numbers that a writer is shown, and refusals with theirs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import type { TeachEstimate } from '../../protocol/index.ts';
import { teachingNeeds } from './needs.ts';

const phase = (number: 1 | 2, leastBytes = 1e9): TeachEstimate['phases'][number] => ({
  ...{ phase: number, steps: 100 * number, bytes: number * 1e9, leastBytes },
  ...{ availableBytes: 4e9, seconds: 50 * number },
});
const planned: TeachEstimate = {
  ...{ samples: 128, sampleSeconds: 5, writerPairs: 10, diskBytes: 200e6 },
  phases: [phase(1), phase(2)],
};
const needs = async (estimate: TeachEstimate, freeDiskBytes = 1e11) =>
  await teachingNeeds({ samples: 64 }, 10, {
    estimate: () => Promise.resolve(estimate),
    freeDiskBytes: () => Promise.resolve(freeDiskBytes),
  });

test('given both phases, when a run is estimated, then steps and time add up and memory is that of the larger one', async () => {
  assert.deepEqual(await needs(planned), {
    ...{ bytes: 2e9, availableBytes: 4e9, trainingSeconds: 150, samplesSeconds: 640, steps: 300 },
    ...{ diskBytes: 200e6, freeDiskBytes: 1e11, samples: 64, writerPairs: 10, refusal: null },
  });
  assert.equal((await needs({ ...planned, sampleSeconds: null })).samplesSeconds, null);
});

test('given less than it takes, when a run is estimated, then it is refused with what is needed and what is free', async () => {
  const large = { ...planned, phases: [phase(1, 9e9), phase(2)] };
  assert.equal((await needs(large)).refusal, 'Teaching needs 9.0 GB of memory, and 4.0 GB are free.');
  const full = await needs(planned, 1e8);
  assert.equal(full.refusal, 'Teaching needs 700 MB on the disk, and 100 MB are free.');
  const unknown = { ...planned, phases: [{ ...phase(1, 9e9), availableBytes: 0 }] };
  assert.equal((await needs(unknown)).refusal, null);
});

test('given a trainer that says itself that it can not, when a run is estimated, then its words are the refusal; what else goes wrong stays an error', async () => {
  const failing = async (error: Error) =>
    await teachingNeeds({ samples: 64 }, 0, {
      estimate: () => Promise.reject(error),
      freeDiskBytes: () => Promise.resolve(1e11),
    });
  const said = new PreflexorError('trainer-failed', 'It needs 9 GB.', { remedy: 'Take a smaller model.' });
  assert.equal((await failing(said)).refusal, 'It needs 9 GB. Take a smaller model.');
  const other = new PreflexorError('no-model', 'There is no model.');
  await assert.rejects(failing(other), (error) => error === other);
});
