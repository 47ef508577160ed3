// What a run would take: both phases by a plan that is told, and refusals with their numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { teachPreset } from '../presets.ts';
import { teachingNeeds, type EstimatePorts, type PhaseQuestion } from './needs.ts';

const settings = teachPreset('quick', { parameters: 135e6, trainedContext: 2048 }, [
  'reasoning steps',
  'limits',
]);
const never = new AbortController().signal;
const plan = { bytes: 2e9, least_bytes: 1e9, available_bytes: 4e9, seconds: 100, parameters: 5e6 };

function ports(changes: Partial<EstimatePorts> = {}): EstimatePorts & { readonly asked: PhaseQuestion[] } {
  const asked: PhaseQuestion[] = [];
  return {
    asked,
    plan: (question) => {
      asked.push(question);
      return Promise.resolve({ ...plan, bytes: question.phase * 1e9 });
    },
    freeDiskBytes: () => Promise.resolve(1e11),
    secondsPerSample: () => Promise.resolve(null),
    ...changes,
  };
}

test('given both phases, when a run is estimated, then steps and time add up and memory is that of the larger one', async () => {
  const all = ports({ secondsPerSample: () => Promise.resolve(5) });
  const estimate = await teachingNeeds(settings, 10, all, never);
  // 64 samples of which a fifth is held out, and 10 pairs twice; three passes, two at a time.
  const steps = Math.ceil((3 * (64 * 0.8 + 20)) / 2);
  const tokens = 192 + 2 * 80 + 80 + 96;
  assert.deepEqual(all.asked, [
    { phase: 1, steps, tokens },
    { phase: 2, steps, tokens },
  ]);
  assert.deepEqual(
    [estimate.bytes, estimate.trainingSeconds, estimate.steps, estimate.samples, estimate.refusal],
    [2e9, 200, 2 * steps, 64, null],
  );
  assert.equal(estimate.samplesSeconds, 5 * 64 * 2);
});

test('given less than it takes, when a run is estimated, then it is refused with what is needed and what is free', async () => {
  const memory = { plan: () => Promise.resolve({ ...plan, least_bytes: 9e9 }) };
  const disk = { freeDiskBytes: () => Promise.resolve(1e8) };
  const refusal = async (changes: Partial<EstimatePorts>) =>
    (await teachingNeeds(settings, 0, ports(changes), never)).refusal;
  assert.equal(await refusal(memory), 'Teaching needs 9.0 GB of memory, and 4.0 GB are free.');
  assert.equal(await refusal(disk), 'Teaching needs 700 MB on the disk, and 100 MB are free.');
  const unknown = { plan: () => Promise.resolve({ ...plan, least_bytes: 9e9, available_bytes: 0 }) };
  assert.equal(await refusal(unknown), null);
});

test('given a trainer that says itself that it can not, when a run is estimated, then its words are the refusal; what else goes wrong stays an error', async () => {
  const failing = (error: Error) => ports({ plan: () => Promise.reject(error) });
  const said = new PreflexorError('trainer-failed', 'It needs 9 GB.', { remedy: 'Take a smaller model.' });
  const { refusal } = await teachingNeeds(settings, 0, failing(said), never);
  assert.equal(refusal, 'It needs 9 GB. Take a smaller model.');
  const other = new PreflexorError('no-model', 'There is no model.');
  await assert.rejects(teachingNeeds(settings, 0, failing(other), never), (error) => error === other);
});
