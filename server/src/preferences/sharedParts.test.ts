import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decisionOf } from '../../../test/support/ledgerExamples.ts';
import type { LedgerRecord } from '../protocol/index.ts';
import { SharedParts } from './sharedParts.ts';
import { newerSchema, parseStored } from './storedJson.ts';

function recordOf(question: string, version: string): LedgerRecord {
  const { provenance, ...decision } = decisionOf(question);
  assert.ok(provenance);
  return {
    ...{ schema: 1, id: '01JDF3Z0000000000000000000', time: '2026-11-24T12:00:00.000Z', device: 'device01' },
    ...{ ...decision, provenance: { ...provenance, version } },
  };
}

test('given any records, when their parts are shared, then each is written as before', () => {
  const part = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(fc.tuple(part, part), { maxLength: 12 }), (all) => {
      const parts = new SharedParts();
      for (const [question, version] of all) {
        const record = recordOf(question, version);
        const before = JSON.stringify(record);
        parts.share(record);
        assert.equal(JSON.stringify(record), before);
      }
    }),
  );
});

test('given two records of one run, when their parts are shared, then they hold one provenance, and another one with a field more', () => {
  const parts = new SharedParts();
  const [one, other, more] = [recordOf('x', '1'), recordOf('y', '1'), recordOf('z', '1')];
  Object.assign(more.provenance ?? {}, { seenBy: 'a later version' });
  for (const record of [one, other, more]) parts.share(record);
  assert.equal(one.provenance, other.provenance);
  assert.notEqual(one.provenance, more.provenance);
});

test('given a stored text that names __proto__ in any spelling, when it is read, then no field has that name and nothing is inherited', () => {
  for (const name of ['__proto__', '\\u005f_proto__', '__\\u0070roto__', '__proto\\u005F\\u005f']) {
    const value = parseStored(`{"a": 1, "${name}": {"isAdmin": true}, "b": {"${name}": {"x": 1}}}`);
    assert.deepEqual(value, { a: 1, b: {} });
    assert.deepEqual(Object.getOwnPropertyNames(value), ['a', 'b']);
  }
});

test('given values of all kinds, when their schema is looked at, then only a greater whole number is a newer one', () => {
  assert.equal(newerSchema({ schema: 2 }, 1), 2);
  for (const value of [{ schema: 1 }, { schema: '2' }, { schema: 1.5 }, { schema: NaN }, {}, null, [], 'x'])
    assert.equal(newerSchema(value, 1), null);
});
