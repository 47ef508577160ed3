// Texts into pieces of token ids: which are taken, in which order, and how they are cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { prepareAnchor, type AnchorSource } from './anchor.ts';

const never = new AbortController().signal;
/** One token a letter, its code. */
const tokenizer = {
  tokenize: (text: string) => Promise.resolve(Array.from(text, (letter) => letter.charCodeAt(0))),
};
const run = { steps: 100, seed: 1, beginning: null };

function source(file: string, text: string | null, from: AnchorSource['from'] = 'named'): AnchorSource {
  return { from, file, read: () => Promise.resolve(text) };
}

async function prepared(
  sources: readonly AnchorSource[],
  wishes: Partial<typeof run> | { beginning: number },
) {
  return await prepareAnchor({ workspace: null, sources }, { ...run, ...wishes }, tokenizer, never);
}

test('given a text, when cut, then its pieces follow each other and only a long enough end is one', async () => {
  const text = Array.from({ length: 300 }, (_, index) => String.fromCharCode(100 + index)).join('');
  const { config } = await prepared([source('a.txt', text)], {});
  assert.deepEqual(
    config.sequences.map(({ length }) => length),
    [128, 128, 44],
  );
  assert.deepEqual(
    config.sequences.flat(),
    Array.from(text, (letter) => letter.charCodeAt(0)),
  );
  const cut = await prepared([source('a.txt', text.slice(0, 256 + 31))], {});
  assert.equal(cut.config.sequences.length, 2);
});

test('given a vocabulary whose texts begin with a token, when cut, then every piece begins with it', async () => {
  const { config } = await prepared([source('a.txt', 'x'.repeat(254))], { beginning: 1 });
  assert.deepEqual(
    config.sequences.map((piece) => [piece[0], piece.length]),
    [
      [1, 128],
      [1, 128],
    ],
  );
});

test('given more text than a run needs, when prepared, then it takes what its steps reach and reads no further', async () => {
  const long = source('long.txt', 'x'.repeat(128 * 500));
  const { config, record } = await prepared([long, long, long], { steps: 3 });
  assert.equal(config.sequences.length, 6);
  assert.equal(record.texts.length, 1);
  assert.equal((await prepared([long], { steps: 10_000 })).record.pieces, 128);
});

test('given own texts and one that ships, when prepared, then the seed orders the own ones and the other comes last', async () => {
  const own = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
    source(`${name}.md`, name.repeat(40), 'workspace'),
  );
  const sources = [source('anchor.md', 's'.repeat(40), 'shipped'), ...own];
  const order = async (seed: number) =>
    (await prepared(sources, { seed })).record.texts.map(({ file }) => file);
  assert.equal((await order(1)).at(-1), 'anchor.md');
  assert.deepEqual(await order(1), await order(1));
  assert.notDeepEqual(await order(1), await order(2));
  assert.deepEqual((await order(1)).toSorted(), (await order(2)).toSorted());
});

test('given a note with front matter, when prepared, then that is no prose', async () => {
  const { config } = await prepared([source('a.md', `---\ntitle: x\n---\n${'y'.repeat(40)}`)], {});
  assert.deepEqual(config.sequences, [Array.from({ length: 40 }, () => 'y'.charCodeAt(0))]);
});

test('given too little text, when prepared, then it is refused with what to do', async () => {
  await assert.rejects(
    prepared([source('a.md', 'short'), source('b.md', null)], {}),
    (error) => PreflexorError.is(error, 'bad-input') && (error.remedy ?? '').includes('--no-anchor'),
  );
});

test('given a kind without weight, when prepared, then its usual weight is taken, and else the one that was said', async () => {
  const sources = [source('a.md', 'x'.repeat(40))];
  const weightOf = async (wishes: { kind?: 'kl' | 'replay'; weight?: number }) =>
    (await prepareAnchor({ workspace: null, sources, ...wishes }, run, tokenizer, never)).config.weight;
  assert.deepEqual(
    [await weightOf({}), await weightOf({ kind: 'replay' }), await weightOf({ weight: 3 })],
    [10, 1, 3],
  );
});
