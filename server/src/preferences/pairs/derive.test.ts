import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DecisionKind, DecisionTexts, LedgerRecord, PreferencePair, Run } from '../../protocol/index.ts';
import { PreferencePair as Schema } from '../../protocol/index.ts';
import { decisionOf, runOf } from '../../../../test/support/ledgerExamples.ts';
import { completionOf, spansIn } from './completion.ts';
import { derivePairs, type DeriveOptions } from './derive.ts';
import type { PresentNote } from './settled.ts';

const never = new AbortController().signal;
const id = (n: number) => `01JDF3Z${String(n).padStart(19, '0')}`;
const day = Date.UTC(2026, 10, 24, 12);

/** A record; what the texts leave open is the same for all: one question about one paragraph. */
function recordOf(
  n: number,
  kind: DecisionKind,
  texts: Partial<DecisionTexts> = {},
  more: Record<string, unknown> = {},
): LedgerRecord {
  const { texts: _, ...decision } = decisionOf('x');
  const all = {
    ...{ question: 'Why?', paragraph: 'Grains are small.', thinking: '', reflection: '' },
    ...{ offered: 'offered', result: null, reason: null, ...texts },
  };
  const time = new Date(day + n * 1000).toISOString();
  return {
    ...decision,
    provenance: null,
    schema: 1,
    id: id(n),
    time,
    device: 'device01',
    kind,
    texts: all,
    ...more,
  };
}

interface Given {
  readonly runs?: readonly Run[];
  readonly note?: Partial<PresentNote>;
  readonly options?: Partial<DeriveOptions>;
}

function derive(records: readonly LedgerRecord[], { runs = [], note, options }: Given = {}) {
  const notes = new Map<string, PresentNote>();
  if (note) notes.set('notes/a.md', { text: '', modified: day, recording: true, ...note });
  const history = { records, runs: new Map(runs.map((run) => [run.id, run])), notes };
  const split = { share: 0, since: null };
  return derivePairs(history, { now: day + 86_400_000, quietMs: 60_000, split, ...options }, never);
}

const shown = ({ signal, chosen, rejected }: PreferencePair) => [signal, chosen, rejected];

test('given an accepted edit, when derived, then what the writer left standing is chosen over what the model wrote', async () => {
  const [pair, ...others] = await derive([
    recordOf(1, 'accept-edited', {
      thinking: 'hm',
      reflection: 'well',
      offered: 'Bad end.',
      result: 'Good end.',
    }),
  ]);
  assert.ok(pair);
  assert.deepEqual(others, []);
  const before = '<|thinking|>\nhm\n<|/thinking|>\n\n<|reflect|>\nwell\n<|/reflect|>\n\n';
  assert.deepEqual(shown(pair), ['edit', `${before}Good end.`, `${before}Bad end.`]);
  const spans = pair.spans.chosen.map(({ kind, content }) => [
    kind,
    pair.chosen?.slice(content.start, content.end),
  ]);
  assert.deepEqual(spans, [
    ['thinking', 'hm'],
    ['reflection', 'well'],
    ['answer', 'Good end.'],
  ]);
  assert.deepEqual(pair.prompt, [{ role: 'user', content: 'Why?\n\nGrains are small.' }]);
  assert.equal(pair.wants, null);
});

test('given the prompt that was sent, when derived, then its turns are the prompt, and provenance does not repeat it', async () => {
  const { provenance } = decisionOf('x');
  assert.ok(provenance);
  const prompt = '[system]\nBe brief.\nAlways.\n\n[user]\nWhy?\n\n[user]\nquoted';
  const record = recordOf(1, 'accept', {}, { provenance: { ...provenance, prompt } });
  const [pair] = await derive([record]);
  assert.deepEqual(pair?.prompt, [
    { role: 'system', content: 'Be brief.\nAlways.' },
    { role: 'user', content: 'Why?\n\n[user]\nquoted' },
  ]);
  assert.ok(pair.provenance && !('prompt' in pair.provenance));
});

