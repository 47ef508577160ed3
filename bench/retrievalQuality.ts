// Retrieval quality on the committed questions: plain vector search, plain full text and the hybrid search, and
// how well "nothing relevant" is told.
//   node bench/retrievalQuality.ts [--write]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SearchResult } from '../server/src/protocol/index.ts';
import {
  Gate,
  defaultLimits,
  everything,
  giveTurn,
  runIndex,
  WorkspaceWalker,
} from '../server/src/retrieval/index.ts';
import type { Embedder, IndexStore } from '../server/src/retrieval/ports.ts';
import { report } from './measure.ts';
import realParts from './realParts.ts';
import { crossValidate, fitThreshold, sharesAt, type Judged } from './retrieval/calibration.ts';
import {
  hit,
  mean,
  ndcg,
  pairedBootstrap,
  rankOf,
  seededRandom,
  type Interval,
  type Place,
} from './retrieval/metrics.ts';
import {
  corpusFolder,
  readCorpus,
  readQuestions,
  type AnswerableQuestion,
  type QuestionSet,
} from './retrieval/questions.ts';

/** Passages for a query, best first. */
export type Search = (query: string, k: number) => Promise<readonly Place[]>;

export interface Searches {
  readonly vector: Search;
  readonly text: Search;
  /** The whole search as the editor gets it. */
  readonly hybrid: (query: string, k: number) => Promise<SearchResult>;
}

/** The two plain searches of a store that holds the corpus, its folder being the workspace. */
export function plainSearches(
  store: IndexStore,
  embedder: Embedder,
  signal: AbortSignal,
): Omit<Searches, 'hybrid'> {
  return {
    vector: async (query, k) => {
      const [vector] = await embedder.embed([query], 'query', signal);
      if (!vector) throw new Error('The embedder gave no vector.');
      return (await store.vectorSearch(vector, k, {}, signal)).map(({ chunk }) => chunk);
    },
    text: async (query, k) => (await store.textSearch(query, k, {}, signal)).map(({ chunk }) => chunk),
  };
}

type Name = keyof Searches;
const depth = 10;
const hitDepth = 5;
const folds = 6;
const resamples = 10_000;

/** What one question came to. A rank is null where the place is not among the first ten. */
interface Asked {
  readonly question: AnswerableQuestion;
  readonly ranks: Readonly<Record<Name, number | null>>;
}

interface Quality {
  readonly ndcg10: number;
  readonly hit5: number;
}

/** The lead of the hybrid over another search: mean, and the interval of a paired bootstrap. */
interface Lead {
  readonly ndcg10: Interval;
  readonly hit5: Interval;
}

export interface QualityReport extends Record<string, unknown> {
  readonly questions: { answerable: number; withoutSharedWords: number; unanswerable: number };
  readonly quality: Readonly<Record<Group, Readonly<Record<Name, Quality>>>>;
  readonly lead: Readonly<Record<Group, { readonly overVector: Lead; readonly overText: Lead }>>;
  readonly nothingRelevant: NothingRelevant;
}

type Group = 'all' | 'sharedWords' | 'withoutSharedWords';

interface NothingRelevant {
  /** Each question judged by a threshold that was fitted without it. */
  readonly crossValidated: {
    readonly folds: number;
    readonly answerableGetPassages: number;
    readonly unanswerableRefused: number;
    readonly nearMissesRefused: number;
    readonly everydayRefused: number;
    readonly thresholds: readonly number[];
  };
  /** Fitted on all questions: what to ship. Its own shares are of the questions that it was fitted to. */
  readonly fitted: { readonly threshold: number; readonly passages: number; readonly refused: number };
  /** What the hybrid search itself said, with the threshold that it came with. */
  readonly asShipped: {
    readonly threshold: number;
    readonly answerableGetPassages: number;
    readonly unanswerableRefused: number;
  };
}

/**
 * Asks every question of every search.
 * @param seed of the resamples and of the folds
 */
export async function retrievalQuality(searches: Searches, seed = 1): Promise<QualityReport> {
  const set = await readQuestions();
  const results = new Map<string, SearchResult>();
  for (const { id, question } of [...set.answerable, ...set.unanswerable])
    results.set(id, await searches.hybrid(question, depth));
  const asked: Asked[] = [];
  for (const question of set.answerable) {
    const quote = await placeOf(question);
    const ranks = {
      vector: rankOf(await searches.vector(question.question, depth), quote),
      text: rankOf(await searches.text(question.question, depth), quote),
      hybrid: rankOf(results.get(question.id)?.passages ?? [], quote),
    };
    asked.push({ question, ranks });
  }
  return {
    questions: {
      answerable: set.answerable.length,
      withoutSharedWords: set.answerable.filter(({ sharesWords }) => !sharesWords).length,
      unanswerable: set.unanswerable.length,
    },
    quality: byGroup(asked, qualities),
    lead: byGroup(asked, (group) => ({
      overVector: leadOver('vector', group, seed),
      overText: leadOver('text', group, seed),
    })),
    nothingRelevant: judge(set, results, seed),
  };
}

