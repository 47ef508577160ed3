// Adapters from PEFT's form to GGUF and back.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readGgufHeader } from '../../engine/models/index.ts';
import { PreflexorError } from '../../errors.ts';
import {
  module,
  never,
  numbers,
  peftName,
  plainConfig,
  plainTensors,
  temporaryFolder,
  tensor,
  tinyBase,
  writePeft,
} from '../testing/tinyAdapters.ts';
import { readGgufAdapter, writeGgufAdapter } from './ggufAdapter.ts';
import { baseLayoutOf, ggufRows } from './lora.ts';
import { readPeftFolder, writePeftFolder } from './peftFolder.ts';

const refusal = (words: RegExp) => (error: unknown) =>
  PreflexorError.is(error, 'bad-input') && words.test(error.message) && error.remedy !== null;

test('given a plain adapter, when read, then each linear map has its matrices, rank and alpha, in order', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(folder, plainConfig, plainTensors);
  const { modules } = await readPeftFolder(folder, never);
  assert.deepEqual(
    modules.map(({ layer, target, rank, alpha }) => [layer, target, rank, alpha]),
    [
      [0, 'q_proj', 2, 4],
      [0, 'down_proj', 2, 4],
      [1, 'k_proj', 2, 4],
    ],
  );
  assert.deepEqual([...(modules[0]?.a ?? [])], numbers(16));
});

for (const [given, rename] of [
  ['no prefix', (name: string) => name.replace('base_model.model.', '')],
  ['an adapter name', (name: string) => name.replace('.weight', '.default.weight')],
  [
    'a language model in a larger one',
    (name: string) => name.replace('model.layers', 'model.language_model.layers'),
  ],
] as const) {
  test(`given tensor names with ${given}, when read, then they are understood`, async (t) => {
    const folder = await temporaryFolder(t);
    const renamed = Object.fromEntries(
      Object.entries(plainTensors).map(([name, value]) => [rename(name), value]),
    );
    await writePeft(folder, plainConfig, renamed);
    assert.equal((await readPeftFolder(folder, never)).modules.length, 3);
  });
}

for (const dtype of ['F16', 'BF16'] as const) {
  test(`given an adapter in ${dtype}, when read, then its numbers are those of the same adapter in F32`, async (t) => {
    const folder = await temporaryFolder(t);
    await writePeft(folder, plainConfig, module(peftName(0, 'self_attn.q_proj'), 8, 8, dtype));
    const { modules } = await readPeftFolder(folder, never);
    assert.deepEqual([...(modules[0]?.a ?? [])], numbers(16));
    assert.deepEqual([...(modules[0]?.b ?? [])], numbers(16, 7));
  });
}

test('given patterns of rank and alpha, when read, then each map has its own', async (t) => {
  const folder = await temporaryFolder(t);
  const config = {
    ...plainConfig,
    rank_pattern: { 'layers.0.mlp.down_proj': 3 },
    alpha_pattern: { '^model\\.layers\\.1\\..*(q|k)_proj': 16, down_proj: 6 },
  };
  await writePeft(folder, config, {
    ...plainTensors,
    ...module(peftName(0, 'mlp.down_proj'), 16, 8, 'F32', 3),
  });
  const { modules } = await readPeftFolder(folder, never);
  assert.deepEqual(
    modules.map(({ rank, alpha }) => [rank, alpha]),
    [
      [2, 4],
      [3, 6],
      [2, 16],
    ],
  );
});

test('given rank-stabilised LoRA, when read, then alpha divided by the rank is alpha over its root', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(folder, { ...plainConfig, use_rslora: true }, plainTensors);
  const [first] = (await readPeftFolder(folder, never)).modules;
  assert.ok(first);
  assert.ok(Math.abs(first.alpha / first.rank - 4 / Math.sqrt(2)) < 1e-12);
});

