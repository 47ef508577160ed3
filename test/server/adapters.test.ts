// Adapters over a real connection with the real small model: put into use, compared blindly, rolled back, each live in the
// same server; what belongs to another model is refused; a note may have its own.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createShelf } from '../../server/src/composition.ts';
import { ModelStore } from '../../server/src/engine/index.ts';
import {
  adaptersRequest,
  compareAdaptersRequest,
  judgeComparisonRequest,
  pairsRequest,
} from '../../server/src/protocol/index.ts';
import { desk, failure, reason, smallBudgets } from './support.ts';

const golden = join(import.meta.dirname, '..', 'fixtures', 'golden', 'adapter');
const never = new AbortController().signal;

/** A home with the golden adapter, strong enough to be heard, and one of another model. */
async function home(t: TestContext): Promise<{ folder: string; own: string; foreign: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-adapters-home-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const shelf = createShelf(folder);
  const model = await new ModelStore({ home: folder }).findModel(smallBudgets.model, { signal: never });
  const strong = async (times: number): Promise<string> => {
    const copy = join(folder, `golden-${times}`);
    await cp(golden, copy, { recursive: true });
    const file = join(copy, 'adapter_config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as { lora_alpha: number };
    await writeFile(file, JSON.stringify({ ...config, lora_alpha: config.lora_alpha * times }));
    return copy;
  };
  const own = await shelf.import(await strong(20), model, never);
  const swapped = { ...model, identity: { ...model.identity, sha256: 'f'.repeat(64) } };
  const foreign = await shelf.import(await strong(21), swapped, never);
  await shelf.dispose();
  return { folder, own: own.record.id, foreign: foreign.record.id };
}

test('given an adapter, when it is activated, compared blindly and rolled back, then each is live in the same server, and the choice is a pair', async (t) => {
  const { folder, own, foreign } = await home(t);
  const at = await desk(t, undefined, {
    env: { PREFLEXOR_HOME: folder },
    settings: { ...smallBudgets, adapters: { forNotes: [{ kind: 'essay', adapter: own }] } },
  });
  const { client, uri } = at;
  const ask = async <T>(method: { method: string; result: { parse(value: unknown): T } }, params: object) =>
    method.result.parse(await client.request(method.method, params));
  const before = await ask(adaptersRequest, {});
  assert.deepEqual([before.active, before.before, before.problem], [null, undefined, null]);
  assert.deepEqual(Object.fromEntries(before.adapters.map(({ id, fits }) => [id, fits])), {
    [own]: true,
    [foreign]: false,
  });
  const refused = await failure(client.request('preflexor/useAdapter', { adapter: foreign }));
  assert.match(refused.message, /belongs to .* and this is/);

  assert.equal((await reason(at, 'Small grains')).run.adapter, null);
  const used = adaptersRequest.result.parse(await client.request('preflexor/useAdapter', { adapter: own }));
  assert.deepEqual([used.active, used.before], [own, null]);
  assert.equal((await reason(at, 'second paragraph')).run.adapter, own);

  const position = client.positionOf(uri, 'Small grains');
  const same = await failure(
    client.request('preflexor/compareAdapters', { textDocument: { uri }, position, adapter: own }),
  );
  assert.match(same.message, /what is in use/);
  const comparison = await ask(compareAdaptersRequest, {
    ...{ textDocument: { uri }, position, adapter: null, seed: 7 },
  });
  assert.notEqual(comparison.first, comparison.second);
  const judged = { comparison: comparison.id, better: 'first' };
  const revealed = await ask(judgeComparisonRequest, judged);
  assert.deepEqual([revealed.first, revealed.second].sort(), [own, null].sort());
  assert.equal(revealed.recorded, true);
  assert.match(
    (await failure(client.request('preflexor/judgeComparison', judged))).message,
    /judged already/,
  );
  const { rows } = await ask(pairsRequest, {});
  assert.deepEqual(
    rows.map(({ signal }) => signal),
    ['compare'],
  );

  const back = adaptersRequest.result.parse(await client.request('preflexor/rollBackAdapter', {}));
  assert.deepEqual([back.active, back.before], [null, undefined]);
  assert.match((await failure(client.request('preflexor/rollBackAdapter', {}))).message, /No other adapter/);
  await client.replace(uri, '# Alloys', '---\nkind: essay\n---\n\n# Alloys');
  assert.equal((await reason(at, 'second paragraph')).run.adapter, own);
});
