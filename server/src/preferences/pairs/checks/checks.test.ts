import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PreferencePair } from '../../../protocol/index.ts';
import { spansIn } from '../completion.ts';
import { pairId } from '../derive.ts';
import { checkPairs, checkTruncation } from './checkPairs.ts';
import {
  checkContradictions,
  checkDistance,
  checkDuplicates,
  checkHeldOut,
  checkLanguage,
  checkLeakage,
  checkLengthBias,
  checkPersonalData,
} from './checks.ts';
import { languageOf } from './language.ts';
import { NearDuplicates, type EmbedTexts } from './nearDuplicates.ts';
import { personalDataIn } from './personalData.ts';

const never = new AbortController().signal;

function pairOf(
  texts: { prompt?: string; chosen?: string | null; rejected?: string | null },
  more: Partial<PreferencePair> = {},
): PreferencePair {
  const { prompt = 'Why?', chosen = 'Because of the grains.', rejected = 'It is unknown to us.' } = texts;
  const content = {
    prompt: [{ role: 'user' as const, content: prompt }],
    chosen,
    rejected,
    about: 'whole' as const,
  };
  const spans = { chosen: spansIn(chosen ?? ''), rejected: spansIn(rejected ?? '') };
  return {
    ...{
      schema: 1,
      id: pairId(content),
      time: '2026-11-24T12:00:00.000Z',
      signal: 'edit',
      strength: 1,
      ...content,
      spans,
    },
    ...{
      wants: null,
      passages: [],
      note: null,
      entries: [],
      settled: 'unknown',
      reason: null,
      provenance: null,
    },
    runs: { chosen: null, rejected: null },
    iterations: { chosen: null, rejected: null },
    ...{ split: 'train', consent: 'given' },
    ...more,
  };
}

const codes = (problems: readonly { code: string }[]) => problems.map(({ code }) => code);
const words = (count: number, stem = 'word') =>
  Array.from({ length: count }, (_, n) => `${stem}${n}`).join(' ');

test('given texts that differ in one word of two hundred, or in nearly all, when checked, then too close and too far; between them nothing', () => {
  const long = words(200);
  assert.deepEqual(codes(checkDistance(pairOf({ chosen: `${long} end`, rejected: `${long} stop` }))), [
    'too-close',
  ]);
  assert.deepEqual(codes(checkDistance(pairOf({ chosen: words(9), rejected: words(9, 'else') }))), [
    'too-far',
  ]);
  assert.deepEqual(checkDistance(pairOf({ chosen: words(9), rejected: `${words(6)} a b c` })), []);
  assert.deepEqual(checkDistance(pairOf({ rejected: null })), []);
});

test('given a long thinking that both sides share, when checked, then their answers decide how far they are apart', () => {
  const thinking = `<|thinking|>\n${words(500)}\n<|/thinking|>\n\n`;
  const pair = pairOf({ chosen: `${thinking}One two three.`, rejected: `${thinking}One two four.` });
  assert.deepEqual(checkDistance(pair), []);
});

test('given sets whose chosen texts are longer or shorter nearly always, when checked, then length bias; not in small or even ones', () => {
  const set = (longer: number, shorter: number) => [
    ...Array.from({ length: longer }, (_, n) =>
      pairOf({ prompt: `l${n}`, chosen: 'one two three', rejected: 'one' }),
    ),
    ...Array.from({ length: shorter }, (_, n) =>
      pairOf({ prompt: `s${n}`, chosen: 'one', rejected: 'one two three' }),
    ),
  ];
  assert.match(checkLengthBias(set(16, 4))[0]?.message ?? '', /80 %.*longer/);
  assert.match(checkLengthBias(set(2, 28))[0]?.message ?? '', /93 %.*shorter/);
  assert.deepEqual(checkLengthBias(set(15, 5)), []);
  assert.deepEqual(checkLengthBias(set(19, 0)), []);
});

test('given opposite choices on one prompt, when checked, then a contradiction names both; on another prompt it is none', () => {
  const [one, other] = [pairOf({ chosen: 'a', rejected: 'b' }), pairOf({ chosen: 'b ', rejected: 'a' })];
  assert.deepEqual(
    checkContradictions([one, other]).map(({ pairs }) => pairs),
    [[one.id, other.id]],
  );
  assert.deepEqual(checkContradictions([one, pairOf({ prompt: 'Else?', chosen: 'b', rejected: 'a' })]), []);
  assert.deepEqual(checkContradictions([one, pairOf({ chosen: 'a', rejected: 'c' })]), []);
  const thought = pairOf({ chosen: 'b', rejected: 'a' }, { about: 'thinking' });
  assert.deepEqual(checkContradictions([one, thought]), []);
  const [good, bad] = [pairOf({ chosen: 'a', rejected: null }), pairOf({ chosen: null, rejected: 'a' })];
  assert.deepEqual(codes(checkContradictions([good, bad])), ['contradiction']);
});

