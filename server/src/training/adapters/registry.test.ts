// The registry of adapters, and how one is found by name.
import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FoundModel } from '../../engine/models/index.ts';
import { PreflexorError } from '../../errors.ts';
import { exportAdapter } from './export.ts';
import { baseLayoutOf } from './lora.ts';
import { readGgufAdapter } from './ggufAdapter.ts';
import { readPeftFolder } from './peftFolder.ts';
import { AdapterRegistry } from './registry.ts';
import { AdapterShelf } from './shelf.ts';
import {
  module,
  never,
  peftName,
  plainConfig,
  plainTensors,
  temporaryFolder,
  tinyBase,
  writePeft,
} from '../testing/tinyAdapters.ts';

interface SetUp {
  readonly home: string;
  readonly model: FoundModel;
  readonly registry: AdapterRegistry;
  readonly shelf: AdapterShelf;
  /** A PEFT folder outside of the registry. */
  readonly peft: string;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const home = await temporaryFolder(t);
  const peft = join(home, 'from elsewhere');
  await writePeft(peft, { ...plainConfig, base_model_name_or_path: 'tiny/llama' }, plainTensors);
  let time = Date.UTC(2026, 0, 1);
  const registry = new AdapterRegistry(home, () => (time += 1000));
  const shelf = new AdapterShelf(registry);
  t.after(() => shelf.dispose());
  return { home, peft, registry, shelf, model: await tinyBase(home) };
}

const refusal = (words: RegExp) => (error: unknown) =>
  PreflexorError.is(error, 'bad-input') && words.test(error.message);

test('given a PEFT folder, when imported, then it is listed with its base, origin and hashes', async (t) => {
  const { shelf, registry, model, peft } = await setUp(t);
  const { record } = await shelf.import(peft, model, never);
  assert.match(record.id, /^imported-[0-9a-f]{10}$/);
  assert.deepEqual(record.base, model.identity);
  assert.deepEqual(record.origin, { kind: 'imported', from: 'from elsewhere', baseName: 'tiny/llama' });
  assert.deepEqual(
    (await registry.list()).map((adapter) => adapter.record),
    [record],
  );
});

test('given an imported adapter, when its two forms are read, then both are the one that was imported', async (t) => {
  const { shelf, model, peft } = await setUp(t);
  const stored = await shelf.import(peft, model, never);
  const { modules } = await readPeftFolder(peft, never);
  assert.deepEqual((await readPeftFolder(stored.peft, never)).modules, modules);
  const base = await baseLayoutOf(model.file, never);
  assert.deepEqual((await readGgufAdapter(stored.gguf, base, never)).modules, modules);
});

test('given the same adapter twice, when imported, then it is one adapter', async (t) => {
  const { shelf, registry, model, peft } = await setUp(t);
  const first = await shelf.import(peft, model, never);
  assert.deepEqual(await shelf.import(peft, model, never), first);
  assert.equal((await registry.list()).length, 1);
});

test('given a GGUF adapter, when imported, then it is the same adapter as its PEFT folder', async (t) => {
  const { shelf, model, peft } = await setUp(t);
  const gguf = await (await shelf.choose(peft, model)).gguf(never);
  assert.equal(
    (await shelf.import(gguf, model, never)).record.gguf,
    (await shelf.import(peft, model, never)).record.gguf,
  );
});

test('given an adapter of another shape, when imported, then it is refused and nothing is stored', async (t) => {
  const { shelf, registry, model, peft } = await setUp(t);
  await writePeft(peft, plainConfig, module(peftName(5, 'self_attn.q_proj'), 8, 8));
  await assert.rejects(shelf.import(peft, model, never), refusal(/does not belong to this model/));
  assert.deepEqual(await registry.list(), []);
});

test('given an adapter in use, when asked for its model, then it is that one; after "none" there is none', async (t) => {
  const { shelf, registry, model, peft } = await setUp(t);
  const { record } = await shelf.import(peft, model, never);
  assert.equal(await shelf.active(model), null);
  await registry.use(record.id);
  assert.equal((await shelf.active(model))?.name, record.id);
  await registry.useNone(model.identity.sha256);
  assert.equal(await shelf.active(model), null);
});

test('given an adapter of one model, when it is named for another, then it is refused with both names', async (t) => {
  const { shelf, model, peft, home } = await setUp(t);
  const { record } = await shelf.import(peft, model, never);
  const other = await tinyBase(home, 'qwen3');
  await assert.rejects(shelf.choose(record.id, other), refusal(/belongs to llama .* and this is qwen3/));
});

