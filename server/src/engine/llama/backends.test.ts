import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendsFor, fallbackSentence } from './backends.ts';

test('given the setting auto, when backends are listed, then the processor is the last resort', () => {
  assert.deepEqual(backendsFor('auto', 'linux'), ['cuda', 'vulkan', 'cpu']);
  assert.deepEqual(backendsFor('auto', 'win32'), ['cuda', 'vulkan', 'cpu']);
  assert.deepEqual(backendsFor('auto', 'darwin'), ['metal', 'cpu']);
});

test('given a forced backend, when backends are listed, then there is no other', () => {
  assert.deepEqual(backendsFor('vulkan', 'linux'), ['vulkan']);
});

test('given no GPU, when the model runs on the processor, then the sentence says what was looked for', () => {
  const passed = [
    { backend: 'cuda', failure: null },
    { backend: 'vulkan', failure: null },
  ] as const;
  assert.equal(
    fallbackSentence(passed, 'cpu'),
    'No NVIDIA GPU (CUDA) or Vulkan GPU was found; running on the processor.',
  );
});

test('given another GPU, when there is no NVIDIA one, then there is nothing to say', () => {
  assert.equal(fallbackSentence([{ backend: 'cuda', failure: null }], 'vulkan'), null);
  assert.equal(fallbackSentence([], 'cpu'), null);
});

test('given a GPU that failed, when the next backend runs, then the sentence says why', () => {
  assert.equal(
    fallbackSentence([{ backend: 'cuda', failure: 'it is full' }], 'vulkan'),
    'Running on the Vulkan GPU. NVIDIA GPU (CUDA): it is full.',
  );
});