test('given the same pair with other white space, when checked, then a duplicate', () => {
  const [one, other] = [pairOf({ chosen: 'A b' }), pairOf({ chosen: 'a  B\n' })];
  assert.deepEqual(
    checkDuplicates([one, pairOf({ chosen: 'c' }), other]).map(({ pairs }) => pairs),
    [[one.id, other.id]],
  );
});

test('given a prompt or a chosen text on both sides of the split, when checked, then leakage', () => {
  const held = { split: 'held-out' as const };
  const one = pairOf({ prompt: 'p', chosen: 'x' });
  assert.match(
    checkLeakage([one, pairOf({ prompt: 'p', chosen: 'y' }, held)])[0]?.message ?? '',
    /same prompt/,
  );
  assert.match(
    checkLeakage([one, pairOf({ prompt: 'q', chosen: 'x' }, held)])[0]?.message ?? '',
    /same chosen text/,
  );
  assert.deepEqual(
    checkLeakage([one, pairOf({ prompt: 'q', chosen: 'y' }, held), pairOf({ prompt: 'p', chosen: 'z' })]),
    [],
  );
  assert.deepEqual(
    checkLeakage([pairOf({ prompt: 'p', chosen: null }), pairOf({ prompt: 'q', chosen: null }, held)]),
    [],
  );
});

test('given a set of some size with nothing held out, when checked, then it is said', () => {
  const set = Array.from({ length: 20 }, (_, n) => pairOf({ prompt: String(n) }));
  assert.deepEqual(codes(checkHeldOut(set)), ['no-held-out']);
  assert.deepEqual(checkHeldOut([...set, pairOf({}, { split: 'held-out' })]), []);
  assert.deepEqual(checkHeldOut(set.slice(1)), []);
});

test('given personal data and secrets, when looked for, then they are found, and never repeated', () => {
  const found: [string, string][] = [
    ['Write to jane.doe+x@mail.example.org.', 'an e-mail address'],
    ['Schreib an jürgen@müller.de', 'an e-mail address'],
    ['-----BEGIN RSA PRIVATE KEY-----', 'a key or password'],
    [`use sk-proj-${'a1B2'.repeat(8)}`, 'a key or password'],
    [`ghp_${'a1B2'.repeat(9)}`, 'a key or password'],
    [`hf_${'a1B2'.repeat(9)}`, 'a key or password'],
    ['AKIAABCDEFGHIJKLMNOP', 'a key or password'],
    ['api_key: "abcdef123456"', 'a key or password'],
    ['Call +49 170 1234567', 'a telephone number'],
    ['Call (030) 1234 5678 now', 'a telephone number'],
    ['555-123-4567', 'a telephone number'],
    ['Tel. +1 (212) 555 0199', 'a telephone number'],
  ];
  for (const [text, kind] of found) assert.deepEqual(personalDataIn(text), [kind], text);
  const [problem] = checkPersonalData(pairOf({ prompt: 'Ask jane@example.org' }));
  assert.match(problem?.message ?? '', /an e-mail address/);
  assert.ok(!problem?.message.includes('jane'));
});

test('given what only resembles personal data, when looked for, then nothing is found', () => {
  for (const text of [
    'Grains of 12.5 µm at 1200 K and 2.0e-3 /s, see Smith 2019-2021 [@hall1951].',
    'σ = σ0 + k d^(-1/2) with k = 0.74 MPa·m^0.5 in 10-100 nm.',
    'doi:10.1016/j.actamat.2020.01.001, pp. 101-115, ISBN 978-3-16-148410-0',
    'The key is that a token is a word; the secret: patience.',
    'At 2026-11-24T12:00:00 the @mention began.',
    'https://example.org/a/1234567890',
  ])
    assert.deepEqual(personalDataIn(text), [], text);
});

const english =
  'The grain boundaries are the reason that the slip is stopped, and this is what the model has shown for steel.';
const german =
  'Die Korngrenzen sind der Grund, dass das Gleiten nicht weitergeht, und das ist auch für den Stahl gezeigt worden.';

test('given texts of some languages, when guessed, then they are named; short ones and lists are not', () => {
  assert.equal(languageOf(english), 'English');
  assert.equal(languageOf(german), 'German');
  assert.equal(
    languageOf('晶界阻碍滑移，因此细晶粒使钢更强，这是霍尔和佩奇所证明的道理。'),
    'Chinese or Japanese',
  );
  assert.equal(languageOf('Yes.'), null);
  assert.equal(languageOf(words(40)), null);
});

test('given a chosen text in another language than the rejected one or the prompt, when checked, then it is said', () => {
  assert.deepEqual(codes(checkLanguage(pairOf({ chosen: german, rejected: english }))), ['language']);
  assert.deepEqual(codes(checkLanguage(pairOf({ prompt: english, chosen: german, rejected: german }))), [
    'language',
  ]);
  assert.deepEqual(checkLanguage(pairOf({ prompt: english, chosen: english, rejected: 'Ja.' })), []);
});

