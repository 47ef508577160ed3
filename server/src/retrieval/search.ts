// Hybrid search: vectors and full text side by side, fused by rank, made diverse, reranked where a model is
// there for it, and "nothing relevant" where that is the truth. Knows no database and no model library.
import { throwIfCancelled } from '../errors.ts';
import type { Passage, SearchFilter, SearchResult } from '../protocol/index.ts';
import { cosine, diversify, fuse } from './fusion.ts';
import type { Embedder, Hit, PassageFinder, Reranker, StoredChunk } from './ports.ts';
import { thresholdFor } from './thresholds.ts';

export interface SearchParts {
  readonly store: PassageFinder;
  /** That of the index: another one's vectors mean nothing there. */
  readonly embedder: Embedder;
  readonly reranker?: Reranker | null;
}

export interface SearchOptions {
  /** Passages wanted, at most. */
  readonly k: number;
  readonly filter?: SearchFilter;
  readonly signal: AbortSignal;
  /** Cosine similarity under which nothing counts as relevant; by default the embedder's calibrated one. */
  readonly threshold?: number;
}

/** Hits asked of each kind of search: twice what is chosen from, so that either side can bring in its own. */
function hitsWanted(k: number): number {
  return Math.max(20, 4 * k);
}

/** How many of the fused ones are read and chosen from: reading them is the dearest part of a search. */
function headSize(k: number): number {
  return Math.max(12, 2 * k);
}

/** Words of a query that full text looks for: each costs a list to read, and a paragraph has hundreds. */
const queryWords = 32;

/**
 * Passages for a query, best first. `passages[].score` is comparable within the result: the reranker's score
 * where one ran, else what similarity and shared words come to together. `passages` is empty, and
 * `nothingRelevant` true, when no passage reaches the threshold.
 * @throws PreflexorError `cancelled`, and what store, embedder and reranker throw
 */
export async function search(
  parts: SearchParts,
  query: string,
  options: SearchOptions,
): Promise<SearchResult> {
  const { signal } = options;
  throwIfCancelled(signal);
  const { id } = await parts.embedder.identity(signal);
  const threshold = options.threshold ?? thresholdFor(id);
  if (query.trim() === '' || options.k < 1)
    return { passages: [], nothingRelevant: true, best: null, threshold };
  const [vector] = await parts.embedder.embed([query], 'query', signal);
  throwIfCancelled(signal);
  if (!vector) throw new Error('The embedder gave no vector for the query.');
  return searchWith(parts, { text: query, vector }, { ...options, threshold });
}

/** The same for a query that is embedded already. */
export async function searchWith(
  parts: Pick<SearchParts, 'store' | 'reranker'>,
  query: { readonly text: string; readonly vector: Float32Array },
  options: SearchOptions & { readonly threshold: number },
): Promise<SearchResult> {
  const { k, filter = {}, signal, threshold } = options;
  const [byVector, byText] = await Promise.all([
    parts.store.vectorHits(query.vector, hitsWanted(k), filter, signal),
    parts.store.textHits(queryText(query.text), hitsWanted(k), filter, signal),
  ]);
  throwIfCancelled(signal);
  const head = fuse([ids(byVector), ids(byText)]).slice(0, headSize(k));
  const rows = new Map([...byText, ...byVector].map(({ id, row }) => [id, row]));
  const chunks = await parts.store.chunks(
    head.map(({ id }) => ({ id, ...rowOf(rows.get(id)) })),
    signal,
  );
  throwIfCancelled(signal);
  const textScores = new Map(byText.map((hit) => [hit.id, hit.score]));
  const asked = searchedWords(query.text);
  const found = chunks.map((chunk): Found => {
    const vector = cosine(query.vector, chunk.vector);
    const closeness = vector + wordWeight * sharedWords(asked, chunk);
    return { chunk, vector, closeness, text: textScores.get(chunk.id) ?? null };
  });
  const best = Math.max(-Infinity, ...found.map(({ closeness }) => closeness));
  const relevant = found.filter((entry) => isRelevant(entry, threshold));
  const passages = parts.reranker
    ? await reranked(parts.reranker, query.text, relevant, options)
    : chosen(relevant, k);
  throwIfCancelled(signal);
  return {
    passages: [...passages],
    nothingRelevant: passages.length === 0,
    best: Number.isFinite(best) ? best : null,
    threshold,
  };
}

interface Found {
  readonly chunk: StoredChunk;
  /** Cosine similarity. */
  readonly vector: number;
  /** Cosine similarity and shared words together: what is ordered by, and held against the threshold. */
  readonly closeness: number;
  readonly text: number | null;
}

