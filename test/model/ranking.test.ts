// The ranking context, really, on a tiny cross-encoder of our own: against its score computed number by number.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLlamaReranker, type LlamaReranker } from '../../server/src/engine/index.ts';
import { tinyBertVocabulary } from '../../server/src/engine/models/bertTesting.ts';
import { PreflexorError } from '../../server/src/errors.ts';
import { crossEncoderScore, crossEncoderWeights, writeCrossEncoder } from '../support/crossEncoder.ts';
import { testEmbedderFile } from '../support/testEmbedder.ts';
import { hostModule } from '../support/testModel.ts';

const never = new AbortController().signal;
const weights = crossEncoderWeights(3);
let folder: string;
let reranker: LlamaReranker;

function rerankerOn(file: string, maxTokens = 32): LlamaReranker {
  return createLlamaReranker({
    resolveModel: () =>
      Promise.resolve({
        file,
        maxTokens,
        identity: { id: 'tiny', file: basename(file), sha256: '0'.repeat(64) },
      }),
    ...{ gpu: 'cpu', threads: 1, idleUnloadMs: 0, hostModule, onLog: () => undefined },
  });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preflexor-ranking-'));
  reranker = rerankerOn(await writeCrossEncoder(folder, weights));
});
after(async () => {
  await reranker.dispose();
  await rm(folder, { recursive: true });
});

/** Ids of words that are tokens. */
function ids(text: string): number[] {
  return text.split(' ').map((word) => tinyBertVocabulary.indexOf(word));
}

const [cls, sep] = [tinyBertVocabulary.indexOf('[CLS]'), tinyBertVocabulary.indexOf('[SEP]')];
const query = 'the crack stops';
const passages = [
  'the gradient interface',
  'crack',
  'a b c d e f g h',
  'interface starts the gradient . crack !',
  '水 é , the crack',
];

test('given a query and texts, when they are ranked, then the scores are those computed number by number', async () => {
  const scores = await reranker.rank(query, passages, never);
  for (const [index, passage] of passages.entries()) {
    // é loses its accent on the way to its token.
    const tokens = ids(passage.replace('é', 'e'));
    const expected = crossEncoderScore(weights, [cls, ...ids(query), sep, ...tokens, sep]);
    assert.ok(
      Math.abs((scores[index] ?? NaN) - expected) < 0.005,
      `${passage}: ${scores[index]}, not ${expected}`,
    );
  }
  assert.ok(Math.max(...scores) - Math.min(...scores) > 0.05, 'the scores tell the texts apart');
});

test('given another order, when texts are ranked, then each keeps its score', async () => {
  const scores = await reranker.rank(query, passages, never);
  const reversed = await reranker.rank(query, passages.toReversed(), never);
  assert.deepEqual(reversed, scores.toReversed());
});

test('given texts and a query that are too long, when they are ranked, then they are cut and not refused', async () => {
  const long = 'the gradient interface '.repeat(40);
  const [score] = await reranker.rank(query, [long], never);
  // 32 tokens at most, 4 of them special ones: the query keeps its 3.
  const kept = ids(long.trim()).slice(0, 25);
  const expected = crossEncoderScore(weights, [cls, ...ids(query), sep, ...kept, sep]);
  assert.ok(Math.abs((score ?? NaN) - expected) < 0.005);
  assert.equal((await reranker.rank(long, [long, ''], never)).length, 2);
});

test('given nothing in a text, when it is ranked, then it has a score like every other', async () => {
  const [score] = await reranker.rank(query, [''], never);
  const expected = crossEncoderScore(weights, [cls, ...ids(query), sep, sep]);
  assert.ok(Math.abs((score ?? NaN) - expected) < 0.005);
});

test('given it is cancelled, when many texts are ranked, then it ends as cancelled and the next works', async () => {
  const controller = new AbortController();
  const running = reranker.rank(query, new Array<string>(20_000).fill('the crack'), controller.signal);
  setTimeout(() => {
    controller.abort();
  }, 50);
  await assert.rejects(running, (error) => PreflexorError.is(error, 'cancelled'));
  assert.equal((await reranker.rank(query, ['the crack'], never)).length, 1);
});

test('given an embedding model, when it is to rank, then it is refused with a sentence', async () => {
  const other = rerankerOn(testEmbedderFile());
  try {
    await assert.rejects(other.rank('a', ['b'], never), (error) => {
      assert.ok(PreflexorError.is(error, 'bad-model'));
      assert.match(error.message, /an embedding model.*a reranking model is needed here/);
      return true;
    });
  } finally {
    await other.dispose();
  }
});