test('given a token limit, when checked, then pairs whose prompt and longer side exceed it are named', async () => {
  const count = (texts: readonly string[]) =>
    Promise.resolve(texts.map((text) => text.split(' ').filter(Boolean).length));
  const fits = pairOf({ prompt: 'a b', chosen: 'c', rejected: 'd e f' });
  const long = pairOf({ prompt: 'a b', chosen: 'c d e f', rejected: null });
  const many = Array.from({ length: 70 }, (_, n) => pairOf({ prompt: `p${n}`, chosen: 'a', rejected: 'b' }));
  const found = await checkTruncation([...many, fits, long], { count, limit: 5 }, never);
  assert.deepEqual(
    found.map(({ pairs }) => pairs),
    [[long.id]],
  );
});

test('given vectors, when near-duplicates are looked for, then similar pairs are named once, exact ones and shared answers not', async () => {
  const vectors: Record<string, number[]> = { a: [1, 0], b: [0.99, Math.sqrt(1 - 0.99 ** 2)], c: [0, 1] };
  const embed = (texts: readonly string[]) =>
    Promise.resolve(texts.map((text) => Float32Array.from(vectors[text.trim().toLowerCase()] ?? [0, 0])));
  const [one, near, far] = ['a', 'b', 'c'].map((chosen) => pairOf({ prompt: chosen, chosen }));
  assert.ok(one && near && far);
  assert.deepEqual(
    (await new NearDuplicates(embed).find([one, near, far], never)).map(({ pairs }) => pairs),
    [[one.id, near.id]],
  );
  const shared = pairOf({ prompt: 'a', chosen: 'a', rejected: 'another' });
  const capital = pairOf({ prompt: 'a', chosen: 'A' });
  assert.deepEqual(await new NearDuplicates(embed).find([one, shared], never), []);
  assert.deepEqual(await new NearDuplicates(embed).find([one, capital], never), []);
});

test('given a set that says one thing a thousand times, when near-duplicates are looked for, then each pair is named with a few others only, and it is told how far that is', async () => {
  const embed: EmbedTexts = (texts) => Promise.resolve(texts.map(() => Float32Array.from([1, 0])));
  const pairs = Array.from({ length: 1000 }, (_, n) => pairOf({ prompt: `q${n}`, chosen: `a${n}` }));
  const told: number[] = [];
  const found = await new NearDuplicates(embed).find(pairs, never, (done) => told.push(done));
  const named = new Set(found.flatMap(({ pairs: both }) => both));
  assert.equal(named.size, 1000);
  assert.ok(found.length < 10_000, String(found.length));
  assert.ok(told.length > 1 && told.every((done, at) => done >= (told[at - 1] ?? 0)));
});

test('given a set that was looked through, when pairs come and go, then only the new ones are embedded, and it is as if all were', async () => {
  const asked: string[] = [];
  const embed: EmbedTexts = (texts) => {
    asked.push(...texts);
    return Promise.resolve(
      texts.map((text) => {
        const angle = Number(/\d+$/.exec(text)?.[0]) / 10;
        return Float32Array.from([Math.cos(angle), 0, 0, Math.sin(angle)]);
      }),
    );
  };
  const [one, near, far, last] = [0, 2, 15, 17].map((angle) =>
    pairOf({ prompt: `${angle}`, chosen: `<|thinking|>\nThe same.\n<|/thinking|>\n\nAnswer ${angle}` }),
  );
  assert.ok(one && near && far && last);
  const kept = new NearDuplicates(embed);
  const found = async (set: readonly PreferencePair[]) =>
    (await kept.find(set, never)).map(({ pairs }) => pairs);
  assert.deepEqual(await found([one, far]), []);
  assert.deepEqual(await found([one, far, near]), [[one.id, near.id]]);
  assert.deepEqual(await found([last, one, far]), [[last.id, far.id]]);
  assert.deepEqual(await found([near, last, one]), [[near.id, one.id]]);
  assert.deepEqual(asked, ['Answer 0', 'Answer 15', 'Answer 2', 'Answer 17', 'Answer 2']);
});

test('given a set with one of everything, when checked whole, then each kind is found, and without models the rest', async () => {
  const held = { split: 'held-out' as const };
  const set = [
    pairOf({ chosen: words(9), rejected: words(9, 'else') }),
    pairOf({ prompt: 'Mail a@b.org', chosen: 'a', rejected: 'a b' }),
    pairOf({ prompt: 'Mail a@b.org', chosen: 'a b', rejected: 'a' }, held),
  ];
  const ports = { embed: null, tokens: null };
  assert.deepEqual([...new Set(codes(await checkPairs(set, ports, never)))].sort(), [
    'contradiction',
    'leakage',
    'personal-data',
    'too-far',
  ]);
  await assert.rejects(checkPairs(set, ports, AbortSignal.abort()), /Stopped/);
});
