// Why a file was not read, in words for the writer.
import type { RefusalCode } from '../../protocol/index.ts';
import type { ReadResult } from '../ports.ts';

export function refused(code: RefusalCode, reason: string): ReadResult {
  return { refusal: { code, reason } };
}

/** Bytes as a person says them. */
export function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
