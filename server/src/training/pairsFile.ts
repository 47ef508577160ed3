// Reads a file of preference pairs, one JSON object a line, in TRL's conversational or standard form. A line that
// cannot be used is given back with its number and the reason. Knows nothing of tokens and models.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import { PairLine, type ChatMessage, type PairMessage, type RefusedLine } from '../protocol/index.ts';

/** A prompt and one or two ways to answer it. */
export interface Pair {
  readonly line: number;
  readonly prompt: readonly ChatMessage[];
  readonly chosen: string | null;
  readonly rejected: string | null;
}

export interface PairsFile {
  /** The file's name, without its folder. */
  readonly file: string;
  readonly sha256: string;
  readonly pairs: readonly Pair[];
  readonly refused: readonly RefusedLine[];
}

/** Far more than a writer's own pairs, and a bound on the memory that a wrong file can take. */
export const pairsLimits = { lineCharacters: 1_000_000, pairs: 200_000 } as const;

/**
 * Reads a pairs file whole.
 * @throws PreflexorError `bad-input` when it cannot be read, is not UTF-8, or exceeds a limit; `cancelled`
 */
export async function readPairsFile(path: string, signal: AbortSignal): Promise<PairsFile> {
  const hash = createHash('sha256');
  const pairs: Pair[] = [];
  const refused: RefusedLine[] = [];
  let line = 0;
  for await (const text of linesOf(path, hash, signal)) {
    line += 1;
    if (text.trim() === '') continue;
    const decoded = decodePair(text, line);
    if ('reason' in decoded) refused.push(decoded);
    else pairs.push(decoded);
    if (pairs.length + refused.length > pairsLimits.pairs) {
      throw unreadable(path, `it has more than ${pairsLimits.pairs.toLocaleString('en')} pairs`);
    }
  }
  return { file: basename(path), sha256: hash.digest('hex'), pairs, refused };
}

/** One line as a pair, or why it is none. */
export function decodePair(text: string, line: number): Pair | RefusedLine {
  const refuse = (reason: string): RefusedLine => ({ line, reason });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse('it is not valid JSON');
  }
  const decoded = PairLine.safeParse(json);
  if (!decoded.success) return refuse(reasonOf(decoded.error));
  const { prompt, completion, label } = decoded.data;
  const messages = typeof prompt === 'string' ? [user(prompt)] : prompt.map(message);
  if (messages.at(-1)?.role !== 'user') return refuse('the prompt does not end with a turn of the user');
  const sides: Record<'chosen' | 'rejected', string | null> = { chosen: null, rejected: null };
  for (const side of ['chosen', 'rejected'] as const) {
    const unpaired = label === (side === 'chosen') ? completion : undefined;
    const given = decoded.data[side] ?? unpaired;
    if (given === undefined) continue;
    const answer = answerOf(given);
    if (answer === null) return refuse(`${side} is not one answer of the assistant`);
    if (answer.trim() === '') return refuse(`${side} is empty`);
    sides[side] = answer;
  }
  if (sides.chosen === null && sides.rejected === null) {
    return refuse('it has neither chosen nor rejected, nor a completion with a label');
  }
  if (sides.chosen === sides.rejected) return refuse('chosen and rejected are the same text');
  return { line, prompt: messages, ...sides };
}

function user(text: string): ChatMessage {
  return { role: 'user', text };
}

function message({ role, content }: PairMessage): ChatMessage {
  return { role, text: content };
}

function answerOf(completion: string | readonly PairMessage[]): string | null {
  if (typeof completion === 'string') return completion;
  const [only] = completion;
  return completion.length === 1 && only?.role === 'assistant' ? only.content : null;
}

/** The first thing that is wrong, with where it is. */
function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return 'it is no pair';
  const where = issue.path.join('.');
  if (issue.path.length === 1 && issue.code === 'invalid_union') {
    return `${where} is neither a text nor a list of messages with role and content`;
  }
  return where === '' ? 'it is not an object with prompt, chosen and rejected' : `${where}: ${issue.message}`;
}

/** The file's lines; `hash` hears all of its bytes. */
async function* linesOf(
  path: string,
  hash: { update(bytes: Buffer): unknown },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      throwIfCancelled(signal);
      hash.update(chunk);
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > pairsLimits.lineCharacters || lines.some(tooLong)) {
        throw unreadable(path, 'it has a line of more than a million characters');
      }
      yield* lines;
    }
    rest += decoder.decode();
  } catch (error) {
    if (error instanceof PreflexorError) throw error;
    const text = error instanceof TypeError;
    throw unreadable(path, text ? 'it is not a UTF-8 text' : 'it cannot be read', error);
  }
  if (rest !== '') yield rest;
}

function tooLong(line: string): boolean {
  return line.length > pairsLimits.lineCharacters;
}

function unreadable(path: string, why: string, cause?: unknown): PreflexorError {
  return new PreflexorError('bad-input', `The pairs file ${path} cannot be used: ${why}.`, {
    remedy: 'Name a file with one JSON object a line: {"prompt": …, "chosen": …, "rejected": …}.',
    cause,
  });
}
