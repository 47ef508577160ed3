// A passage is found where it stands now, or it is said that it is gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Passage } from '../../server/src/protocol/index.ts';
import { placeOf } from './passagePlace.ts';

function passageAt(text: string, start: number, end: number): Passage {
  const part = text.slice(start, end);
  return { id: 'p', source: 'a.md', heading: [], page: null, start, end, text: part, score: 1 };
}

const text = 'Copper is red.\n\nSmall grains make\nan alloy hard.\n\nGold is yellow.\n';
const start = text.indexOf('Small');
const passage = passageAt(text, start, text.indexOf('\n\nGold'));

test('given a document as it was indexed, when a passage is looked for, then it is where the index says', () => {
  assert.deepEqual(placeOf(text, passage), { start, end: passage.end, moved: false });
});

test('given text that was put before it, when a passage is looked for, then it is found where it is now', () => {
  const before = 'A new paragraph.\n\n';
  assert.deepEqual(placeOf(before + text, passage), {
    start: start + before.length,
    end: passage.end + before.length,
    moved: true,
  });
});

test('given its text twice, when a passage is looked for, then the nearer one is it', () => {
  const changed = `${passage.text}\n\n${'x'.repeat(start)}\n${passage.text}\n`;
  assert.equal(placeOf(changed, passage)?.start, changed.indexOf(passage.text));
});

test('given other line ends, when a passage is looked for, then it is found by its words', () => {
  const changed = text.replaceAll('\n', '\r\n');
  const place = placeOf(changed, passage);
  assert.equal(changed.slice(place?.start, place?.end), 'Small grains make\r\nan alloy hard.');
});

test('given a passage that was rewritten, when it is looked for, then it is not there', () => {
  assert.equal(placeOf(text.replace('hard', 'soft'), passage), null);
  assert.equal(placeOf(text, passageAt(text, 3, 3)), null);
});

test('given any text and any edit before a stretch of it, when the stretch is looked for, then the place found has its words', () => {
  const words = fc.array(fc.constantFrom('grain', 'steel', 'and', '\n', '\r\n', ' '), { maxLength: 30 });
  fc.assert(
    fc.property(words, words, fc.nat(), fc.nat(), (parts, inserted, a, b) => {
      const whole = parts.join(' ');
      const [from = 0, to = 0] = [a % (whole.length + 1), b % (whole.length + 1)].sort((x, y) => x - y);
      const wanted = passageAt(whole, from, to);
      const changed = inserted.join(' ') + whole;
      const place = placeOf(changed, wanted);
      const bare = (some: string): string => some.replace(/\s+/g, '');
      if (bare(wanted.text) === '') return;
      assert.equal(bare(changed.slice(place?.start, place?.end)), bare(wanted.text));
    }),
  );
});
