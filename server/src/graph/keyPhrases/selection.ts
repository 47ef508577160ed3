// Which candidates are the concepts of a document: how much a phrase is a term by itself (C-value), whether it is a
// name, stands in a heading or has an acronym. Depends on the document alone, so that a graph does not hang on
// the order in which documents came. What one document says too faintly is kept as weak: it counts where other
// documents say it too, and reading the whole graph shows that.
// Source of the C-value: K. Frantzi, S. Ananiadou, H. Mima, Automatic recognition of multi-word terms: the
// C-value/NC-value method, International Journal on Digital Libraries 3 (2000) 115-130.
import { longestPhrase, type Candidate } from './candidates.ts';

export interface Chosen {
  readonly candidate: Candidate;
  /** Above 0, higher is more of a term. */
  readonly score: number;
  readonly strong: boolean;
}

/** Shortest word that is a concept by itself. */
const shortestWord = 4;
const shortestName = 3;
const singleWordFactor = 0.6;
const headingFactor = 1.5;
const acronymFactor = 1.5;
const nameFactor = 1.5;
const leastScore = 0.9;
/** So many concepts a document has at least, if need be such as stand in it less often. */
const fewest = 8;
const mostStrong = 200;
const mostWeak = 1000;

/**
 * The concepts, strong ones first, each sort best first and equal ones in the order of their keys. One strong
 * concept for every 20 words at most, and a weak one for every 2.
 * @param words how many words the document has
 */
export function selectConcepts(candidates: ReadonlyMap<string, Candidate>, words: number): Chosen[] {
  const ranked = [...candidates.values()]
    .map((candidate) => ({ candidate, score: scoreOf(candidate, candidates) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.candidate.key < b.candidate.key ? -1 : 1));
  const limit = Math.min(mostStrong, fewest + Math.floor(words / 20));
  const repeated = ranked
    .filter(({ candidate, score }) => score >= leastScore && isRepeated(candidate))
    .slice(0, limit);
  const others = ranked
    .filter(({ candidate }) => !isRepeated(candidate) && candidate.whole >= (candidate.words > 1 ? 1 : 2))
    .slice(0, Math.max(0, fewest - repeated.length));
  const strong = new Set([...repeated, ...others]);
  const weak = ranked
    .filter((chosen) => !strong.has(chosen))
    .slice(0, Math.min(mostWeak, fewest + Math.floor(words / 2)));
  return [
    ...[...strong].map((chosen) => ({ ...chosen, strong: true })),
    ...weak.map((chosen) => ({ ...chosen, strong: false })),
  ];
}

/** Stands in the text twice, a plain single word three times by itself; what has an acronym was worth naming. */
function isRepeated(candidate: Candidate): boolean {
  if (candidate.acronym !== null) return true;
  if (candidate.words > 1 || candidate.heading || isName(candidate)) return candidate.mentions.length > 1;
  return candidate.whole > 2;
}

function isName({ proper, mentions }: Candidate): boolean {
  return proper * 2 > mentions.length;
}

function scoreOf(candidate: Candidate, all: ReadonlyMap<string, Candidate>): number {
  const weight = Math.log2(candidate.words + 1);
  if (candidate.acronym !== null) return acronymFactor * weight * candidate.mentions.length;
  if (candidate.generic || !candidate.ends || candidate.words > longestPhrase) return 0;
  const name = isName(candidate);
  if (candidate.words === 1 && candidate.key.length < (name ? shortestName : shortestWord)) return 0;
  // A single word counts where it stands by itself; within phrases it is a part.
  const free =
    candidate.words === 1 ? candidate.whole : candidate.mentions.length - mostOfLonger(candidate, all);
  const factors = [
    candidate.words === 1 ? singleWordFactor : 1,
    name ? nameFactor : 1,
    candidate.heading ? headingFactor : 1,
  ];
  // Two-word phrases that stand once within a longer one are kept, at the least score.
  const nested = candidate.words === 2 ? 0.01 : 0;
  return factors.reduce((product, factor) => product * factor, weight * Math.max(free, nested));
}

/**
 * How often the most frequent of the longer phrases stands that this one is part of: so much of it is theirs. The
 * paper takes their mean; with the most frequent, what never stands outside one longer phrase comes to nothing.
 */
function mostOfLonger(candidate: Candidate, all: ReadonlyMap<string, Candidate>): number {
  return Math.max(0, ...[...candidate.within].map((key) => all.get(key)?.mentions.length ?? 0));
}
