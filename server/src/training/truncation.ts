// Cuts a pair to the lengths that training allows, as TRL's ORPO trainer does. Pure.
import type { MaskedTokens } from './masks.ts';

export interface LengthLimits {
  /** Tokens of prompt and the longer completion together. */
  readonly maxLength: number;
  /** Tokens that the prompt keeps when the whole is too long. */
  readonly maxPromptLength: number;
}

export interface TokenPair {
  readonly prompt: readonly number[];
  readonly chosen: MaskedTokens | null;
  readonly rejected: MaskedTokens | null;
}

/**
 * When prompt and the longer completion exceed `maxLength`, the prompt keeps its last `maxPromptLength` tokens; if
 * that is not enough, the completions keep their first `maxLength − maxPromptLength`.
 * Source: TRL, ORPOTrainer.tokenize_row with truncation_mode keep_end.
 */
export function truncatePair(pair: TokenPair, { maxLength, maxPromptLength }: LengthLimits): TokenPair {
  const longer = Math.max(pair.chosen?.tokens.length ?? 0, pair.rejected?.tokens.length ?? 0);
  if (pair.prompt.length + longer <= maxLength) return pair;
  const prompt = pair.prompt.slice(-maxPromptLength);
  if (prompt.length + longer <= maxLength) return { ...pair, prompt };
  const kept = maxLength - maxPromptLength;
  return { prompt, chosen: firstOf(pair.chosen, kept), rejected: firstOf(pair.rejected, kept) };
}

function firstOf(completion: MaskedTokens | null, count: number): MaskedTokens | null {
  if (completion === null || completion.tokens.length <= count) return completion;
  return { tokens: completion.tokens.slice(0, count), mask: completion.mask.slice(0, count) };
}