/** Words alone prove nothing: a passage needs so much of the threshold in likeness of meaning. */
const leastLikeness = 0.6;

/**
 * An embedder knows little of rare names and numbers: a passage that holds words of the query is relevant at a lower
 * similarity. Words count by their length, so that the small ones of a language weigh little.
 */
function isRelevant({ vector, closeness }: Found, threshold: number): boolean {
  return vector >= threshold * leastLikeness && closeness >= threshold;
}

/** Share of the asked words' letters that stand in words of the chunk, 0 to 1. */
function sharedWords(asked: readonly string[], { heading, readable }: StoredChunk): number {
  const held = new Set(searchedWords([...heading, readable].join(' ')));
  const letters = (words: readonly string[]) => words.reduce((sum, word) => sum + word.length, 0);
  return asked.length === 0 ? 0 : letters(asked.filter((word) => held.has(word))) / letters(asked);
}

/** Each word once, without case, as full text cuts them. */
function searchedWords(text: string): readonly string[] {
  return [...new Set(text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [])];
}

/**
 * What the words of the query weigh beside the cosine similarity. Ranks are good at finding candidates and poor at
 * ordering them: a list in which nothing fits weighs as much as one that has the very passage. Chosen on one half of
 * the committed questions and confirmed on the other (docs/decisions/0008).
 */
const wordWeight = 0.4;

/** Diverse passages, the most relevant first. */
function chosen(found: readonly Found[], k: number): readonly Passage[] {
  // As a score it is brought to [0, 1].
  const scores = found.map(({ closeness }) => Math.max(0, closeness) / (1 + wordWeight));
  const top = Math.max(...scores, Number.MIN_VALUE);
  const candidates = found.map((entry, at) => ({
    ...entry,
    ...{ id: entry.chunk.id, document: entry.chunk.document, textHash: entry.chunk.textHash },
    relevance: (scores[at] ?? 0) / top,
    score: scores[at] ?? 0,
    similarity: entry.vector,
  }));
  const picked = diversify(
    candidates.map((candidate) => ({ ...candidate, vector: candidate.chunk.vector })),
    k,
  );
  return picked
    .map(({ chunk, score, similarity, text }) =>
      passageOf(chunk, score, { vector: similarity, text, rerank: null }),
    )
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

async function reranked(
  reranker: Reranker,
  query: string,
  found: readonly Found[],
  { k, signal }: SearchOptions,
): Promise<readonly Passage[]> {
  if (found.length === 0) return [];
  const scores = await reranker.rank(
    query,
    found.map(({ chunk }) => chunk.readable),
    signal,
  );
  throwIfCancelled(signal);
  const ranked = found.map((entry, at) => ({
    ...entry,
    ...{ id: entry.chunk.id, document: entry.chunk.document, textHash: entry.chunk.textHash },
    relevance: scores[at] ?? 0,
    similarity: entry.vector,
    vector: entry.chunk.vector,
  }));
  ranked.sort((a, b) => b.relevance - a.relevance || (a.id < b.id ? -1 : 1));
  return diversify(ranked, k)
    .map(({ chunk, similarity, text, relevance }) =>
      passageOf(chunk, relevance, { vector: similarity, text, rerank: relevance }),
    )
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

function passageOf(chunk: StoredChunk, score: number, scores: NonNullable<Passage['scores']>): Passage {
  return {
    ...{ id: chunk.id, source: chunk.source, heading: [...chunk.heading], page: chunk.page },
    ...{ start: chunk.start, end: chunk.end, text: chunk.text, score, scores },
    ...(chunk.readable === chunk.text ? {} : { readable: chunk.readable }),
  };
}

/**
 * What full text is asked: the query's words, each once, without case. Of a long text the longest ones, in
 * their order: in every language the short words are the common ones, which cost most and tell least.
 */
export function queryText(text: string, limit = queryWords): string {
  const words = searchedWords(text);
  if (words.length <= limit) return words.join(' ');
  const longest = [...words].sort((a, b) => b.length - a.length).slice(0, limit);
  const kept = new Set(longest);
  return words.filter((word) => kept.has(word)).join(' ');
}

function ids(hits: readonly Pick<Hit, 'id'>[]): readonly string[] {
  return hits.map(({ id }) => id);
}

function rowOf(row: bigint | undefined): Pick<Hit, 'row'> {
  return row === undefined ? {} : { row };
}
