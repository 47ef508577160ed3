import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { convertBert, type BertFile } from './bertConversion.ts';
import {
  tinyBertConfig,
  tinyBertFolder,
  tinyBertVocabulary,
  tinyBertWeights,
  writeBertFolder,
  writeSafetensors,
} from './bertTesting.ts';
import { describeGguf } from './describe.ts';
import { toHalves } from './float16.ts';
import { readGgufHeader } from './gguf.ts';
import { never, sha256, temporaryFolder } from './testing.ts';

type Folder = Record<BertFile, Buffer>;

async function converted(context: TestContext, content: Folder = tinyBertFolder()): Promise<string> {
  const folder = await temporaryFolder(context);
  const files = await writeBertFolder(folder, content);
  const target = join(folder, 'made.gguf');
  await convertBert({ files, target, name: 'tiny', license: 'MIT', signal: never });
  return target;
}

test('given a BERT encoder, when it is converted, then the file is described as that encoder', async (t) => {
  const description = await describeGguf(await converted(t));
  assert.equal(description.kind, 'embedding-model');
  assert.equal(description.architecture, 'bert');
  assert.equal(description.pooling, 'mean');
  assert.equal(description.missingBytes, 0);
  assert.equal(description.name, 'tiny');
  const { layers, heads, embeddingLength, feedForwardLength, trainedContext, vocabulary } = description;
  assert.deepEqual(
    [layers, heads, embeddingLength, feedForwardLength, trainedContext, vocabulary],
    [2, 2, 8, 16, 32, 40],
  );
});

test('given a WordPiece vocabulary, when it is converted, then words begin with the mark and the rest is as it is', async (t) => {
  const keep = ['tokenizer.ggml.tokens', 'tokenizer.ggml.token_type'];
  const { metadata } = await readGgufHeader(await converted(t), { keep });
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const types = metadata.get('tokenizer.ggml.token_type');
  assert.ok(typeof tokens === 'object' && typeof types === 'object' && tokens.strings);
  const at = (token: string) => tinyBertVocabulary.indexOf(token);
  assert.equal(tokens.strings[at('crack')], '\u2581crack');
  assert.equal(tokens.strings[at('##ing')], 'ing');
  assert.equal(tokens.strings[at('[SEP]')], '[SEP]');
  assert.equal(tokens.strings[39], '[PAD39]');
  assert.deepEqual(
    [types.numbers?.[at('[SEP]')], types.numbers?.[at('crack')], types.numbers?.[39]],
    [3, 1, 5],
  );
  assert.equal(metadata.get('tokenizer.ggml.seperator_token_id'), at('[SEP]'));
  assert.equal(metadata.get('tokenizer.ggml.bos_token_id'), at('[CLS]'));
  assert.equal(metadata.get('tokenizer.ggml.normalizer.strip_accents'), true);
});

test('given the weights, when they are converted, then matrices are halves and vectors as they were', async (t) => {
  const path = await converted(t);
  const { tensors } = await readGgufHeader(path);
  const file = await readFile(path);
  const weights = tinyBertWeights();
  const bytesOf = (name: string): Buffer => {
    const { values } = weights.get(name) ?? assert.fail(name);
    return Buffer.from(values.buffer);
  };
  const made = (name: string) => {
    const tensor = tensors.find((each) => each.name === name) ?? assert.fail(name);
    return { ...tensor, data: file.subarray(tensor.offset, tensor.offset + tensor.bytes) };
  };
  const up = made('blk.1.ffn_up.weight');
  assert.deepEqual([up.type, up.shape], ['f16', [8, 16]]);
  assert.deepEqual(up.data, Buffer.from(toHalves(bytesOf('encoder.layer.1.intermediate.dense.weight'))));
  const norm = made('blk.0.attn_output_norm.bias');
  assert.deepEqual([norm.type, norm.shape], ['f32', [8]]);
  assert.deepEqual(norm.data, bytesOf('encoder.layer.0.attention.output.LayerNorm.bias'));
  assert.equal(made('position_embd.weight').type, 'f32');
  assert.equal(tensors.length, 5 + 2 * 16);
});

test('given the same folder, when it is converted twice, then the files are the same byte for byte', async (t) => {
  const [one, two] = await Promise.all([converted(t), converted(t)]);
  assert.equal(sha256(await readFile(one)), sha256(await readFile(two)));
});

test('given a model saved with its task head, when it is converted, then its names are found behind the prefix', async (t) => {
  const prefixed = new Map([...tinyBertWeights()].map(([name, tensor]) => [`bert.${name}`, tensor]));
  const path = await converted(t, { ...tinyBertFolder(), weights: writeSafetensors(prefixed) });
  assert.deepEqual(await readFile(path), await readFile(await converted(t)));
});

function changedConfig(change: object): Folder {
  return { ...tinyBertFolder(), config: Buffer.from(JSON.stringify({ ...tinyBertConfig, ...change })) };
}

function changedWeights(change: (weights: ReturnType<typeof tinyBertWeights>) => void): Folder {
  const weights = tinyBertWeights();
  change(weights);
  return { ...tinyBertFolder(), weights: writeSafetensors(weights) };
}

const impossible: readonly { what: string; content: () => Folder; says: RegExp }[] = [
  {
    what: 'RoBERTa',
    content: () => changedConfig({ model_type: 'roberta' }),
    says: /config.*\(model_type\)/,
  },
  {
    what: 'another activation',
    content: () => changedConfig({ hidden_act: 'relu' }),
    says: /\(hidden_act\)/,
  },
  { what: 'no JSON', content: () => ({ ...tinyBertFolder(), config: Buffer.from('{') }), says: /as JSON/ },
  {
    what: 'a layer more than there are weights for',
    content: () => changedConfig({ num_hidden_layers: 3 }),
    says: /lacks the tensor "encoder\.layer\.2\.attention\.self\.query\.weight"/,
  },
  {
    what: 'a wider model than its weights',
    content: () => changedConfig({ hidden_size: 16 }),
    says: /"embeddings\.word_embeddings\.weight" is \[40, 8\], not \[40, 16\]/,
  },
  {
    what: 'a missing tensor',
    content: () => changedWeights((weights) => weights.delete('embeddings.LayerNorm.bias')),
    says: /lacks the tensor "embeddings\.LayerNorm\.bias"/,
  },
  {
    what: 'a vocabulary that is too large',
    content: () => changedConfig({ vocab_size: 10 }),
    says: /more tokens than the model/,
  },
  {
    what: 'a vocabulary without its separator',
    content: () => ({ ...tinyBertFolder(), vocabulary: Buffer.from('[PAD]\n[UNK]\n[CLS]\n[MASK]\n') }),
    says: /lacks the token \[SEP\]/,
  },
  {
    what: 'maximum pooling',
    content: () => ({
      ...tinyBertFolder(),
      pooling: Buffer.from(
        JSON.stringify({ pooling_mode_cls_token: false, pooling_mode_mean_tokens: false }),
      ),
    }),
    says: /neither the mean nor the first token/,
  },
];

for (const { what, content, says } of impossible) {
  test(`given ${what}, when it is converted, then it is refused with a sentence and no file is left`, async (t) => {
    const folder = await temporaryFolder(t);
    const files = await writeBertFolder(join(folder, 'source'), content());
    const target = join(folder, 'made.gguf');
    await assert.rejects(convertBert({ files, target, name: 'x', license: 'x', signal: never }), (error) => {
      assert.ok(PreflexorError.is(error, 'bad-model'), String(error));
      assert.match(error.message, says);
      return true;
    });
    assert.deepEqual(await readdir(folder), ['source']);
  });
}
