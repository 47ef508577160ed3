import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decisionOf } from '../../../test/support/ledgerExamples.ts';
import { LedgerRecord } from '../protocol/index.ts';
import { isUsualRecord } from './usualRecord.ts';

const usual = {
  ...{ schema: 1, id: '01JDF3Z0000000000000000000', time: '2026-11-24T12:00:00.000Z', device: 'device01' },
  ...decisionOf('Why?'),
};

/** Every place in a value, as the names that lead there. */
function placesIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([name, own]) => placesIn(own, [...path, name]))];
}

function changed(value: unknown, [name, ...rest]: readonly string[], to: unknown): unknown {
  if (name === undefined) return to;
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  if (rest.length === 0 && to === undefined) {
    const { [name]: _, ...others } = copy;
    return others;
  }
  copy[name] = changed(copy[name], rest, to);
  return copy;
}

/** What may stand where something else is expected, `undefined`: nothing. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, [], {}, '', 'x', 'offer', -1, 0, 1.5, 2 ** 60, NaN, -0),
  fc.constantFrom('2026-02-29T12:00:00.000Z', '2026-13-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z'),
  fc.constantFrom('01JDF3Z000000000000000000I', '01JDF3Z0000000000000000000\n', 'device01\n', 'UPPERCASE'),
  fc.constantFrom<unknown>({ start: 3, end: 1 }, { start: 1, end: 3 }, new Date(0).toISOString()),
  fc.anything(),
);

test('given a usual record with anything at any place of it, when it is looked at, then nothing passes that the schema refuses', () => {
  const places = placesIn(usual);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...places), odd), { maxLength: 2 }), (changes) => {
      let value: unknown = usual;
      for (const [place, to] of changes) {
        try {
          value = changed(value, place, to);
        } catch {
          // What the place was in is gone by the change before.
        }
      }
      if (isUsualRecord(value)) assert.ok(LedgerRecord.safeParse(value).success, JSON.stringify(value));
    }),
    { numRuns: 3000 },
  );
});

test('given records as they are written, when they are looked at, then the quick look knows them', () => {
  assert.ok(isUsualRecord(usual));
  assert.ok(isUsualRecord({ ...usual, provenance: null, run: null, unknown: 'field' }));
  assert.ok(!isUsualRecord({ ...usual, over: 1 }));
});