test('given a rejection, another and an acceptance on one paragraph, when derived, then the accepted text is chosen over both', async () => {
  const pairs = await derive([
    recordOf(1, 'regenerate', { offered: 'first', reason: 'too long' }, { block: 'block1' }),
    recordOf(2, 'reject', { offered: 'second' }, { block: 'block2' }),
    recordOf(3, 'accept', { offered: 'third', result: 'third' }, { block: 'block3' }),
    recordOf(4, 'reject', { offered: 'elsewhere', paragraph: 'Another.' }, { block: 'block4' }),
  ]);
  assert.deepEqual(pairs.map(shown), [
    ['regenerate', 'third', 'first'],
    ['regenerate', 'third', 'second'],
    ['reject', null, 'elsewhere'],
  ]);
  const [first] = pairs;
  assert.deepEqual([first?.reason, first?.entries], ['too long', [id(1), id(3)]]);
});

test('given a rejection after the acceptance, when derived, then it is not held against what was accepted before', async () => {
  const pairs = await derive([
    recordOf(1, 'accept', { offered: 'first', result: 'first' }, { block: 'block1' }),
    recordOf(2, 'reject', { offered: 'second' }, { block: 'block2' }),
  ]);
  assert.deepEqual(pairs.map(shown), [
    ['accept', 'first', null],
    ['reject', null, 'second'],
  ]);
  assert.deepEqual(
    pairs.map(({ wants }) => wants),
    ['rejected', null],
  );
});

test('given two acceptances after one rejection, when derived, then the rejected text is held against the first alone', async () => {
  const pairs = await derive([
    recordOf(1, 'reject', { offered: 'no' }, { block: 'block1' }),
    recordOf(2, 'accept', { offered: 'first', result: 'first' }, { block: 'block2' }),
    recordOf(3, 'accept', { offered: 'second', result: 'second' }, { block: 'block3' }),
  ]);
  assert.deepEqual(pairs.map(shown), [
    ['regenerate', 'first', 'no'],
    ['accept', 'second', null],
  ]);
});

test('given a rejection of a text that was compared already, when derived, then it does not stand alone as well', async () => {
  const pairs = await derive([
    recordOf(1, 'accept-edited', { offered: 'a', result: 'b' }, { block: 'block1' }),
    recordOf(2, 'reject', { offered: 'a' }, { block: 'block2' }),
  ]);
  assert.deepEqual(pairs.map(shown), [['edit', 'b', 'a']]);
});

test('given hunks refused after an edit was accepted, when derived, then both stand; before it, the edit says it better', async () => {
  const edit = (n: number) => recordOf(n, 'accept-edited', { offered: 'a b', result: 'a c' });
  const hunk = (n: number) => recordOf(n, 'hunk', { offered: 'a b', result: 'a' });
  const after = await derive([edit(1), hunk(2)]);
  assert.deepEqual(
    after.map(({ signal }) => signal),
    ['edit', 'hunk'],
  );
  const before = await derive([hunk(1), edit(2)]);
  assert.deepEqual(
    before.map(({ signal }) => signal),
    ['edit'],
  );
});

test('given a rejection with a reason, when derived, then it counts more than one without', async () => {
  const [silent] = await derive([recordOf(1, 'reject')]);
  const [said] = await derive([recordOf(1, 'reject', { reason: 'wrong' })]);
  assert.ok((said?.strength ?? 0) > (silent?.strength ?? 1));
});

test('given a block decided twice, when derived, then the later decision stands alone', async () => {
  const pairs = await derive([
    recordOf(1, 'accept', { offered: 'one', result: 'one' }),
    recordOf(2, 'reject', { offered: 'one' }),
  ]);
  assert.deepEqual(pairs.map(shown), [['reject', null, 'one']]);
});

function twoIterations(best = 1): Run {
  const [draft] = runOf(id(9)).iterations;
  assert.ok(draft);
  const second = { ...draft, index: 1, thinking: 'hm again', answer: 'Therefore.' };
  const third = { ...draft, index: 2, thinking: 'and again', answer: 'Hence.' };
  return runOf(id(9), { iterations: [draft, second, third], best });
}

