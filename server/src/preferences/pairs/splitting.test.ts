import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CurationAction, LedgerRecord, PreferencePair } from '../../protocol/index.ts';
import { PreferencePair as Schema } from '../../protocol/index.ts';
import { decisionOf } from '../../../../test/support/ledgerExamples.ts';
import { completionOf, type Sections } from './completion.ts';
import { CuratedPairs, curatedPairs } from './curatedPairs.ts';
import type { CurationRecord } from './curation.ts';
import { pairId } from './derive.ts';

const id = (n: number) => `01JDF3Z${String(n).padStart(19, '0')}`;

function pairOf(
  chosen: Partial<Sections> | null,
  rejected: Partial<Sections> | null,
  more: Partial<PreferencePair> = {},
): PreferencePair {
  const [better, worse] = [chosen && completionOf(chosen), rejected && completionOf(rejected)];
  const content = {
    prompt: [{ role: 'user' as const, content: 'Why is it hard?' }],
    ...{ chosen: better?.text ?? null, rejected: worse?.text ?? null, about: 'whole' as const, ...more },
  };
  return Schema.parse({
    ...{ schema: 1, id: pairId(content), time: '2026-11-24T12:00:00.000Z', signal: 'edit', strength: 0.5 },
    ...{ wants: null, spans: { chosen: better?.spans ?? [], rejected: worse?.spans ?? [] }, passages: [] },
    ...{ note: null, entries: [id(1)], settled: 'unknown', reason: null, provenance: null },
    runs: { chosen: null, rejected: null },
    iterations: { chosen: null, rejected: null },
    ...{ split: 'train', consent: 'given', ...more, ...content },
  });
}

function line(n: number, pair: PreferencePair, action: CurationAction): CurationRecord {
  const record: LedgerRecord = {
    ...{ schema: 1, id: id(n), time: '2026-11-24T13:00:00.000Z', device: 'device01', ...decisionOf('') },
    kind: 'curate',
  };
  const { id: named, entries, about } = pair;
  return { ...record, curation: { pair: named, entries, about, action, change: id(n) } };
}

const sides = (pairs: readonly PreferencePair[]) =>
  pairs.map(({ about, chosen, rejected }) => [about, chosen, rejected]);

const whole = pairOf(
  { thinking: 'Grains matter.', reflection: 'Do they?', answer: 'It is hard by its grains.' },
  { thinking: 'Colour matters.', reflection: 'Do they?', answer: 'It is hard by its colour.' },
);

test('given texts that differ in thinking and answer, when split, then each is a pair behind what the chosen text says before it', () => {
  const parts = curatedPairs([whole], [line(2, whole, { do: 'split' })]);
  const [thinking, doubt] = [
    '<|thinking|>\nGrains matter.\n<|/thinking|>',
    '<|reflect|>\nDo they?\n<|/reflect|>',
  ];
  assert.deepEqual(sides(parts), [
    ['thinking', thinking, '<|thinking|>\nColour matters.\n<|/thinking|>'],
    [
      'answer',
      `${thinking}\n\n${doubt}\n\nIt is hard by its grains.`,
      `${thinking}\n\n${doubt}\n\nIt is hard by its colour.`,
    ],
  ]);
  for (const part of parts)
    assert.deepEqual([part.curation?.partOf, part.entries], [whole.id, whole.entries]);
});

const edited = pairOf(
  { answer: 'Small grains make it hard. Nobody knows why. It is strong, too.' },
  { answer: 'Big grains make it hard. Nobody knows why. It is weak, too.' },
);

test('given answers that differ in two places, when split, then each undoes one of them, and a part that is flipped or excluded is so alone', () => {
  const parts = curatedPairs([edited], [line(2, edited, { do: 'split' })]);
  assert.deepEqual(
    parts.map(({ chosen, rejected }) => [chosen, rejected]),
    [
      [edited.chosen, 'Big grains make it hard. Nobody knows why. It is strong, too.'],
      [edited.chosen, 'Small grains make it hard. Nobody knows why. It is weak, too.'],
    ],
  );
  const [first, second] = parts;
  assert.ok(first && second);
  const records = [
    line(2, edited, { do: 'split' }),
    line(3, first, { do: 'exclude', reason: 'a matter of taste' }),
    line(4, second, { do: 'flip' }),
  ];
  const [taste, flipped] = curatedPairs([edited], records);
  assert.equal(taste?.curation?.excluded, 'a matter of taste');
  assert.deepEqual([flipped?.chosen, flipped?.rejected], [second.rejected, second.chosen]);
});

test('given a split pair, when it is whole again and split anew, then its parts are as they were left', () => {
  const [part] = curatedPairs([edited], [line(2, edited, { do: 'split' })]);
  assert.ok(part);
  const records = [
    line(2, edited, { do: 'split' }),
    line(3, part, { do: 'tag', tag: 'size', on: true }),
    line(4, edited, { do: 'revert', to: null }),
  ];
  assert.deepEqual(sides(curatedPairs([edited], records)), sides([edited]));
  const again = curatedPairs([edited], [...records, line(5, edited, { do: 'split' })]);
  assert.deepEqual(
    again.map(({ curation }) => curation?.tags),
    [['size'], []],
  );
});

