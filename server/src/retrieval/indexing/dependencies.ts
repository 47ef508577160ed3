// Documents that take in other files (LaTeX's \input): which files stand under which document, and which documents
// must be read again because a file that they take in has changed.
import { throwIfCancelled } from '../../errors.ts';
import type { DocumentRecord } from '../ports.ts';
import { hashOf, othersFor, readFileBytes } from './fileReading.ts';
import type { IndexParts } from './parts.ts';
import { isPart, sameStat } from './records.ts';
import type { ScannedFile } from './workspaceWalker.ts';

/**
 * The files that stand under a document, each with that document. A file is a document of its own when no other
 * document takes it in; of files that take in each other in a ring, the first by path is the document.
 * @param takes what each file takes in, itself or through others
 */
export function partsOf(takes: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const parents = new Map<string, string[]>();
  const paths = [...takes.keys()].sort();
  for (const path of paths) {
    for (const taken of takes.get(path) ?? []) {
      if (taken === path) continue;
      const above = parents.get(taken);
      if (above) above.push(path);
      else parents.set(taken, [path]);
    }
  }
  const own = new Set<string>();
  const parts = new Map<string, string>();
  let undecided = paths;
  while (undecided.length > 0) {
    const left: string[] = [];
    for (const path of undecided) {
      const above = parents.get(path) ?? [];
      const parent = above.find((each) => own.has(each));
      if (parent !== undefined) parts.set(path, parent);
      else if (above.every((each) => parts.has(each))) own.add(path);
      else left.push(path);
    }
    const [first] = left;
    // Nothing was decided: what is left are rings, and what hangs on them.
    if (first !== undefined && left.length === undecided.length) {
      own.add(first);
      left.shift();
    }
    undecided = left;
  }
  // Files that are taken in and are no candidates themselves (by their name) stand under a document as well.
  for (const [taken, above] of parents) {
    const parent = above.find((each) => own.has(each));
    if (parent !== undefined && !takes.has(taken)) parts.set(taken, parent);
  }
  return parts;
}

export interface Dependencies {
  /** Files that stand under a document, with that document. */
  readonly parts: ReadonlyMap<string, string>;
  /** Documents of which a file that they take in has changed, come or gone. */
  readonly outdated: ReadonlySet<string>;
  /** What is at a path that a document takes in, whether or not the scan found it. */
  current(path: string): Promise<ScannedFile | null>;
  /** sha256 of the file at such a path; '' where there is none. */
  hash(path: string): Promise<string>;
}

export interface DependencyQuestion {
  readonly records: ReadonlyMap<string, DocumentRecord>;
  readonly files: ReadonlyMap<string, ScannedFile>;
  /** Those of the files that may take in others. */
  readonly latex: readonly string[];
  readonly changed: ReadonlySet<string>;
  /** Something new, changed or gone among files that take in others. */
  readonly anyChange: boolean;
}

/** Finds out what stands under what. Reads LaTeX files only when something about them has changed. */
export async function findDependencies(
  question: DependencyQuestion,
  parts: IndexParts,
  signal: AbortSignal,
): Promise<Dependencies> {
  const { records, files } = question;
  const disk = new DependencyDisk(question, parts);
  const outdated = new Set<string>();
  for (const record of records.values()) {
    if (!files.has(record.path)) continue;
    for (const { path, hash } of record.dependencies) {
      throwIfCancelled(signal);
      if ((await disk.hash(path)) !== hash) outdated.add(record.path);
    }
  }
  const unsettled = question.anyChange || outdated.size > 0;
  const takes = new Map<string, readonly string[]>();
  for (const path of question.latex) {
    await parts.gate.pass(signal);
    const record = records.get(path);
    const settled = record && !isPart(record) && !outdated.has(path) && !disk.looksChanged(path);
    if (settled) takes.set(path, takenIn(record));
    else if (unsettled) takes.set(path, await readTaken(path, parts, signal));
  }
  return {
    parts: partsOf(takes),
    outdated,
    current: (path) => disk.current(path),
    hash: (path) => disk.hash(path),
  };
}

function takenIn(record: DocumentRecord): string[] {
  return record.dependencies.filter(({ hash }) => hash !== '').map(({ path }) => path);
}

/** Reads a file for nothing but to know what it takes in. One that cannot be read takes in nothing. */
async function readTaken(path: string, parts: IndexParts, signal: AbortSignal): Promise<readonly string[]> {
  const read = await readFileBytes(parts.walker, path).catch(() => null);
  if (!read) return [];
  const { readOther, asked } = othersFor(parts.walker);
  try {
    const result = await parts.reader.read(path, read.bytes, readOther, signal);
    return 'document' in result
      ? result.document.dependencies.filter((each) => (asked.get(each) ?? '') !== '')
      : [];
  } catch {
    // What is wrong with it is told when it is read in earnest.
    throwIfCancelled(signal);
    return [];
  }
}

/** Files that documents take in, as they are now; each looked at once in a run. */
class DependencyDisk {
  readonly #question: DependencyQuestion;
  readonly #parts: IndexParts;
  readonly #current = new Map<string, Promise<ScannedFile | null>>();
  readonly #hashes = new Map<string, Promise<string>>();

  constructor(question: DependencyQuestion, parts: IndexParts) {
    this.#question = question;
    this.#parts = parts;
  }

  current(path: string): Promise<ScannedFile | null> {
    const known = this.#current.get(path) ?? this.#find(path);
    this.#current.set(path, known);
    return known;
  }

  hash(path: string): Promise<string> {
    const known = this.#hashes.get(path) ?? this.#work(path);
    this.#hashes.set(path, known);
    return known;
  }

  /** By size and time, or because somebody said so. */
  looksChanged(path: string): boolean {
    const record = this.#question.records.get(path);
    const file = this.#question.files.get(path);
    return !record || !file || !sameStat(record, file) || this.#question.changed.has(path);
  }

  async #find(path: string): Promise<ScannedFile | null> {
    const scanned = this.#question.files.get(path);
    if (scanned) return scanned;
    const visit = await this.#parts.walker.find(path, { wholly: false });
    return visit.kind === 'file' ? visit.file : null;
  }

  async #work(path: string): Promise<string> {
    const file = await this.current(path);
    if (!file) return '';
    const record = this.#question.records.get(path);
    if (record && sameStat(record, file) && !this.#question.changed.has(path)) return record.hash;
    const read = await this.#parts.walker.read(path).catch(() => null);
    return read ? await hashOf(read.bytes) : '';
  }
}