const one = module(peftName(0, 'self_attn.q_proj'), 8, 8);
for (const [given, config, tensors, words] of [
  ['DoRA', { ...plainConfig, use_dora: true }, one, /DoRA/],
  ['whole modules', { ...plainConfig, modules_to_save: ['lm_head'] }, one, /modules_to_save/],
  ['biases', { ...plainConfig, bias: 'all' }, one, /biases/],
  ['another kind', { peft_type: 'IA3' }, one, /IA3/],
  ['a wrong rank', { ...plainConfig, r: 4 }, one, /has rank 2, and adapter_config.json says 4/],
  ['a rank that is no number', { ...plainConfig, r: 'many' }, one, /wrong at r/],
  ['a slow pattern', { ...plainConfig, alpha_pattern: { '(a+)+b': 3 } }, one, /pattern/],
  ['magnitudes', plainConfig, { ...one, 'x.lora_magnitude_vector': tensor([1], [1]) }, /DoRA/],
  [
    'embeddings',
    plainConfig,
    { 'base_model.model.model.embed_tokens.lora_embedding_A': tensor([2, 2], [1, 1, 1, 1]) },
    /embeddings/,
  ],
  ['a head', plainConfig, { 'base_model.model.lm_head.lora_A.weight': tensor([2, 8], numbers(16)) }, /head/],
  ['an unknown map', plainConfig, module(peftName(0, 'self_attn.qkv_proj'), 8, 8), /qkv_proj/],
  [
    'no B',
    plainConfig,
    { [`${peftName(0, 'mlp.up_proj')}.lora_A.weight`]: tensor([2, 8], numbers(16)) },
    /lacks B/,
  ],
  ['whole numbers', plainConfig, module(peftName(0, 'self_attn.q_proj'), 8, 8, 'I8'), /stored as I8/],
  ['nothing', plainConfig, {}, /no LoRA matrices/],
] as const) {
  test(`given an adapter with ${given}, when read, then it is refused with a sentence`, async (t) => {
    const folder = await temporaryFolder(t);
    await writePeft(folder, config, tensors);
    await assert.rejects(readPeftFolder(folder, never), refusal(words));
  });
}

test('given a folder that is cut off or empty, when read, then it is refused with a sentence', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(readPeftFolder(folder, never), refusal(/adapter_config.json cannot be read/));
  await writePeft(folder, plainConfig, plainTensors);
  await writeFile(join(folder, 'adapter_model.safetensors'), Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 123]));
  await assert.rejects(readPeftFolder(folder, never), refusal(/no whole safetensors file/));
});

test('given fan_in_fan_out, when read, then the matrices are the same: it is about the base model’s weights', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(folder, { ...plainConfig, fan_in_fan_out: true }, plainTensors);
  assert.equal((await readPeftFolder(folder, never)).modules.length, 3);
});

test('given an adapter of llama, when written as GGUF and read back, then it is the same adapter', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(join(folder, 'peft'), plainConfig, plainTensors);
  const base = await baseLayoutOf((await tinyBase(folder)).file, never);
  const adapter = await readPeftFolder(join(folder, 'peft'), never);
  const file = join(folder, 'adapter.gguf');
  await writeGgufAdapter(file, adapter, base, never);
  assert.deepEqual((await readGgufAdapter(file, base, never)).modules, adapter.modules);
  await writePeftFolder(join(folder, 'again'), adapter);
  assert.deepEqual((await readPeftFolder(join(folder, 'again'), never)).modules, adapter.modules);
});

test('given the GGUF file, when its header is read, then it is what libllama expects', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(join(folder, 'peft'), plainConfig, plainTensors);
  const base = await baseLayoutOf((await tinyBase(folder)).file, never);
  const file = join(folder, 'adapter.gguf');
  await writeGgufAdapter(file, await readPeftFolder(join(folder, 'peft'), never), base, never);
  const { metadata, tensors } = await readGgufHeader(file);
  assert.deepEqual(Object.fromEntries(metadata), {
    'general.type': 'adapter',
    'general.architecture': 'llama',
    'adapter.type': 'lora',
    'adapter.lora.alpha': 4,
  });
  assert.deepEqual(
    tensors.slice(0, 2).map(({ name, shape, type }) => [name, shape, type]),
    [
      ['blk.0.attn_q.weight.lora_a', [8, 2], 'f32'],
      ['blk.0.attn_q.weight.lora_b', [2, 8], 'f32'],
    ],
  );
});

