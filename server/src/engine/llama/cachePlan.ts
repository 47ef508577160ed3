// Which tokens of a prompt come out of the key-value cache, and in which batches the rest is evaluated.
// Pure arithmetic: knows neither tokens' meaning nor the model library.

/**
 * Numbers come out a little differently (in the last bits) when tokens are evaluated in other batches. So a
 * prompt is always cut at multiples of `batchTokens`, its last token is evaluated alone, and of the prompts of
 * earlier requests only whole batches are reused: the same request gives the same output with a cold and with
 * a warm cache, bit for bit. A prompt that goes on after a text that was generated here (the next step of the
 * same reasoning) reuses every common token: evaluating a long answer again would cost seconds.
 */
export interface CacheState {
  /** Ends of the batches from the start of the cache that any cold run would have cut in the same way. */
  readonly batchEnds: readonly number[];
}

export const coldCache: CacheState = { batchEnds: [] };

export interface PromptPlan {
  /** Leading tokens that stay in the cache. */
  readonly keep: number;
  /** Ends of the batches that are to be evaluated after them, up to but without the prompt's last token. */
  readonly batchEnds: readonly number[];
}

/** Where a prompt is cut: at multiples of the batch size, and before its last token. */
function endsFrom(start: number, promptTokens: number, batchTokens: number): number[] {
  const ends: number[] = [];
  const last = promptTokens - 1;
  for (let at = start; at < last;) {
    at = Math.min(last, (Math.floor(at / batchTokens) + 1) * batchTokens);
    ends.push(at);
  }
  return ends;
}

/**
 * Plans a prompt of `promptTokens` tokens, of which the first `common` are those in the cache.
 * The last token is never kept, because its logits are needed.
 */
export function planPrompt(
  cache: CacheState,
  common: number,
  promptTokens: number,
  batchTokens: number,
): PromptPlan {
  const most = Math.min(common, promptTokens - 1);
  // Behind the last batch lies the old prompt's last token; what is common behind that was generated.
  const generated = (cache.batchEnds.at(-1) ?? 0) + 1;
  const keep = most > generated ? most : matchingEnd(cache, most, promptTokens, batchTokens);
  return replan(keep, promptTokens, batchTokens);
}

/** The same plan when fewer tokens could be kept than was planned. */
export function replan(keep: number, promptTokens: number, batchTokens: number): PromptPlan {
  return { keep, batchEnds: endsFrom(keep, promptTokens, batchTokens) };
}

/** The end of the last batch that this prompt, evaluated from nothing, would have cut in the same way. */
function matchingEnd(cache: CacheState, most: number, promptTokens: number, batchTokens: number): number {
  let keep = 0;
  for (const [index, end] of endsFrom(0, promptTokens, batchTokens).entries()) {
    if (cache.batchEnds[index] !== end || end > most) break;
    keep = end;
  }
  return keep;
}

/** The cache after everything behind `keep` was taken out of it. */
export function truncated(cache: CacheState, keep: number): CacheState {
  return { batchEnds: cache.batchEnds.filter((end) => end <= keep) };
}

/** The cache after tokens `[start, end)` were evaluated as one batch of a prompt. */
export function extended(cache: CacheState, start: number, end: number): CacheState {
  return (cache.batchEnds.at(-1) ?? 0) === start ? { batchEnds: [...cache.batchEnds, end] } : cache;
}

/** Floating-point operations that one thread of an ordinary processor does in a second (69e9 were measured). */
const operationsPerThreadSecond = 70e9;
const secondsPerBatch = 0.5;

/**
 * Tokens of a prompt that are evaluated at once: a power of two, so many that a batch takes about half a second
 * (the computation is stopped between batches) and no fewer than the matrix kernels need to be efficient.
 * It depends on the model and the threads alone, because the cuts are part of what makes a run repeatable.
 */
export function batchTokensFor(parameters: number, threads: number, onGpu: boolean): number {
  if (onGpu) return 512;
  const tokens = (secondsPerBatch * threads * operationsPerThreadSecond) / (2 * Math.max(1, parameters));
  return 2 ** Math.min(9, Math.max(3, Math.floor(Math.log2(tokens))));
}
