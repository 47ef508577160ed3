// The measures of retrieval quality against values worked out by hand, and the whole evaluation on searches
// whose outcome is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crossValidate, fitThreshold, sharesAt } from '../../bench/retrieval/calibration.ts';
import {
  hit,
  holdsQuote,
  ndcg,
  pairedBootstrap,
  rankOf,
  seededRandom,
} from '../../bench/retrieval/metrics.ts';
import type { Place } from '../../bench/retrieval/metrics.ts';
import { readQuestions } from '../../bench/retrieval/questions.ts';
import { placeOf, retrievalQuality } from '../../bench/retrievalQuality.ts';
import type { SearchResult } from '../../server/src/protocol/index.ts';

const quote: Place = { source: 'a.md', start: 100, end: 120 };
const at = (start: number, end: number, source = 'a.md'): Place => ({ source, start, end });

test('given a quote from 100 to 120, when passages end around its middle, then those that cover 110 hold it', () => {
  assert.equal(holdsQuote(at(0, 111), quote), true);
  assert.equal(holdsQuote(at(0, 110), quote), false);
  assert.equal(holdsQuote(at(110, 300), quote), true);
  assert.equal(holdsQuote(at(111, 300), quote), false);
});

test('given a passage at the same offsets of another file, when it is judged, then it does not hold the quote', () => {
  assert.equal(holdsQuote(at(0, 300, 'b.md'), quote), false);
});

test('given a ranking, when the third passage is the first to hold the quote, then its rank is 3', () => {
  assert.equal(rankOf([at(0, 50), at(0, 300, 'b.md'), at(90, 130), at(95, 140)], quote), 3);
  assert.equal(rankOf([at(0, 50)], quote), null);
});

test('given ranks 1, 2, 3, 10, 11 and none, when nDCG@10 is taken, then it is 1, 0.6309, 0.5, 0.2891, 0 and 0', () => {
  const values = [1, 2, 3, 10, 11, null].map((rank) => Number(ndcg(rank, 10).toFixed(4)));
  assert.deepEqual(values, [1, 0.6309, 0.5, 0.2891, 0, 0]);
});

test('given ranks 5, 6 and none, when hit@5 is taken, then it is 1, 0 and 0', () => {
  assert.deepEqual(
    [5, 6, null].map((rank) => hit(rank, 5)),
    [1, 0, 0],
  );
});

test('given the same lead on every question, when it is resampled, then the interval is that lead', () => {
  const { mean, low, high } = pairedBootstrap([0.5, 0.75, 1], [0.25, 0.5, 0.75], seededRandom(1), 200);
  assert.deepEqual([mean, low, high], [0.25, 0.25, 0.25]);
});

test('given leads of 1 and 0 in equal numbers, when they are resampled, then the interval is the binomial one', () => {
  // Means of 100 draws: standard deviation 0.05, so 95 % lie within 0.5 ± 0.098.
  const ours = Array.from({ length: 100 }, (_none, index) => index % 2);
  const { mean, low, high } = pairedBootstrap(
    ours,
    ours.map(() => 0),
    seededRandom(7),
  );
  assert.equal(mean, 0.5);
  assert.ok(Math.abs(low - 0.402) < 0.015 && Math.abs(high - 0.598) < 0.015, `${low} ${high}`);
});

test('given pairs whose order is mixed, when they are resampled, then pairs stay pairs', () => {
  // Both vary by 1 between questions, the lead never does.
  const { low, high } = pairedBootstrap([1, 0, 1, 0], [1, 0, 1, 0], seededRandom(3), 500);
  assert.deepEqual([low, high], [0, 0]);
});

test('given values that are no pairs, when they are resampled, then it is refused', () => {
  assert.throws(() => pairedBootstrap([1], [1, 2], seededRandom(1)), RangeError);
});

test('given the same seed, when numbers are drawn, then they are the same, in [0, 1), and evenly spread', () => {
  const draw = (): number[] => Array.from({ length: 10_000 }, seededRandom(42));
  const numbers = draw();
  assert.deepEqual(numbers, draw());
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  const average = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  assert.ok(Math.abs(average - 0.5) < 0.01, String(average));
});

const judged = (answerable: readonly number[], unanswerable: readonly number[]) => [
  ...answerable.map((best) => ({ best, answerable: true })),
  ...unanswerable.map((best) => ({ best, answerable: false })),
];