test('given llama’s queries, when their rows are ordered for GGUF, then the halves of each head interleave', () => {
  // Two heads of four: transformers has (0 1 | 2 3) per head, GGUF 0 2 1 3.
  assert.deepEqual([...ggufRows(8, 2)], [0, 2, 1, 3, 4, 6, 5, 7]);
  assert.deepEqual([...ggufRows(4, 0)], [0, 1, 2, 3]);
});

test('given qwen3, when written as GGUF, then no row changes its place', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(join(folder, 'peft'), plainConfig, one);
  const adapter = await readPeftFolder(join(folder, 'peft'), never);
  const file = join(folder, 'adapter.gguf');
  await writeGgufAdapter(
    file,
    adapter,
    await baseLayoutOf((await tinyBase(folder, 'qwen3')).file, never),
    never,
  );
  const asWritten = {
    ...(await baseLayoutOf((await tinyBase(folder, 'qwen3')).file, never)),
    permutedHeads: () => 0,
  };
  assert.deepEqual((await readGgufAdapter(file, asWritten, never)).modules, adapter.modules);
});

test('given maps with alphas of their own, when written as GGUF, then each product keeps its scale', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(join(folder, 'peft'), { ...plainConfig, alpha_pattern: { down_proj: 12 } }, plainTensors);
  const base = await baseLayoutOf((await tinyBase(folder)).file, never);
  const adapter = await readPeftFolder(join(folder, 'peft'), never);
  const file = join(folder, 'adapter.gguf');
  await writeGgufAdapter(file, adapter, base, never);
  const [before, after] = [adapter, await readGgufAdapter(file, base, never)].map(
    ({ modules }) => modules[1],
  );
  assert.ok(before && after);
  assert.equal(after.alpha, 4);
  assert.deepEqual(
    [...after.b].map((value) => value * after.alpha),
    [...before.b].map((value) => value * before.alpha),
  );
});

for (const [given, tensors, words] of [
  ['a layer too many', module(peftName(2, 'self_attn.q_proj'), 8, 8), /layer 2, q_proj.*does not have/],
  [
    'another width',
    module(peftName(0, 'self_attn.k_proj'), 8, 8),
    /8 → 8 wide in the adapter and 8 → 4 in the model/,
  ],
] as const) {
  test(`given an adapter with ${given}, when written for a model, then it is refused with the numbers`, async (t) => {
    const folder = await temporaryFolder(t);
    await writePeft(join(folder, 'peft'), plainConfig, tensors);
    const base = await baseLayoutOf((await tinyBase(folder)).file, never);
    const adapter = await readPeftFolder(join(folder, 'peft'), never);
    await assert.rejects(writeGgufAdapter(join(folder, 'a.gguf'), adapter, base, never), refusal(words));
  });
}

test('given a GGUF adapter of another architecture, when read, then it is refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writePeft(join(folder, 'peft'), plainConfig, one);
  const file = join(folder, 'adapter.gguf');
  const adapter = await readPeftFolder(join(folder, 'peft'), never);
  await writeGgufAdapter(file, adapter, await baseLayoutOf((await tinyBase(folder)).file, never), never);
  const other = await baseLayoutOf((await tinyBase(folder, 'qwen3')).file, never);
  await assert.rejects(
    readGgufAdapter(file, other, never),
    refusal(/belongs to a llama model, and this is qwen3/),
  );
});

test('given an architecture whose row order is not known, when its layout is read, then it is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const { file } = await tinyBase(folder, 'falcon');
  await assert.rejects(baseLayoutOf(file, never), refusal(/falcon models cannot be converted/));
});