test('given a pick of another iteration than the one on offer, when derived, then it is chosen over that one', async () => {
  const run = twoIterations();
  const pairs = await derive([recordOf(1, 'pick', {}, { run: run.id, iteration: 2 })], { runs: [run] });
  const [pair, ...others] = pairs;
  assert.ok(pair);
  assert.deepEqual(others, []);
  assert.deepEqual(pair.iterations, { chosen: 2, rejected: 1 });
  assert.match(pair.chosen ?? '', /and again[^]*Hence\.$/);
  assert.match(pair.rejected ?? '', /hm again[^]*Therefore\.$/);
});

test('given a pick that names what it was made over, when derived, then it is chosen over each of those', async () => {
  const run = twoIterations();
  for (const over of [0, [0]]) {
    const pairs = await derive([recordOf(1, 'pick', {}, { run: run.id, iteration: 1, over })], {
      runs: [run],
    });
    assert.deepEqual(
      pairs.map(({ iterations }) => iterations),
      [{ chosen: 1, rejected: 0 }],
    );
  }
});

test('given a pick whose run is not stored, when derived, then the texts of the record are compared', async () => {
  const pairs = await derive([
    recordOf(1, 'pick', { offered: 'old', result: 'new' }, { run: id(9), iteration: 2 }),
  ]);
  assert.deepEqual(pairs.map(shown), [['pick', 'new', 'old']]);
});

test('given hunks of which some were refused, when derived, then the mixed text is chosen; none or all give no hunk pair', async () => {
  const texts = { offered: 'a b c', paragraph: 'x y z' };
  const mixed = await derive([
    recordOf(1, 'hunk', { ...texts, result: 'a y z' }),
    recordOf(2, 'hunk', { ...texts, result: 'a b z' }),
  ]);
  assert.deepEqual(mixed.map(shown), [['hunk', 'a b z', 'a b c']]);
  assert.deepEqual(await derive([recordOf(1, 'hunk', { ...texts, result: 'x y z' })]), []);
  assert.deepEqual(await derive([recordOf(1, 'hunk', { ...texts, result: 'a b c' })]), []);
  const refused = await derive([
    recordOf(1, 'hunk', { ...texts, result: 'a b z' }),
    recordOf(2, 'reject', texts),
  ]);
  assert.deepEqual(refused.map(shown), [['reject', null, 'a b c']]);
});

test('given ratings of two iterations, one up and one down, when derived, then the sections are paired up to the rated one', async () => {
  const run = twoIterations();
  const rate = (n: number, iteration: number, rating: unknown) =>
    recordOf(n, 'rate', {}, { run: run.id, iteration, rating });
  const pairs = await derive(
    [
      rate(1, 0, { segment: 'thinking', value: 'up' }),
      rate(2, 0, { segment: 'thinking', value: -1 }),
      rate(3, 1, { segment: 'thinking', value: 1 }),
      rate(4, 2, { segment: 'reflection', value: 'up' }),
      rate(5, 1, { segment: 'answer', value: 'down' }),
      rate(6, 1, { segment: 'answer', value: 0 }),
    ],
    { runs: [run] },
  );
  assert.deepEqual(
    pairs.map(({ about, chosen, rejected }) => [about, chosen, rejected]),
    [
      ['thinking', '<|thinking|>\nhm again\n<|/thinking|>', '<|thinking|>\nhm\n<|/thinking|>'],
      ['reflection', '<|thinking|>\nand again\n<|/thinking|>\n\n<|reflect|>\nwell\n<|/reflect|>', null],
    ],
  );
});

const accepted = recordOf(1, 'accept', {
  paragraph: 'Grains are small and this matters for strength.',
  offered: 'Small grains raise the strength of steel by grain boundaries.',
  result: 'Small grains raise the strength of steel by grain boundaries.',
});

test('given an accepted text that was rewritten since, when derived after a quiet time, then the rewriting is chosen', async () => {
  const text =
    '# T\n\nIntro words here.\n\nSmall grains raise the strength of mild steel, for boundaries stop slip.\n';
  const [pair, ...others] = await derive([accepted], { note: { text } });
  assert.deepEqual(others, []);
  assert.equal(pair?.signal, 'settled');
  assert.equal(pair.settled, 'rewritten');
  assert.equal(pair.chosen, 'Small grains raise the strength of mild steel, for boundaries stop slip.');
  assert.equal(pair.rejected, accepted.texts.offered);
});