/** Where a question's quote stands. Lone places only: a test holds that each quote stands once. */
export async function placeOf({ source, quote }: AnswerableQuestion): Promise<Place> {
  const start = (await readCorpus(source)).indexOf(quote);
  if (start < 0) throw new Error(`The quote is not in ${source}: ${quote}`);
  return { source, start, end: start + quote.length };
}

function byGroup<T>(asked: readonly Asked[], measure: (group: readonly Asked[]) => T): Record<Group, T> {
  return {
    all: measure(asked),
    sharedWords: measure(asked.filter(({ question }) => question.sharesWords)),
    withoutSharedWords: measure(asked.filter(({ question }) => !question.sharesWords)),
  };
}

function gains(asked: readonly Asked[], name: Name): { ndcg10: number[]; hit5: number[] } {
  return {
    ndcg10: asked.map(({ ranks }) => ndcg(ranks[name], depth)),
    hit5: asked.map(({ ranks }) => hit(ranks[name], hitDepth)),
  };
}

function qualities(asked: readonly Asked[]): Record<Name, Quality> {
  const quality = (name: Name): Quality => {
    const { ndcg10, hit5 } = gains(asked, name);
    return { ndcg10: mean(ndcg10), hit5: mean(hit5) };
  };
  return { vector: quality('vector'), text: quality('text'), hybrid: quality('hybrid') };
}

function leadOver(other: Name, asked: readonly Asked[], seed: number): Lead {
  const ours = gains(asked, 'hybrid');
  const theirs = gains(asked, other);
  return {
    ndcg10: pairedBootstrap(ours.ndcg10, theirs.ndcg10, seededRandom(seed), resamples),
    hit5: pairedBootstrap(ours.hit5, theirs.hit5, seededRandom(seed), resamples),
  };
}

function judge(set: QuestionSet, results: ReadonlyMap<string, SearchResult>, seed: number): NothingRelevant {
  const questions = [...set.answerable, ...set.unanswerable];
  const judged: Judged[] = questions.map(({ id, source }) => ({
    // No similarity at all: nothing was found.
    best: results.get(id)?.best ?? -1,
    answerable: source !== null,
  }));
  const { getsPassages, thresholds } = crossValidate(judged, folds, seededRandom(seed));
  const share = (wanted: (question: (typeof questions)[number]) => boolean, gets: boolean): number =>
    mean(
      questions.flatMap((question, index) =>
        wanted(question) ? [getsPassages[index] === gets ? 1 : 0] : [],
      ),
    );
  const threshold = fitThreshold(judged);
  const refusedBySearch = (ids: readonly { id: string }[]): number =>
    mean(ids.map(({ id }) => (results.get(id)?.nothingRelevant === true ? 1 : 0)));
  return {
    crossValidated: {
      folds,
      answerableGetPassages: share(({ source }) => source !== null, true),
      unanswerableRefused: share(({ source }) => source === null, false),
      nearMissesRefused: share((question) => 'nearMiss' in question && question.nearMiss, false),
      everydayRefused: share((question) => 'nearMiss' in question && !question.nearMiss, false),
      thresholds,
    },
    fitted: { threshold, ...sharesAt(threshold, judged) },
    asShipped: {
      threshold: [...results.values()][0]?.threshold ?? NaN,
      answerableGetPassages: 1 - refusedBySearch(set.answerable),
      unanswerableRefused: refusedBySearch(set.unanswerable),
    },
  };
}

/** Indexes the corpus with the parts as they are shipped, and asks. */
async function measure(): Promise<void> {
  const { signal } = new AbortController();
  const parts = await realParts();
  const home = await mkdtemp(join(tmpdir(), 'preflexor-bench-quality-'));
  const index = parts.workspace(home, corpusFolder);
  try {
    const opened = await index.forIndexing(signal);
    const walker = new WorkspaceWalker(corpusFolder, {
      ...{ editorExcludes: [], include: ['**/*.{md,bib}'], exclude: [], maxFileBytes: 50_000_000 },
    });
    const { reader, chunker, embedder } = parts;
    await runIndex(
      {
        ...{ walker, reader, chunker, embedder, giveTurn, cache: opened.cache, store: opened.building },
        ...{ gate: new Gate(), limits: defaultLimits, now: Date.now, onProgress: () => undefined },
      },
      everything,
      signal,
    );
    const store = opened.building;
    await report(
      'retrievalQuality',
      await retrievalQuality({
        ...plainSearches(store, embedder, signal),
        hybrid: (query, k) => index.search(query, { k, filter: {}, reranker: null }, signal),
      }),
    );
  } finally {
    await index.dispose();
    await parts.dispose();
    await rm(home, { recursive: true, force: true });
  }
}

if (import.meta.main) await measure();
