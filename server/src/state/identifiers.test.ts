import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTime } from 'ulid';
import { nextUlid, ulidSource } from './identifiers.ts';

const form = /^[0-9A-HJKMNP-TV-Z]{26}$/;

test('given any sequence of clock readings, backwards too, when ids are made, then they increase strictly', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_102_444_800_000 }), { minLength: 2 }), (readings) => {
      let tick = 0;
      const next = ulidSource(() => readings[tick++] ?? 0);
      const ids = readings.map(() => next());
      assert.deepEqual(ids, [...new Set(ids)].sort());
      assert.ok(ids.every((id) => form.test(id)));
    }),
  );
});

test('given a clock that runs on, when an id is made, then it tells that time', () => {
  const now = Date.UTC(2026, 10, 24, 12);
  assert.equal(decodeTime(nextUlid(now, null)), now);
  assert.equal(decodeTime(nextUlid(now, '01ARZ3NDEKTSV4RRFFQ69G5FAV')), now);
});

test('given a last id from the end of time or none at all, when an id is made, then it is still one, and new', () => {
  for (const last of ['7ZZZZZZZZZZZZZZZZZZZZZZZZZ', 'ZZZZZZZZZZZZZZZZZZZZZZZZZZ', 'no id', '']) {
    const id = nextUlid(Date.now(), last);
    assert.match(id, form);
    assert.notEqual(id, last);
  }
});

test('given two processes that continue from the same id at the same time, when each makes one, then they differ', () => {
  const now = 1000;
  const last = nextUlid(5000, null);
  assert.notEqual(nextUlid(now, last), nextUlid(now, last));
});
