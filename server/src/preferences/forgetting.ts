// Forgetting in one ledger file: lines of what is forgotten become tombstones without text, which keep their ids, so
// that a copy of the file that comes back from elsewhere brings nothing back. All else stays byte for byte.
import type { LedgerRecord } from '../protocol/index.ts';
import { isMissing, nodeFileSystem, writeDurably, type FileOptions } from '../state/index.ts';
import { decodeLine, encodeLine } from './ledgerLines.ts';

/** What is to be forgotten: all, or what is about one note. */
export type ForgetRule =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'note';
      /** Relative to the workspace, with forward slashes. */
      readonly path: string;
      /** Blocks that are known to be the note's, whatever it was called when they were decided on. */
      readonly blocks: ReadonlySet<string>;
    };

export interface ForgottenLines {
  /** Ids of the records that are tombstones now. */
  readonly records: readonly string[];
  /** Lines that could not be read as records and named the note (or all of them): they are gone. */
  readonly damaged: number;
  /** Lines that could not be read and stay, as nothing in them names the note. */
  readonly unreadable: number;
}

export function isForgotten({ kind, note, block }: LedgerRecord, rule: ForgetRule): boolean {
  if (kind === 'forget') return false;
  return rule.kind === 'all' || note.path === rule.path || rule.blocks.has(block);
}

/** What stays of a record: when and where it was decided, and nothing about what. */
export function tombstoneOf({ id, time, device }: LedgerRecord): LedgerRecord {
  return {
    ...{ schema: 1, id, time, device, block: 'forgotten', run: null, kind: 'forget', iteration: 0 },
    texts: {
      ...{ question: '', paragraph: '', thinking: '', reflection: '', offered: '' },
      ...{ result: null, reason: null },
    },
    note: { path: '', hash: '', range: { start: 0, end: 0 } },
    provenance: null,
  };
}

/** Rewrites a file as a whole, if anything in it is to be forgotten. The caller holds the ledger's lock. */
export async function forgetInFile(
  file: string,
  rule: ForgetRule,
  options: FileOptions = {},
): Promise<ForgottenLines> {
  const found = { records: [] as string[], damaged: 0, unreadable: 0 };
  let bytes: Buffer;
  try {
    bytes = await (options.fileSystem ?? nodeFileSystem).readFile(file);
  } catch (error) {
    if (isMissing(error)) return found;
    throw error;
  }
  const kept: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start);
    const next = end === -1 ? bytes.length : end + 1;
    const line = bytes.subarray(start, next);
    start = next;
    const decoded = decodeLine(end === -1 ? line : line.subarray(0, -1));
    if (decoded && 'record' in decoded && isForgotten(decoded.record, rule)) {
      kept.push(Buffer.from(`${encodeLine(tombstoneOf(decoded.record))}\n`));
      found.records.push(decoded.record.id);
    } else if (decoded && 'reason' in decoded && mayBeAbout(line, rule)) found.damaged += 1;
    else {
      if (decoded && 'reason' in decoded) found.unreadable += 1;
      kept.push(line);
    }
  }
  if (found.records.length + found.damaged > 0) await writeDurably(file, Buffer.concat(kept), options);
  return found;
}

function mayBeAbout(line: Buffer, rule: ForgetRule): boolean {
  if (rule.kind === 'all') return true;
  return [rule.path, ...rule.blocks].some((name) => line.includes(JSON.stringify(name).slice(1, -1)));
}
