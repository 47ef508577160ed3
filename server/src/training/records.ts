// From pairs to what the trainer reads: token ids and masks. Takes the tokenizer as a port, and names every line
// that cannot be trained on with the reason.
import { setImmediate } from 'node:timers/promises';
import type { ChatTokenizer } from '../engine/index.ts';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import type {
  ChatTokens,
  MarkerProfile,
  MaskOptions,
  PreparedCounts,
  RefusedLine,
  TrainerLoss,
  TrainerRecord,
} from '../protocol/index.ts';
import { maskCompletion, thinkAfterEveryToken, type MaskedTokens } from './masks.ts';
import type { Pair, PairsFile } from './pairsFile.ts';
import { seededRandom } from './random.ts';
import { truncatePair, type LengthLimits, type TokenPair } from './truncation.ts';

export interface PrepareOptions extends LengthLimits {
  readonly mask: MaskOptions;
  readonly seed: number;
  /** What the records are for; null: any loss that they allow. */
  readonly loss: TrainerLoss | null;
}

export interface PreparedRecords {
  readonly records: readonly TrainerRecord[];
  /** The line of the pairs file that each record came from. */
  readonly lines: readonly number[];
  readonly counts: PreparedCounts;
}

/**
 * Tokenises, masks and cuts the pairs of a file.
 * @throws PreflexorError `bad-input` when no record is left or the options exclude each other, and what the
 * tokenizer throws
 */
export async function prepareRecords(
  file: PairsFile,
  tokenizer: ChatTokenizer,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<PreparedRecords> {
  requireSense(options);
  const { markers } = await tokenizer.load(signal);
  const thinking = {
    start: await tokenizer.tokenize(markers.thinking.start, signal),
    end: await tokenizer.tokenize(markers.thinking.end, signal),
  };
  const records: TrainerRecord[] = [];
  const lines: number[] = [];
  const refused = [...file.refused];
  const cut = { prompts: 0, completions: 0 };
  for (const pair of file.pairs) {
    const chat = await tokenizer.tokenizeChat(
      {
        messages: [...pair.prompt],
        completions: [pair.chosen, pair.rejected].filter((text) => text !== null),
      },
      signal,
    );
    throwIfCancelled(signal);
    const masked = maskPair(pair, chat, markers, thinking, options);
    if ('reason' in masked) {
      refused.push(masked);
      continue;
    }
    const kept = truncatePair(masked, options);
    if (kept.prompt.length < masked.prompt.length) cut.prompts += 1;
    cut.completions += [kept.chosen, kept.rejected].filter(
      (side) => side !== masked.chosen && side !== masked.rejected,
    ).length;
    const reason = sideWithoutTokens(kept);
    if (reason !== null) {
      refused.push({ line: pair.line, reason: `${reason} counts after it was cut to the length limit` });
      continue;
    }
    records.push(recordOf(kept));
    lines.push(pair.line);
    if (records.length % 64 === 0) await setImmediate();
  }
  refused.sort((a, b) => a.line - b.line);
  if (records.length === 0) throw nothingLeft(file, refused);
  const { file: name, sha256 } = file;
  const tokens = records.reduce((sum, record) => sum + tokensOf(record), 0);
  return {
    records,
    lines,
    counts: {
      ...{ file: name, sha256, records: records.length, refused, tokens },
      ...{ truncatedPrompts: cut.prompts, truncatedCompletions: cut.completions },
    },
  };
}

function requireSense({ mask, maxLength, maxPromptLength }: PrepareOptions): void {
  if (maxPromptLength >= maxLength) {
    throw new PreflexorError(
      'bad-input',
      `A prompt of ${maxPromptLength} tokens leaves no room for answers in ${maxLength}.`,
      { remedy: 'Set the prompt length lower than the length.' },
    );
  }
  if (mask.thinkAfterToken > 0 && mask.kind !== 'none') {
    throw new PreflexorError('bad-input', 'Thinking after every token excludes the other masks.', {
      remedy: 'Choose one of them.',
    });
  }
}

interface MarkerTokens {
  readonly start: readonly number[];
  readonly end: readonly number[];
}

function maskPair(
  pair: Pair,
  chat: ChatTokens,
  profile: MarkerProfile,
  thinking: MarkerTokens,
  { mask, seed, loss }: PrepareOptions,
): TokenPair | RefusedLine {
  const sides: { chosen: MaskedTokens | null; rejected: MaskedTokens | null } = {
    chosen: null,
    rejected: null,
  };
  const given = (['chosen', 'rejected'] as const).filter((side) => pair[side] !== null);
  const missing = loss === null ? null : missingFor(loss, given);
  if (missing !== null) return { line: pair.line, reason: missing };
  for (const [index, side] of given.entries()) {
    const completion = chat.completions[index];
    if (!completion) return { line: pair.line, reason: `${side} was not tokenised` };
    const random = seededRandom(seed, pair.line, side === 'chosen' ? 0 : 1);
    const masked = maskCompletion(completion, chat.endOfTurn, profile, mask, random);
    if (!masked) return { line: pair.line, reason: `the mask "${mask.kind}" leaves nothing of ${side}` };
    const thinks = mask.thinkAfterToken > 0 && (side === 'chosen' || mask.thinkInRejected);
    sides[side] = thinks
      ? thinkAfterEveryToken(masked, mask.thinkAfterToken, thinking, chat.endOfTurn)
      : masked;
  }
  return { prompt: chat.prompt, ...sides };
}

/** SFT reads chosen completions only, KTO either kind, all others compare the two. */
function missingFor(loss: TrainerLoss, given: readonly ('chosen' | 'rejected')[]): string | null {
  if (loss === 'kto') return null;
  if (!given.includes('chosen')) return `it has no chosen answer, which ${loss} needs`;
  if (loss === 'sft' || loss === 'sft_full') return null;
  return given.includes('rejected') ? null : `it has no rejected answer, which ${loss} needs`;
}

function sideWithoutTokens(pair: TokenPair): string | null {
  for (const side of ['chosen', 'rejected'] as const) {
    if (pair[side] !== null && !pair[side].mask.includes(1)) return `nothing of ${side}`;
  }
  return null;
}

/** A mask of ones is what the trainer takes when there is none. */
function recordOf({ prompt, chosen, rejected }: TokenPair): TrainerRecord {
  return {
    prompt: [...prompt],
    ...(chosen && { chosen: [...chosen.tokens] }),
    ...(rejected && { rejected: [...rejected.tokens] }),
    ...(chosen?.mask.includes(0) && { chosenMask: [...chosen.mask] }),
    ...(rejected?.mask.includes(0) && { rejectedMask: [...rejected.mask] }),
  };
}

/** Prompt and completion of each side, as the trainer counts them. */
function tokensOf({ prompt, chosen, rejected }: TrainerRecord): number {
  return [chosen, rejected].reduce((sum, side) => sum + (side ? prompt.length + side.length : 0), 0);
}

function nothingLeft(file: PairsFile, refused: readonly RefusedLine[]): PreflexorError {
  const first = refused[0];
  const why = first ? ` Line ${first.line}: ${first.reason}.` : '';
  return new PreflexorError('bad-input', `${file.file} has no pair that can be used.${why}`, {
    remedy: 'Give a file with one JSON object a line: {"prompt": …, "chosen": …, "rejected": …}.',
  });
}
