import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { probeBackends } from './probe.ts';
import { ManualTimers } from './testing/timers.ts';

const never = new AbortController().signal;
const host = (name: string) => join(import.meta.dirname, 'testing', `${name}.ts`);

test('given GPUs, when they are probed, then their names come back and the best backend', async () => {
  const probed = await probeBackends(never, { hostModule: host('brokenGpuHost'), platform: 'linux' });
  assert.deepEqual(probed, { gpus: ['A cuda device', 'A vulkan device'], backend: 'cuda', reasons: [] });
});

test('given drivers that hang and crash, when they are probed, then that is said and the processor is left', async () => {
  const timers = new ManualTimers();
  const probing = probeBackends(never, {
    ...{ hostModule: host('silentProbeHost'), platform: 'linux', timers, timeoutMs: 500 },
  });
  // Two have answered (or died) and took their timers with them; the one that hangs keeps its own.
  while (timers.waiting.length !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
  timers.advance(500);
  const probed = await probing;
  assert.equal(probed.backend, 'cpu');
  assert.deepEqual(probed.gpus, []);
  assert.equal(probed.reasons[0], 'NVIDIA GPU (CUDA): It did not answer in time.');
  assert.match(probed.reasons[1] ?? '', /^Vulkan GPU: The model process ended unexpectedly/);
});

test('given a library that does not start, when it is probed, then there is no backend at all', async () => {
  const probed = await probeBackends(never, { hostModule: host('stillbornHost'), platform: 'darwin' });
  assert.equal(probed.backend, null);
  assert.equal(probed.reasons.length, 2);
});

test('given a probe that is aborted, when it ends, then it ends as cancelled', async () => {
  const controller = new AbortController();
  const probing = probeBackends(controller.signal, {
    hostModule: host('silentProbeHost'),
    platform: 'darwin',
  });
  controller.abort();
  await assert.rejects(probing, (error) => PreflexorError.is(error, 'cancelled'));
});
