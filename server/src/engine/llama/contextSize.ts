// How many tokens of context a model gets on this machine.
// Arithmetic over the estimates of engine/models; allocates nothing.
import { PreflexorError } from '../../errors.ts';
import { estimateMemory, fits, type ModelShape } from '../models/index.ts';

/** Fewer tokens than this are of no use: not even a short paragraph with its instructions fits. */
export const fewestContextTokens = 512;

/** A context that a reasoning run over a paragraph with passages is comfortable in. */
const comfortableContextTokens = 4096;

/** Of the memory that is free beside the weights, a context takes no more than this unless it is comfortable. */
const contextShare = 0.25;

/** llama.cpp rounds contexts up to this. */
const contextStep = 256;

export interface ContextWish {
  readonly shape: ModelShape & { readonly weightBytes: number };
  /** Bytes that may be taken, weights included. */
  readonly availableBytes: number;
  /** 0: as many as memory allows. */
  readonly contextTokens: number;
}

/**
 * The context size in tokens: what was asked for, or as much as a quarter of the free memory holds (at least
 * 4,096 tokens where they fit at all), never more than the model was trained with.
 * @throws PreflexorError `out-of-memory` with numbers when that, or the least of 512 tokens, does not fit
 */
export function contextTokensFor({ shape, availableBytes, contextTokens }: ContextWish): number {
  const trained = Math.max(shape.trainedContext, 1);
  const bytesFor = (tokens: number) => estimateMemory(shape, tokens).totalBytes;
  const least = Math.min(fewestContextTokens, trained);
  const wanted = contextTokens === 0 ? least : Math.min(contextTokens, trained);
  if (!fits(bytesFor(wanted), availableBytes)) throw outOfMemory(bytesFor(wanted), availableBytes, wanted);
  if (contextTokens !== 0) return wanted;

  const free = availableBytes - bytesFor(least);
  const shared = largest(trained, (tokens) => bytesFor(tokens) - bytesFor(least) <= free * contextShare);
  const comfortable = largest(Math.min(trained, comfortableContextTokens), (tokens) =>
    fits(bytesFor(tokens), availableBytes),
  );
  return Math.max(least, shared, comfortable);
}

/** The largest multiple of the step (or `most` itself) that is fine; 0 when none is. */
function largest(most: number, fine: (tokens: number) => boolean): number {
  if (fine(most)) return most;
  let good = 0;
  let bad = Math.ceil(most / contextStep);
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fine(middle * contextStep)) good = middle;
    else bad = middle;
  }
  return good * contextStep;
}

export function outOfMemory(needed: number, available: number, tokens: number): PreflexorError {
  return new PreflexorError(
    'out-of-memory',
    `The model needs about ${gigabytes(needed)} of memory with a context of ${tokens.toLocaleString('en')} ` +
      `tokens, and ${gigabytes(available)} can be had.`,
    { remedy: 'Close other programs, choose a smaller model, or set preflexor.engine.contextTokens lower.' },
  );
}

function gigabytes(bytes: number): string {
  return `${(Math.max(0, bytes) / 1e9).toFixed(1)} GB`;
}
