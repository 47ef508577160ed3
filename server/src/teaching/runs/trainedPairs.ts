// The pairs that a run was trained on, read from the very files that it read.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { throwIfCancelled } from '../../errors.ts';
import { PairLine, PairMeta, type PairMessage, type TrainingPairRow } from '../../protocol/index.ts';
import { isMissing } from '../../state/index.ts';

/** A pair as it was trained on. */
export interface TrainedPair {
  readonly row: TrainingPairRow;
  readonly meta: PairMeta | null;
  readonly prompt: readonly PairMessage[];
  readonly chosen: string;
  readonly rejected: string;
}

const Line = PairLine.extend({ meta: z.unknown().optional() });
const firstWords = 160;

/** The pairs of these files, one after the other; lines count on. Lines that can't be understood are passed over. */
export async function trainedPairs(files: readonly string[], signal: AbortSignal): Promise<TrainedPair[]> {
  const pairs: TrainedPair[] = [];
  let before = 0;
  for (const file of files) {
    throwIfCancelled(signal);
    const lines = (await textOf(file)).split('\n').filter((line) => line !== '');
    for (const [at, line] of lines.entries()) {
      const pair = pairOf(line, before + at + 1);
      if (pair) pairs.push(pair);
    }
    before += lines.length;
  }
  return pairs;
}

function pairOf(text: string, line: number): TrainedPair | null {
  const decoded = Line.safeParse(jsonOf(text)).data;
  if (!decoded) return null;
  const meta = PairMeta.safeParse(decoded.meta).data ?? null;
  const prompt: PairMessage[] =
    typeof decoded.prompt === 'string' ? [{ role: 'user', content: decoded.prompt }] : decoded.prompt;
  const [chosen, rejected] = [textIn(decoded.chosen), textIn(decoded.rejected)];
  return {
    ...{ meta, prompt, chosen, rejected },
    row: {
      line,
      pair: meta?.id ?? null,
      signal: meta?.signal ?? null,
      split: meta?.split ?? null,
      note: meta?.note?.path ?? null,
      question: words(prompt.findLast(({ role }) => role === 'user')?.content ?? ''),
      chosen: words(chosen),
      rejected: words(rejected),
    },
  };
}

function textIn(side: string | readonly PairMessage[] | undefined): string {
  if (side === undefined) return '';
  return typeof side === 'string' ? side : (side.at(-1)?.content ?? '');
}

function words(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= firstWords ? line : `${line.slice(0, firstWords)}…`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