test('given what has one text, or differs in one place, when it is to be split, then a sentence says why not, and a line that says so is passed over', () => {
  const lone = pairOf({ answer: 'Grains.' }, null);
  const one = pairOf({ answer: 'By its grains.' }, { answer: 'By its colour.' });
  const curated = new CuratedPairs([lone, one], []);
  for (const [pair, reason] of [
    [lone, /one text only/],
    [one, /one place only/],
  ] as const) {
    const record = line(2, pair, { do: 'split' });
    const outcome = curated.trial(record.curation);
    assert.match('problem' in outcome ? outcome.problem : '', reason);
    curated.add(record);
  }
  assert.deepEqual(sides(curated.present().map(({ pair }) => pair)), sides([lone, one]));
});

const accepted = pairOf({ answer: 'By its grains.' }, null, { signal: 'accept', wants: 'rejected' });
const refused = pairOf(
  null,
  { answer: 'By its colour.' },
  {
    ...{
      signal: 'reject',
      reason: 'Colour is no cause.',
      strength: 0.7,
      entries: [id(9)],
      split: 'held-out',
    },
  },
);
const merge = (n: number, one: PreferencePair, other: PreferencePair): CurationRecord =>
  line(n, one, { do: 'merge', with: other.id, entries: other.entries });

test('given a lone accept and a lone reject of one question, when merged either way, then they are one pair, and held out as either was', () => {
  for (const [one, other] of [
    [accepted, refused],
    [refused, accepted],
  ] as const) {
    const [pair, ...rest] = curatedPairs([accepted, refused], [merge(20, one, other)]);
    assert.deepEqual(rest, []);
    assert.deepEqual(
      [pair?.chosen, pair?.rejected, pair?.wants, pair?.split, pair?.strength, pair?.reason],
      ['By its grains.', 'By its colour.', null, 'held-out', 0.7, 'Colour is no cause.'],
    );
    assert.deepEqual(pair?.entries, [id(1), id(9)]);
    assert.deepEqual(pair.curation?.merged, [other.id]);
  }
});

test('given merged pairs, when that is taken back or the other one is forgotten, then each stands as it did', () => {
  const merged = merge(20, accepted, refused);
  const back = line(21, accepted, { do: 'revert', to: null });
  assert.deepEqual(sides(curatedPairs([accepted, refused], [merged, back])), sides([accepted, refused]));
  assert.deepEqual(sides(curatedPairs([accepted], [merged])), sides([accepted]));
  assert.deepEqual(sides(curatedPairs([refused], [merged])), sides([refused]));
});

test('given pairs that have nothing to do with each other, when they are to be merged, then a sentence says why not', () => {
  const elsewhere = pairOf(
    null,
    { answer: 'By its colour.' },
    {
      prompt: [{ role: 'user', content: 'Why is it red?' }],
    },
  );
  const ofThinking = pairOf(null, { thinking: 'Colour.' }, { about: 'thinking' });
  const other = pairOf({ answer: 'By its texture.' }, null);
  const curated = new CuratedPairs([accepted, refused, elsewhere, ofThinking, other], []);
  for (const [pair, reason] of [
    [elsewhere, /different questions/],
    [ofThinking, /about the whole/],
    [other, /side that the other lacks/],
    [accepted, /same pair/],
    [pairOf({ answer: 'gone' }, null), /not there any more/],
  ] as const) {
    const outcome = curated.trial(merge(20, accepted, pair).curation);
    assert.match('problem' in outcome ? outcome.problem : '', reason);
  }
  curated.add(merge(20, accepted, refused));
  const twice = curated.trial(merge(21, other, refused).curation);
  assert.match('problem' in twice ? twice.problem : '', /stand for it by now/);
});

test('given any splits, merges and reverts of two devices, when they are folded in, then every pair that stands fits the schema, once, and none is lost', () => {
  const pairs = [whole, edited, accepted, refused];
  const pool = [
    ...pairs,
    ...curatedPairs([whole, edited], [line(2, whole, { do: 'split' }), line(3, edited, { do: 'split' })]),
  ];
  const which = fc.constantFrom(...pool);
  const change = fc.tuple(
    which,
    fc.oneof(
      fc.constant<CurationAction>({ do: 'split' }),
      fc.constant<CurationAction>({ do: 'flip' }),
      which.map((other): CurationAction => ({ do: 'merge', with: other.id })),
      fc.option(fc.integer({ min: 10, max: 20 }).map(id)).map((to): CurationAction => ({ do: 'revert', to })),
    ),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 10 }), (changes) => {
      const curated = new CuratedPairs(
        pairs,
        changes.map(([pair, action], at) => line(10 + at, pair, action)),
      );
      const present = curated.present();
      for (const { pair } of present) Schema.parse(pair);
      assert.equal(new Set(present.map(({ origin }) => origin)).size, present.length);
      // Whatever rests has something that stands for it.
      const stands = new Set(present.map(({ origin }) => origin));
      const standsFor = (origin: string, seen: readonly string[] = []): boolean => {
        if (stands.has(origin)) return true;
        if (seen.includes(origin)) return false;
        const { parts = null } = curated.get(origin)?.states.at(-1) ?? {};
        const into = [...curated.all()].filter(({ states }) => states.at(-1)?.merged.includes(origin));
        return [...(parts ?? []), ...into.map((one) => one.origin)].some((one) =>
          standsFor(one, [...seen, origin]),
        );
      };
      for (const { id: origin } of pairs) assert.ok(standsFor(origin), origin);
    }),
  );
});
