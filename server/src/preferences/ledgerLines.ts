// The ledger's file format: one decision per line of JSON, and what to make of a line that is none.
// Total: any bytes give a record or a reason, never an exception.
import { isAscii } from 'node:buffer';
import type { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { LedgerRecord } from '../protocol/index.ts';
import { firstIssue, newerSchema, parseStored } from './storedJson.ts';
import { isUsualRecord } from './usualRecord.ts';

/** Longer lines are neither written nor read: no decision comes near, and memory has an end. */
export const longestLine = 64 * 1024 * 1024;

export type DecodedLine = { readonly record: LedgerRecord } | { readonly reason: string };

/** One line without its line end. Throws `bad-input` for what the schema does not allow. */
export function encodeLine(record: LedgerRecord): string {
  const checked = LedgerRecord.safeParse(record);
  if (!checked.success) throw notADecision(checked.error);
  const line = JSON.stringify(record);
  if (Buffer.byteLength(line) > longestLine) {
    throw new PreflexorError('bad-input', 'This decision is too large to be kept: its texts exceed 64 MiB.');
  }
  return line;
}

export function notADecision(error: z.ZodError): PreflexorError {
  return new PreflexorError('bad-input', `This decision cannot be kept: ${firstIssue(error)}.`, {
    cause: error,
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const blank = /^\s*$/;

/** Lines without letters beyond ASCII, and they are most, need no decoding. @throws TypeError for what is no UTF-8 */
function textOf(bytes: Uint8Array): string {
  return isAscii(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    : utf8.decode(bytes);
}

/**
 * Reads one line. null: a blank line. Fields that this version does not know are kept.
 */
export function decodeLine(bytes: Uint8Array): DecodedLine | null {
  let text: string;
  try {
    text = textOf(bytes);
  } catch {
    return { reason: 'not UTF-8 text (cut off, or damaged)' };
  }
  if (blank.test(text)) return null;
  let value: unknown;
  try {
    value = parseStored(text);
  } catch {
    return { reason: 'not a whole line of JSON (cut off, or damaged)' };
  }
  if (isUsualRecord(value)) return { record: value };
  const newer = newerSchema(value, 1);
  if (newer !== null) {
    return { reason: `written by a newer PRefLexOR (record schema ${newer}): update this one to read it` };
  }
  const decoded = LedgerRecord.safeParse(value);
  // The value itself is handed on, not zod's copy, which lacks the unknown fields. The schema transforms nothing.
  return decoded.success
    ? { record: value as LedgerRecord }
    : { reason: `not a decision: ${firstIssue(decoded.error)}` };
}
