// All checks of a set in one go, with the ones that need a model where there is one: near-duplicates by the embedder's
// cosine similarity, truncation by the tokens of the model that is to be trained.
import { setImmediate as breathe } from 'node:timers/promises';
import { throwIfCancelled } from '../../../errors.ts';
import type { PairProblem, PreferencePair } from '../../../protocol/index.ts';
import {
  checkContradictions,
  checkDistance,
  checkDuplicates,
  checkHeldOut,
  checkLanguage,
  checkLeakage,
  checkLengthBias,
  checkLimits,
  checkPersonalData,
  type CheckLimits,
} from './checks.ts';
import { NearDuplicates, type EmbedTexts } from './nearDuplicates.ts';

/** Tokens of each text. */
export type CountTokens = (texts: readonly string[], signal: AbortSignal) => Promise<readonly number[]>;

export interface CheckPorts {
  readonly limits?: CheckLimits;
  /** null: near-duplicates are not looked for. */
  readonly embed: EmbedTexts | null;
  /** Pairs whose meaning was compared, which takes longest. */
  readonly onCompared?: (done: number, total: number) => void;
  /** null: lengths are not held against a limit. */
  readonly tokens: { readonly count: CountTokens; readonly limit: number } | null;
}

const textsAtOnce = 64;

/** @throws PreflexorError `cancelled`, and what the ports throw */
export async function checkPairs(
  pairs: readonly PreferencePair[],
  { limits = checkLimits, embed, onCompared, tokens }: CheckPorts,
  signal: AbortSignal,
): Promise<PairProblem[]> {
  const problems: PairProblem[] = [];
  for (const [at, pair] of pairs.entries()) {
    if (at % 20 === 19) await breathe();
    throwIfCancelled(signal);
    problems.push(...checkPair(pair, limits));
  }
  problems.push(...(await checkSet(pairs, signal, limits)));
  if (tokens) problems.push(...(await checkTruncation(pairs, tokens, signal)));
  if (embed) problems.push(...(await new NearDuplicates(embed).find(pairs, signal, onCompared)));
  return problems;
}

/** What can be said of one pair by itself. It follows from the pair's content, which its id stands for. */
export function checkPair(pair: PreferencePair, limits: CheckLimits = checkLimits): PairProblem[] {
  return [...checkDistance(pair, limits), ...checkPersonalData(pair), ...checkLanguage(pair)];
}

/** What can only be said of pairs together. @throws PreflexorError `cancelled` */
export async function checkSet(
  pairs: readonly PreferencePair[],
  signal: AbortSignal,
  limits: CheckLimits = checkLimits,
): Promise<PairProblem[]> {
  const problems: PairProblem[] = [];
  for (const check of [checkContradictions, checkDuplicates, checkLeakage, checkHeldOut]) {
    await breathe();
    throwIfCancelled(signal);
    problems.push(...check(pairs));
  }
  return [...problems, ...checkLengthBias(pairs, limits)];
}

/** Prompt and longer side together, without what a chat template adds. */
export async function checkTruncation(
  pairs: readonly PreferencePair[],
  { count, limit }: NonNullable<CheckPorts['tokens']>,
  signal: AbortSignal,
): Promise<PairProblem[]> {
  const problems: PairProblem[] = [];
  for (let at = 0; at < pairs.length; at += textsAtOnce) {
    const some = pairs.slice(at, at + textsAtOnce);
    const texts = some.flatMap(({ prompt, chosen, rejected }) => [
      prompt.map(({ content }) => content).join('\n\n'),
      ...[chosen ?? '', rejected ?? ''],
    ]);
    const counts = await count(texts, signal);
    throwIfCancelled(signal);
    for (const [index, { id }] of some.entries()) {
      const [prompt = 0, chosen = 0, rejected = 0] = counts.slice(3 * index, 3 * index + 3);
      const length = prompt + Math.max(chosen, rejected);
      if (length <= limit) continue;
      const message = `It has ${length} tokens, and ${limit} are read: the rest would be cut off.`;
      problems.push({ code: 'truncated', pairs: [id], message });
    }
  }
  return problems;
}