test('given the same while the note is still being written, when derived, then the click alone counts', async () => {
  const text = 'Small grains raise the strength of mild steel, for boundaries stop slip.\n';
  const now = day + 30_000;
  const [pair] = await derive([accepted], { note: { text }, options: { now } });
  assert.deepEqual([pair?.signal, pair?.settled], ['accept', 'unknown']);
});

test('given an accepted text that stands, on other lines, when derived, then it is kept', async () => {
  const text = 'Before.\nSmall grains raise the strength\nof steel by grain boundaries. More.\n';
  const [pair] = await derive([accepted], { note: { text } });
  assert.deepEqual([pair?.signal, pair?.settled], ['accept', 'kept']);
});

test('given an accepted text that is gone while its paragraph still stands, when derived, then that is no rewriting', async () => {
  for (const text of [
    'Grains are small and this matters for strength.\n',
    'Grains are small, and this matters for strength.\n',
    'Nothing of the kind.\n',
  ]) {
    const [pair] = await derive([accepted], { note: { text } });
    assert.deepEqual([pair?.signal, pair?.settled], ['accept', 'gone'], text);
  }
});

test('given an accepted text that was asked about again, when derived, then what came of that is no rewriting of it', async () => {
  const again = recordOf(
    2,
    'accept',
    {
      paragraph: accepted.texts.offered,
      offered: 'Small grains raise the strength of steel by boundaries, as Hall showed.',
      result: 'Small grains raise the strength of steel by boundaries, as Hall showed.',
    },
    { block: 'block2' },
  );
  const text = 'Small grains raise the strength of steel by boundaries, as Hall showed.\n';
  const pairs = await derive([accepted, again], { note: { text } });
  assert.deepEqual(
    pairs.map(({ settled }) => settled),
    ['unknown', 'kept'],
  );
  assert.deepEqual(
    pairs.map(({ signal }) => signal),
    ['accept', 'accept'],
  );
});

test('given a note with recording off, when derived, then its pairs say that consent is withdrawn', async () => {
  const [off] = await derive([accepted], { note: { text: accepted.texts.offered, recording: false } });
  assert.equal(off?.consent, 'withdrawn');
  const [on] = await derive([accepted]);
  assert.equal(on?.consent, 'given');
});

test('given pairs of many notes, when split, then a note and a subject are never on both sides, and time can hold out', async () => {
  const records = Array.from({ length: 200 }, (_, n) =>
    recordOf(
      n,
      'reject',
      { offered: `o${n}`, paragraph: `p${n % 90}` },
      {
        block: `block${n}`,
        note: { path: `notes/${n % 30}.md`, hash: '', range: { start: 0, end: 1 } },
      },
    ),
  );
  const pairs = await derive(records, { options: { split: { share: 0.3, since: null } } });
  assert.equal(pairs.length, 200);
  assert.deepEqual([...new Set(pairs.map(({ split }) => split))].sort(), ['held-out', 'train']);
  const sides = Map.groupBy(pairs, ({ note }) => note?.path);
  for (const [note, own] of sides) assert.equal(new Set(own.map(({ split }) => split)).size, 1, note);
  const since = new Date(day + 50_000).toISOString();
  const late = await derive(records, { options: { split: { share: 0, since } } });
  // The subjects 0 to 49 were first decided on before it: their later decisions go with them.
  const held = late.filter(({ split }) => split === 'held-out').map(({ prompt }) => prompt[0]?.content ?? '');
  assert.deepEqual(
    [...new Set(held)].sort(),
    Array.from({ length: 40 }, (_, n) => `Why?\n\np${n + 50}`).sort(),
  );
});

test('given sections, when made a completion, then the tolerant reader finds them where the spans say', () => {
  const section = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '.', 'é', '🙂') });
  fc.assert(
    fc.property(section, section, section, (thinking, reflection, answer) => {
      const { text, spans } = completionOf({ thinking, reflection, answer });
      assert.deepEqual(spansIn(text), spans);
    }),
  );
});

