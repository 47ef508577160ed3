import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { describeGguf, requireLanguageModel, type GgufDescription } from './describe.ts';
import { temporaryFolder, tinyMetadata, tinyModel, tinyTensors, writeGguf } from './testing.ts';

async function described(context: TestContext, bytes: Buffer): Promise<GgufDescription> {
  const path = join(await temporaryFolder(context), 'x.gguf');
  await writeFile(path, bytes);
  return await describeGguf(path);
}

test('given a small language model, when it is described, then kind, shape and sizes are right', async (t) => {
  const { chatTemplate, ...rest } = await described(t, tinyModel());
  assert.equal(chatTemplate, '{{ messages }}');
  assert.deepEqual(rest, {
    file: 'x.gguf',
    kind: 'language-model',
    architecture: 'llama',
    name: 'Tiny',
    license: 'mit',
    parameters: 168,
    weightBytes: 672,
    fileBytes: tinyModel().length,
    missingBytes: 0,
    quantization: 'f32',
    pooling: null,
    parts: 1,
    trainedContext: 128,
    layers: 2,
    heads: 2,
    keyValueHeads: [1, 1],
    keyLength: 4,
    valueLength: 4,
    embeddingLength: 8,
    feedForwardLength: 16,
    vocabulary: 4,
    sliding: null,
  });
});

test('given files that are no language model, when they are described, then each is named and refused', async (t) => {
  const kinds = [
    ['adapter', { ...tinyMetadata, 'general.type': 'adapter' }, tinyTensors],
    ['projector', { ...tinyMetadata, 'general.architecture': 'clip' }, tinyTensors],
    ['embedding-model', { ...tinyMetadata, 'general.architecture': 'nomic-bert' }, tinyTensors],
    ['embedding-model', { ...tinyMetadata, 'llama.pooling_type': 3 }, tinyTensors],
    ['reranker', { ...tinyMetadata, 'llama.pooling_type': 4 }, tinyTensors],
    ['vocabulary-only', tinyMetadata, []],
    ['unknown', tinyMetadata, [{ name: 'double_blocks.0.weight', shape: [8] }]],
    ['unknown', { 'general.architecture': 'flux' }, tinyTensors],
  ] as const;
  for (const [kind, metadata, tensors] of kinds) {
    const description = await described(t, writeGguf(metadata, tensors));
    assert.equal(description.kind, kind);
    assert.throws(() => requireLanguageModel('x.gguf', description), { code: 'bad-model' });
  }
});

test('given a cut-off file or one part of several, when a model is required, then it is refused with the reason', async (t) => {
  const whole = tinyModel();
  const cut = await described(t, whole.subarray(0, whole.length - 33));
  assert.throws(() => requireLanguageModel('x.gguf', cut), {
    code: 'bad-model',
    message: /33 bytes are missing/,
  });
  const part = await described(t, writeGguf({ ...tinyMetadata, 'split.count': 3 }, tinyTensors));
  assert.throws(() => requireLanguageModel('x.gguf', part), { code: 'bad-model', message: /one of 3 parts/ });
  requireLanguageModel('x.gguf', await described(t, whole));
});

test('given sliding windows, when a model is described, then the layers that slide are known', async (t) => {
  const gemma = {
    'general.architecture': 'gemma3',
    'gemma3.block_count': 7,
    'gemma3.attention.sliding_window': 512,
    'tokenizer.ggml.tokens': ['a'],
  };
  const byArchitecture = await described(t, writeGguf(gemma, tinyTensors));
  assert.deepEqual(byArchitecture.sliding, {
    window: 512,
    layers: [true, true, true, true, true, false, true],
  });
  const given = { ...gemma, 'gemma3.attention.sliding_window_pattern': { i32s: [1, 0, 1, 0, 1, 0, 0] } };
  const byList = await described(t, writeGguf(given, tinyTensors));
  assert.deepEqual(byList.sliding?.layers, [true, false, true, false, true, false, false]);
});

test('given key-value heads for each layer, when a model is described, then each layer has its own', async (t) => {
  const metadata = { ...tinyMetadata, 'llama.attention.head_count_kv': { i32s: [2, 1] } };
  assert.deepEqual((await described(t, writeGguf(metadata, tinyTensors))).keyValueHeads, [2, 1]);
});