test('given a stored file that was changed, when the engine asks for it, then it is refused', async (t) => {
  const { shelf, model, peft } = await setUp(t);
  const { record, gguf } = await shelf.import(peft, model, never);
  await appendFile(gguf, 'x');
  const adapter = await shelf.choose(record.id, model);
  await assert.rejects(adapter.gguf(never), (error) => PreflexorError.is(error, 'checksum-mismatch'));
});

test('given a folder of a run, when it is named, then it is its adapter', async (t) => {
  const { shelf, model, home } = await setUp(t);
  const run = join(home, 'run');
  await writePeft(join(run, 'peft'), plainConfig, plainTensors);
  assert.ok((await (await shelf.choose(run, model)).gguf(never)).endsWith('adapter.gguf'));
});

for (const name of ['no-such-adapter', '../escape', '/no/such/file']) {
  test(`given the name "${name}", when chosen, then the error says what is wanted`, async (t) => {
    const { shelf, model } = await setUp(t);
    await assert.rejects(shelf.choose(name, model), refusal(/neither an adapter's id/));
  });
}

test('given what a killed process left behind, when the registry is read, then it does not show; later it goes', async (t) => {
  const { home, shelf, registry, model, peft } = await setUp(t);
  const leftover = join(home, 'adapters', '.incoming-0011223344556677');
  await mkdir(leftover, { recursive: true });
  await writeFile(join(leftover, 'adapter.gguf'), 'half');
  assert.deepEqual(await registry.list(), []);
  const longAgo = new Date(Date.UTC(2025, 0, 1));
  await utimes(leftover, longAgo, longAgo);
  await shelf.import(peft, model, never);
  assert.deepEqual(
    (await readdir(join(home, 'adapters'))).filter((name) => name.startsWith('.incoming')),
    [],
  );
});

test('given a record that is broken, when the registry is read, then the other adapters are there', async (t) => {
  const { home, shelf, registry, model, peft } = await setUp(t);
  const { record } = await shelf.import(peft, model, never);
  await mkdir(join(home, 'adapters', 'broken-1'), { recursive: true });
  await writeFile(join(home, 'adapters', 'broken-1', 'record.json'), '{"schema": 1');
  assert.deepEqual(
    (await registry.list()).map(({ record: { id } }) => id),
    [record.id],
  );
});

test('given a stored adapter, when exported, then PEFT finds its files there, and the GGUF file beside them', async (t) => {
  const { home, shelf, model, peft } = await setUp(t);
  const stored = await shelf.import(peft, model, never);
  const target = join(home, 'export');
  const files = await exportAdapter(stored, target, never);
  assert.deepEqual((await readdir(target)).sort(), [
    'adapter.gguf',
    'adapter_config.json',
    'adapter_model.safetensors',
  ]);
  assert.deepEqual(await readFile(files.gguf), await readFile(stored.gguf));
  const { modules, baseName } = await readPeftFolder(target, never);
  assert.deepEqual(modules, (await readPeftFolder(peft, never)).modules);
  assert.equal(baseName, 'tiny/llama');
  await assert.rejects(exportAdapter(stored, target, never), refusal(/holds an adapter already/));
});

test('given adapters that were in use one after the other, when rolled back, then each step back is the one before, and one that is gone is passed over', async (t) => {
  const { shelf, registry, model, peft, home } = await setUp(t);
  const base = model.identity.sha256;
  await assert.rejects(registry.rollBack(base), refusal(/No other adapter was in use before/));
  const first = await shelf.import(peft, model, never);
  await registry.use(first.record.id);
  await registry.use(first.record.id);
  await registry.useNone(base);
  assert.equal(await registry.beforeFor(base), first.record.id);
  await registry.rollBack(base);
  assert.deepEqual([await registry.activeFor(base), await registry.beforeFor(base)], [first.record.id, null]);
  await registry.rollBack(base);
  assert.deepEqual([await registry.activeFor(base), await registry.beforeFor(base)], [null, undefined]);
  const file = join(home, 'adapters', 'active.json');
  await writeFile(
    file,
    JSON.stringify({ schema: 1, active: {}, before: { [base]: [first.record.id, 'gone-1'] } }),
  );
  assert.equal(await registry.beforeFor(base), first.record.id);
  await writeFile(file, JSON.stringify({ schema: 1, active: { [base]: first.record.id } }));
  assert.deepEqual(
    [await registry.activeFor(base), await registry.beforeFor(base)],
    [first.record.id, undefined],
  );
});