const anyRecord = fc.record({
  kind: fc.constantFrom<DecisionKind>(
    'offer',
    'accept',
    'accept-edited',
    'reject',
    'regenerate',
    'pick',
    'hunk',
    'rate',
  ),
  block: fc.constantFrom('block1', 'block2', 'block3'),
  question: fc.constantFrom('Why?', 'How?'),
  offered: fc.constantFrom('a', 'b', 'c'),
  result: fc.option(fc.constantFrom('a', 'b', 'c', 'd')),
  iteration: fc.nat(3),
  rating: fc.record({ segment: fc.constantFrom('thinking', 'answer'), value: fc.constantFrom(1, -1) }),
  run: fc.option(fc.constant(id(9))),
});

test('given any interleaving of decisions, when derived, then no preference contradicts another, in however many steps', async () => {
  const run = twoIterations();
  await fc.assert(
    fc.asyncProperty(fc.array(anyRecord, { maxLength: 14 }), async (given) => {
      const records = given.map(({ kind, question, offered, result, ...more }, n) =>
        recordOf(n, kind, { question, offered, result }, more),
      );
      const pairs = await derive(records, { runs: [run] });
      for (const pair of pairs) assert.ok(Schema.safeParse(pair).success);
      assert.equal(new Set(pairs.map((pair) => pair.id)).size, pairs.length);
      for (const own of Map.groupBy(pairs, ({ prompt }) => JSON.stringify(prompt)).values()) {
        let better = own.filter(({ chosen, rejected }) => chosen !== null && rejected !== null);
        // Takes away, again and again, what nothing is better than: with a circle something is left.
        for (let before = -1; before !== better.length;) {
          before = better.length;
          const beaten = new Set(better.map(({ rejected }) => rejected));
          better = better.filter(({ chosen }) => beaten.has(chosen));
        }
        assert.deepEqual(better.map(shown), []);
        const alone = own.filter(({ chosen, rejected }) => chosen === null || rejected === null);
        const texts = alone.map(({ chosen, rejected }) => chosen ?? rejected);
        assert.equal(new Set(texts).size, texts.length);
      }
    }),
    { numRuns: 300 },
  );
});

test('given any history, when derived again, with lines twice and in any order, then the pairs are the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRecord, { maxLength: 10 }), fc.nat(), async (given, turn) => {
      const records = given.map(({ kind, question, offered, result, ...more }, n) =>
        recordOf(n, kind, { question, offered, result }, more),
      );
      const once = await derive(records, { runs: [twoIterations()] });
      const at = records.length === 0 ? 0 : turn % records.length;
      const shuffled = [...records.slice(at), ...records, ...records.slice(0, at)].reverse();
      assert.deepEqual(await derive(shuffled, { runs: [twoIterations()] }), once);
    }),
  );
});

test('given a writer who changes their mind, when derived, then the later preference stands', async () => {
  const pairs = await derive([
    recordOf(1, 'accept-edited', { offered: 'a', result: 'b' }, { block: 'block1' }),
    recordOf(2, 'accept-edited', { offered: 'b', result: 'c' }, { block: 'block2' }),
    recordOf(3, 'accept-edited', { offered: 'c', result: 'a' }, { block: 'block3' }),
  ]);
  assert.deepEqual(pairs.map(shown), [
    ['edit', 'c', 'b'],
    ['edit', 'a', 'c'],
  ]);
});

test('given a blind comparison, when derived, then the preferred answer stands against the other, with the later word on the same two', async () => {
  const compared = (answer: string) => ({
    compared: { thinking: '', reflection: '', answer, adapter: null },
  });
  const first = recordOf(1, 'compare', { offered: 'Because of grains.' }, compared('Who knows.'));
  assert.deepEqual((await derive([first])).map(shown), [['compare', 'Because of grains.', 'Who knows.']]);
  const later = recordOf(2, 'compare', { offered: 'Who knows.' }, compared('Because of grains.'));
  assert.deepEqual((await derive([first, later])).map(shown), [
    ['compare', 'Who knows.', 'Because of grains.'],
  ]);
  const same = recordOf(3, 'compare', { offered: 'The same.' }, compared('The same.'));
  assert.deepEqual(await derive([same]), []);
});
