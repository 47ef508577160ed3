import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventData } from './events.ts';

async function* pieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1))].sort((a, b) => a - b)) {
    if (cut > from) yield bytes.slice(from, cut);
    from = Math.max(from, cut);
    await Promise.resolve();
  }
  yield bytes.slice(from);
}

async function gathered(bytes: Uint8Array, cuts: readonly number[]): Promise<string[]> {
  const data: string[] = [];
  for await (const one of eventData(pieces(bytes, cuts))) data.push(one);
  return data;
}

test('given any events and any cuts through the bytes, when they are read, then each event’s data comes whole', async () => {
  const line = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => !/[\r\n]/.test(text) && !text.startsWith(' '));
  const ends = fc.constantFrom('\n', '\r\n');
  await fc.assert(
    fc.asyncProperty(fc.array(line), ends, fc.array(fc.nat()), async (lines, end, cuts) => {
      const text = lines.map((data) => `: a comment${end}event: x${end}data: ${data}${end}${end}`).join('');
      assert.deepEqual(await gathered(new TextEncoder().encode(text), cuts), lines);
    }),
  );
});

test('given data on several lines and a last event without its blank line, when they are read, then nothing is lost', async () => {
  const bytes = new TextEncoder().encode('data: one\ndata:two\n\ndata: last');
  assert.deepEqual(await gathered(bytes, []), ['one\ntwo', 'last']);
});
