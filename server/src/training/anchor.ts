// The plain texts that a run holds the model to, so that what it learns costs little of its other language: cut into
// pieces of token ids. Which texts there are is said by whoever asks for the run.
import { createHash } from 'node:crypto';
import type { ChatTokenizer } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import type { AnchorKind, AnchorRecord, TrainerAnchor } from '../protocol/index.ts';
import { proseOf } from './perplexity.ts';
import { draw, seededRandom } from './random.ts';

export interface AnchorSource {
  readonly from: AnchorRecord['texts'][number]['from'];
  /** A path in the workspace, else the file's name. */
  readonly file: string;
  /** The text; null where it is not to be read after all. */
  readonly read: (signal: AbortSignal) => Promise<string | null>;
}

export interface AnchorWishes {
  readonly kind?: AnchorKind;
  readonly weight?: number;
  /** Key of the workspace that the sources' paths are relative to. */
  readonly workspace: string | null;
  readonly sources: readonly AnchorSource[];
}

export interface PreparedAnchor {
  readonly record: AnchorRecord;
  readonly config: TrainerAnchor;
}

/** What held the small model best to its language while it learned the style pairs (bench/forgetting.ts). */
const usualWeight: Readonly<Record<AnchorKind, number>> = { kl: 10, replay: 1 };
const perStep = 2;
const pieceTokens = 128;
/** The end of a text is a piece of its own from so many tokens on. */
const leastTokens = 32;
/** Of each piece the frozen model's states are kept in memory: more pieces than these help little. */
const mostPieces = 128;

/**
 * Reads as many texts as a run needs, in an order that the seed decides, those that ship last.
 * @param beginning the token with which the vocabulary wants texts to begin, or null
 * @throws PreflexorError `bad-input` where there is too little text, or a named one cannot be read; `cancelled`
 */
export async function prepareAnchor(
  { kind = 'kl', weight = usualWeight[kind], workspace, sources }: AnchorWishes,
  run: { readonly steps: number; readonly seed: number; readonly beginning: number | null },
  tokenizer: Pick<ChatTokenizer, 'tokenize'>,
  signal: AbortSignal,
): Promise<PreparedAnchor> {
  const wanted = Math.min(mostPieces, perStep * run.steps);
  const pieces: number[][] = [];
  const texts: AnchorRecord['texts'] = [];
  for (const { from, file, read } of inOrder(sources, run.seed)) {
    if (pieces.length >= wanted) break;
    const text = await read(signal);
    if (text === null) continue;
    const found = piecesOf(await tokenizer.tokenize(proseOf(file, text), signal), run.beginning);
    if (found.length === 0) continue;
    pieces.push(...found.slice(0, wanted - pieces.length));
    texts.push({ from, file, sha256: createHash('sha256').update(text).digest('hex') });
  }
  if (pieces.length === 0) {
    throw new PreflexorError('bad-input', 'The text that training must not forget is too short.', {
      remedy: `Name files with more than ${leastTokens} tokens by --anchor, or say --no-anchor.`,
    });
  }
  const tokens = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return {
    record: { ...{ kind, weight, perStep, tokens, workspace, texts }, pieces: pieces.length },
    config: { ...{ kind, weight, perStep }, sequences: pieces },
  };
}

function inOrder(sources: readonly AnchorSource[], seed: number): AnchorSource[] {
  const own = sources.filter(({ from }) => from !== 'shipped');
  const shuffled = [...draw(own.length, own.length, seededRandom(seed))].flatMap((index) => own[index] ?? []);
  return [...shuffled, ...sources.filter(({ from }) => from === 'shipped')];
}

function piecesOf(tokens: readonly number[], beginning: number | null): number[][] {
  const first = beginning === null ? [] : [beginning];
  const length = pieceTokens - first.length;
  const pieces: number[][] = [];
  for (let start = 0; start + leastTokens <= tokens.length; start += length) {
    pieces.push([...first, ...tokens.slice(start, start + length)]);
  }
  return pieces;
}
