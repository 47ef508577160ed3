// Perplexity of plain text, token-exact: the text's ids in windows, scored by the trainer in full precision.
import { readFile } from 'node:fs/promises';
import { readGgufHeader, type ChatTokenizer, type GgufHeader } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import type { TrainerRecord } from '../protocol/index.ts';
import { scoreRecords, type PairScore, type ScoreTask } from './scoring.ts';
import type { Trainer } from './trainer.ts';

export interface PerplexityOptions {
  /** Only so many tokens from the start of each text; null: all. */
  readonly first: number | null;
  /** Tokens that are read at once; each window begins anew. */
  readonly window: number;
}

export interface TextTokens {
  readonly file: string;
  readonly tokens: readonly number[];
}

export interface Perplexity {
  readonly file: string;
  /** Tokens that were read, and those of them that were predicted. */
  readonly tokens: number;
  readonly predicted: number;
  /** exp of the mean negative log-probability of the predicted tokens. */
  readonly perplexity: number;
}

/**
 * A text file's token ids: of a markdown file without its front matter.
 * @throws PreflexorError `bad-input`: not there, not UTF-8, or too short to predict anything
 */
export async function tokensOfFile(
  file: string,
  tokenizer: Pick<ChatTokenizer, 'tokenize'>,
  { first }: PerplexityOptions,
  signal: AbortSignal,
): Promise<TextTokens> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new PreflexorError('bad-input', `${file} cannot be read as a text.`, {
      remedy: 'Name UTF-8 text files.',
      cause: error,
    });
  }
  const all = await tokenizer.tokenize(proseOf(file, text), signal);
  const tokens = first === null ? all : all.slice(0, first);
  if (tokens.length < 2) throw new PreflexorError('bad-input', `${file} is too short to be measured.`);
  return { file, tokens };
}

/** A markdown note without its front matter, which is no prose; any text without white space around it. */
export function proseOf(file: string, text: string): string {
  const frontMatter = /\.(md|markdown)$/i.test(file) ? /^---\r?\n[\s\S]*?\r?\n---\r?(\n|$)/.exec(text) : null;
  return text.slice(frontMatter?.[0].length ?? 0).trim();
}

/** The token with which the vocabulary wants texts to begin, or null. Source: llama.cpp's llama-vocab.cpp. */
export async function beginningToken(model: string, signal: AbortSignal): Promise<number | null> {
  const { metadata }: GgufHeader = await readGgufHeader(model, { signal });
  const adds =
    metadata.get('tokenizer.ggml.add_bos_token') ?? metadata.get('tokenizer.ggml.model') === 'llama';
  const token = metadata.get('tokenizer.ggml.bos_token_id');
  return adds === true && typeof token === 'number' ? token : null;
}

/** One record for each window: its first token (or the beginning token) is given, the others are predicted. */
export function windowsOf(
  tokens: readonly number[],
  window: number,
  beginning: number | null,
): TrainerRecord[] {
  const records: TrainerRecord[] = [];
  const step = beginning === null ? window : window - 1;
  for (let start = 0; start < tokens.length; start += step) {
    const part = tokens.slice(start, start + step);
    const [given, ...predicted] = beginning === null ? part : [beginning, ...part];
    if (given !== undefined && predicted.length > 0) records.push({ prompt: [given], chosen: predicted });
  }
  return records;
}

/**
 * The perplexities of texts under the base model, or under an adapter on it.
 * @throws PreflexorError `trainer-failed`, `locked`, `cancelled`
 */
export async function perplexities(
  trainer: Trainer,
  texts: readonly TextTokens[],
  task: Omit<ScoreTask, 'records' | 'reference' | 'losses' | 'gradient'> & {
    readonly window: number;
    readonly beginning: number | null;
  },
  folder: string,
  signal: AbortSignal,
): Promise<Perplexity[]> {
  const { window, beginning, ...model } = task;
  const windows = texts.map(({ tokens }) => windowsOf(tokens, window, beginning));
  const records = windows.flat();
  const scores: PairScore[] = [];
  for await (const score of scoreRecords(trainer, { ...model, reference: null, records }, folder, signal)) {
    scores.push(score);
  }
  let next = 0;
  return texts.map(({ file, tokens }, index) => {
    const own = scores.slice(next, (next += windows[index]?.length ?? 0));
    const sum = own.reduce((total, { chosen }) => total + (chosen?.sum ?? NaN), 0);
    const predicted = own.reduce((total, { chosen }) => total + (chosen?.tokens ?? NaN), 0);
    return { file, tokens: tokens.length, predicted, perplexity: Math.exp(-sum / predicted) };
  });
}
