import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { preflexorMarkers, type MarkerProfile, type Segment } from '../protocol/index.ts';
import { readSegments, SegmentReader, textOf } from './segments.ts';

function shown(segments: readonly Segment[]): string[] {
  return segments.map(({ kind, text, problems }) => [kind, text, ...problems].join(':'));
}

const cases: readonly { given: string; text: string; then: string[] }[] = [
  {
    given: 'all three sections in order',
    text: '<|thinking|>a<|/thinking|><|reflect|>b<|/reflect|>c',
    then: ['thinking:a', 'reflection:b', 'answer:c'],
  },
  { given: 'no marker at all', text: 'just text', then: ['answer:just text'] },
  { given: 'an empty text', text: '', then: [] },
  { given: 'only a start marker', text: 'x<|thinking|>a b', then: ['answer:x', 'thinking:a b:unclosed'] },
  { given: 'only an end marker', text: 'a b<|/thinking|>c', then: ['thinking:a b:stray-end', 'answer:c'] },
  {
    given: 'repeated sections',
    text: '<|thinking|>a<|/thinking|> <|thinking|>b<|/thinking|>c',
    then: ['thinking:a', 'thinking:b', 'answer:c'],
  },
  {
    given: 'a section inside another of its kind',
    text: '<|thinking|>a<|thinking|>b<|/thinking|>c<|/thinking|>d',
    then: ['thinking:a:nested', 'thinking:b:nested', 'thinking:c', 'answer:d'],
  },
  {
    given: 'a reflection that was opened before the thinking was closed',
    text: '<|thinking|>a<|reflect|>b<|/reflect|>c',
    then: ['thinking:a:nested', 'reflection:b:nested', 'thinking:c:unclosed'],
  },
  {
    given: 'an end marker of another section inside an open one',
    text: '<|thinking|>a<|/reflect|>b<|/thinking|>c',
    then: ['thinking:ab:stray-end', 'answer:c'],
  },
  {
    given: 'the outer end marker before the inner one',
    text: '<|thinking|>a<|reflect|>b<|/thinking|>c',
    then: ['thinking:a:nested', 'reflection:b:nested:unclosed', 'answer:c'],
  },
  {
    given: 'the spelling <|reflection|>',
    text: '<|reflection|>b<|/reflection|>c',
    then: ['reflection:b', 'answer:c'],
  },
  {
    given: 'an end marker after an answer',
    text: '<|thinking|>a<|/thinking|>b<|/thinking|>c',
    then: ['thinking:a', 'thinking:b:stray-end', 'answer:c'],
  },
  { given: 'an empty section', text: '<|thinking|><|/thinking|>c', then: ['thinking:', 'answer:c'] },
  { given: 'half a marker at the end', text: 'a <|think', then: ['answer:a <|think'] },
  { given: 'something that only looks like a marker', text: '<|thinker|>a', then: ['answer:<|thinker|>a'] },
];

for (const { given, text, then } of cases) {
  test(`given ${given}, when it is read, then the sections are as the method says`, () => {
    assert.deepEqual(shown(readSegments(text, preflexorMarkers)), then);
  });
}

const thinkProfile: MarkerProfile = {
  id: 'qwen-think',
  thinking: { start: '<think>', end: '</think>' },
  reflection: preflexorMarkers.reflection,
};

test('given a model with markers of its own, when its text is read, then they give the same sections', () => {
  assert.deepEqual(shown(readSegments('<think>a</think>b', thinkProfile)), ['thinking:a', 'answer:b']);
});

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      '<|thinking|>',
      '<|/thinking|>',
      '<|reflect|>',
      '<|/reflect|>',
      '<|reflection|>',
      '<|',
      '<',
    ),
    fc.string({ maxLength: 6 }),
  ),
  { maxLength: 20 },
);

test('given any text, when it comes in any pieces, then the segments are those of the whole text', () => {
  fc.assert(
    fc.property(pieces, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (parts, sizes) => {
      const text = parts.join('');
      const reader = new SegmentReader(preflexorMarkers);
      for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.push(text.slice(at, at + size));
        at += size;
      }
      reader.end();
      assert.deepEqual(reader.segments(), readSegments(text, preflexorMarkers));
    }),
    { numRuns: 2000 },
  );
});

test('given any text, when it is read, then its events tell the same story as its segments', () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const reader = new SegmentReader(preflexorMarkers);
      const events = [...parts.flatMap((part) => reader.push(part)), ...reader.end()];
      const told: { kind: string; text: string }[] = [];
      for (const event of events) {
        const last = told.at(-1);
        if (event.event === 'open') told.push({ kind: event.kind, text: '' });
        else if (event.event === 'text' && last) last.text += event.text;
        else if (event.event === 'reclassify' && last) last.kind = event.kind;
      }
      const kept = told.filter((segment) => segment.kind !== 'answer' || segment.text.trim() !== '');
      assert.deepEqual(
        kept,
        reader.segments().map(({ kind, text }) => ({ kind, text })),
      );
    }),
    { numRuns: 2000 },
  );
});

test('given text with its tokens, when it is read, then each token lies in one section or in a marker', () => {
  const reader = new SegmentReader(preflexorMarkers);
  for (const piece of ['<|', 'thinking', '|>', 'one', ' two', '<|', '/', 'thinking', '|>', 'yes'])
    reader.push(piece, 1);
  reader.end();
  assert.deepEqual(
    reader.segments().map(({ kind, tokens, withMarkers }) => ({ kind, tokens, withMarkers })),
    [
      { kind: 'thinking', tokens: { start: 3, end: 5 }, withMarkers: { start: 0, end: 9 } },
      { kind: 'answer', tokens: { start: 9, end: 10 }, withMarkers: { start: 9, end: 10 } },
    ],
  );
});

test('given several thinking sections, when their text is asked for, then they are joined in order', () => {
  const segments = readSegments('<|thinking|> a <|/thinking|><|thinking|>b<|/thinking|>c', preflexorMarkers);
  assert.equal(textOf(segments, 'thinking'), 'a\n\nb');
  assert.equal(textOf(segments, 'reflection'), '');
});