test('given a threshold, when shares are taken, then a question exactly at it gets passages', () => {
  assert.deepEqual(sharesAt(0.5, judged([0.5, 0.4, 0.9, 0.8], [0.5, 0.1])), { passages: 0.75, refused: 0.5 });
});

test('given similarities that separate, when a threshold is fitted, then it lies halfway between them', () => {
  assert.equal(fitThreshold(judged([0.75, 1], [0.25, 0])), 0.5);
});

test('given three answerable for one unanswerable, when none separates, then both sorts weigh the same', () => {
  // At 0.45: passages 2/3 and refused 1, mean 0.83. Below 0.3 all get passages: mean 0.5, though 3 of 4 are right.
  assert.equal(fitThreshold(judged([0.3, 0.5, 0.6], [0.4])), 0.45);
});

test('given one question that lies apart, when it is judged, then the threshold was fitted without it', () => {
  const questions = judged([0.9, 0.9, 0.9], [0.1, 0.1, 0.5]);
  const { getsPassages, thresholds } = crossValidate(questions, 3, seededRandom(5));
  // Two folds are fitted on 0.5 against 0.9. The one that holds 0.5 is fitted on 0.1 against 0.9, and lets it pass.
  assert.equal(getsPassages[5], true);
  assert.deepEqual([...thresholds].sort(), [0.5, 0.7, 0.7]);
});

const { answerable, unanswerable } = await readQuestions();
const byQuestion = new Map(answerable.map((question) => [question.question, question]));

/** Puts the right passage at `rank`, after passages of no file. */
async function ranked(query: string, rank: number): Promise<Place[]> {
  const question = byQuestion.get(query);
  const others = Array.from({ length: rank - 1 }, () => at(0, 1, 'none'));
  return question ? [...others, await placeOf(question)] : others;
}

async function hybrid(query: string): Promise<SearchResult> {
  const places = await ranked(query, 1);
  const known = byQuestion.has(query);
  const passages = places.map((place, index) => ({
    ...place,
    id: String(index),
    heading: [],
    page: null,
    text: '',
    score: 1,
  }));
  return { passages, nothingRelevant: !known, best: known ? 0.75 : 0.25, threshold: 0.5 };
}

test('given a hybrid that is always right and a vector search that is second, when measured, then the lead is known', async () => {
  const report = await retrievalQuality({
    vector: (query) => ranked(query, 2),
    text: () => Promise.resolve([]),
    hybrid,
  });
  assert.deepEqual(report.quality.all.hybrid, { ndcg10: 1, hit5: 1 });
  assert.deepEqual(report.quality.all.text, { ndcg10: 0, hit5: 0 });
  assert.ok(Math.abs(report.lead.all.overVector.ndcg10.low - (1 - 1 / Math.log2(3))) < 1e-9);
  assert.deepEqual(report.lead.withoutSharedWords.overVector.hit5, { mean: 0, low: 0, high: 0 });
  assert.deepEqual(report.lead.all.overText.hit5, { mean: 1, low: 1, high: 1 });
});

test('given similarities that separate, when "nothing relevant" is judged, then all is told apart', async () => {
  const search = () => Promise.resolve([]);
  const { nothingRelevant, questions } = await retrievalQuality({ vector: search, text: search, hybrid });
  assert.equal(nothingRelevant.fitted.threshold, 0.5);
  assert.equal(nothingRelevant.crossValidated.answerableGetPassages, 1);
  assert.equal(nothingRelevant.crossValidated.nearMissesRefused, 1);
  assert.equal(nothingRelevant.crossValidated.everydayRefused, 1);
  assert.equal(nothingRelevant.asShipped.unanswerableRefused, 1);
  assert.equal(questions.unanswerable, unanswerable.length);
});

test('given a search that finds nothing for any question, when measured, then unanswered questions count as missed', async () => {
  const search = () => Promise.resolve([]);
  const none = (): Promise<SearchResult> =>
    Promise.resolve({ passages: [], nothingRelevant: true, best: null, threshold: 0.5 });
  const report = await retrievalQuality({ vector: search, text: search, hybrid: none });
  assert.deepEqual(report.quality.all.hybrid, { ndcg10: 0, hit5: 0 });
  assert.equal(report.nothingRelevant.asShipped.answerableGetPassages, 0);
});
