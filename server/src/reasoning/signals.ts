// Failure signatures, measured on texts (method, section 2): what each iteration shows by itself, and what it shows
// beside the one before. Words are found by Unicode's rules, so that no language is needed to be known.
import { diffArrays } from 'diff';
import type { Rubric, Segment, Signal } from '../protocol/index.ts';
import { contentWords, wordsOf } from '../words.ts';

/** Words of a repeated run: four words coming back again and again are a loop, not a style. */
const runLength = 4;
const loopThreshold = 0.5;

/** An answer that shares fewer of its words with what it is about could have been about anything. */
const genericThreshold = 0.2;

/** A reflection that says fewer words of its own than these has found nothing. */
const emptyThreshold = 4;

/** An iteration that changes fewer of the words than this share has come to rest. */
const changeThreshold = 0.05;

/** Texts whose vectors are closer than this say the same. */
const meaningThreshold = 0.99;

/** A score that falls by more than this (of 1) is a loss, beyond what two readings differ by. */
const degradationThreshold = 0.1;

type Verdict = Signal['verdict'];

/** What one iteration is measured by. */
export interface Measured {
  readonly segments: readonly Segment[];
  readonly thinking: string;
  readonly reflection: string;
  readonly answer: string;
  readonly score: number | null;
  readonly rubrics: readonly Rubric[];
}

/** What the whole run has in common. */
export interface Background {
  /** The paragraph and the passages. */
  readonly context: string;
  readonly reflects: boolean;
}

/** Share of a text's four-word runs that stood there before, 0 (no repetition) to 1. Short texts give 0. */
export function repetition(text: string): number {
  const words = wordsOf(text);
  const runs = words.length - runLength + 1;
  if (runs < runLength * 2) return 0;
  const seen = new Set<string>();
  for (let at = 0; at < runs; at += 1) seen.add(words.slice(at, at + runLength).join(' '));
  return 1 - seen.size / runs;
}

/**
 * The signals of an iteration.
 * @param similarity cosine similarity of its answer and the one before, where an embedder is there
 */
export function signalsOf(
  now: Measured,
  before: Measured | null,
  background: Background,
  similarity: number | null = null,
): Signal[] {
  return [
    truncation(now.segments),
    loop(now.segments),
    generic(now.answer, background.context),
    ...(background.reflects ? [emptyReflection(now)] : []),
    ...(before ? [noChange(now, before)] : []),
    ...(before && similarity !== null ? [sameMeaning(similarity)] : []),
    ...(before ? degradation(now, before) : []),
  ];
}

/** Whether a signal of this name has failed. */
export function failed(signals: readonly Signal[], ...names: readonly Signal['name'][]): boolean {
  return signals.some((signal) => names.includes(signal.name) && signal.verdict === 'failed');
}

/** Mean of all marks of all readings, 0 to 1; null without a reading. */
export function scoreOf(rubrics: readonly Rubric[]): number | null {
  if (rubrics.length === 0) return null;
  return mean(rubrics.map(markOf));
}

/** How far the readings of one text lie apart, 0 to 1: differences of scores below it mean nothing. */
export function spreadOf(rubrics: readonly Rubric[]): number {
  const marks = rubrics.map(markOf);
  return marks.length < 2 ? 0 : Math.max(...marks) - Math.min(...marks);
}

function markOf({ grounded, answers, specific, consistent }: Rubric): number {
  return (grounded + answers + specific + consistent) / 40;
}

function truncation(segments: readonly Segment[]): Signal {
  const value = segments.filter((segment) => segment.problems.includes('truncated')).length;
  const answer = segments.some(({ kind, problems }) => kind === 'answer' && problems.includes('truncated'));
  const verdict = value === 0 ? 'fine' : answer ? 'failed' : 'doubtful';
  return { name: 'truncation', value, threshold: 1, verdict };
}

function loop(segments: readonly Segment[]): Signal {
  const value = Math.max(0, ...segments.map((segment) => repetition(segment.text)));
  return {
    name: 'loop',
    value,
    threshold: loopThreshold,
    verdict: above(value, loopThreshold / 2, loopThreshold),
  };
}

/** Share of a text's words, short ones aside and each once, that stand in another text, 0 to 1. No words: 0. */
export function sharedWords(text: string, context: string): number {
  const own = contentWords(text);
  const known = contentWords(context);
  return own.size === 0 ? 0 : [...own].filter((word) => known.has(word)).length / own.size;
}

function generic(answer: string, context: string): Signal {
  const value = sharedWords(answer, context);
  return {
    name: 'generic',
    value,
    threshold: genericThreshold,
    verdict: below(value, genericThreshold * 1.5, genericThreshold),
  };
}

function emptyReflection({ thinking, reflection }: Measured): Signal {
  const said = contentWords(thinking);
  const value = [...contentWords(reflection)].filter((word) => !said.has(word)).length;
  return {
    name: 'empty-reflection',
    value,
    threshold: emptyThreshold,
    verdict: below(value, emptyThreshold * 2, emptyThreshold),
  };
}

function noChange(now: Measured, before: Measured): Signal {
  const value = Math.max(
    changedShare(before.answer, now.answer),
    changedShare(before.thinking, now.thinking),
  );
  return {
    name: 'no-change',
    value,
    threshold: changeThreshold,
    verdict: below(value, changeThreshold * 2, changeThreshold),
  };
}

function sameMeaning(value: number): Signal {
  return {
    name: 'same-meaning',
    value,
    threshold: meaningThreshold,
    verdict: above(value, 0.97, meaningThreshold),
  };
}

/** Value: how far the score fell, less what the critic's own readings differ by. */
function degradation(now: Measured, before: Measured): Signal[] {
  if (now.score === null || before.score === null) return [];
  const noise = Math.max(spreadOf(now.rubrics), spreadOf(before.rubrics));
  const value = before.score - now.score - noise;
  return [
    {
      name: 'degradation',
      value,
      threshold: degradationThreshold,
      verdict: above(value, 0, degradationThreshold),
    },
  ];
}

/** Share of the words of both texts that are only in one of them at that place, 0 (equal) to 1. */
export function changedShare(before: string, after: string): number {
  const old = wordsOf(before);
  const young = wordsOf(after);
  if (old.length + young.length === 0) return 0;
  let changed = 0;
  for (const { added, removed, value } of diffArrays(old, young))
    if (added || removed) changed += value.length;
  return changed / (old.length + young.length);
}

/** `doubtful` from `doubt` on, `failed` from `fail` on. */
function above(value: number, doubt: number, fail: number): Verdict {
  return value >= fail ? 'failed' : value > doubt ? 'doubtful' : 'fine';
}

function below(value: number, doubt: number, fail: number): Verdict {
  return value < fail ? 'failed' : value < doubt ? 'doubtful' : 'fine';
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
