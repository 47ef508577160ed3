// Pairs that came in with files, kept in the workspace in the canonical form: one file for each import, named by its
// content, so that the same import twice is one.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { PreferencePair } from '../protocol/index.ts';
import {
  isMissing,
  nodeFileSystem,
  prepareWorkspace,
  syncFolder,
  workspacePlaces,
  writeDurably,
  type FileOptions,
} from '../state/index.ts';
import { importPairs, type Refusal } from './pairs/index.ts';
import { defaultSplit } from './pairs/split.ts';

export class ImportedPairs {
  readonly #places;
  readonly #options: FileOptions;

  constructor(workspaceRoot: string, options: FileOptions = {}) {
    this.#places = workspacePlaces(workspaceRoot);
    this.#options = options;
  }

  /** Keeps pairs; nothing is made for none. @throws PreflexorError `read-only`, `disk-full` */
  async add(pairs: readonly PreferencePair[]): Promise<void> {
    if (pairs.length === 0) return;
    const text = linesOf(pairs);
    const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
    await prepareWorkspace(this.#places, 'pairs', this.#options);
    await writeDurably(path.join(this.#places.pairs, `${name}.jsonl`), text, this.#options);
  }

  /** All of them, each once, and lines that are damaged by now. */
  async list(signal: AbortSignal): Promise<{ pairs: PreferencePair[]; refused: Refusal[] }> {
    const pairs = new Map<string, PreferencePair>();
    const refused: Refusal[] = [];
    for (const file of await this.#files()) {
      const found = await importPairs(file, { now: 0, split: defaultSplit }, signal);
      refused.push(...found.refused);
      for (const pair of found.pairs) pairs.set(pair.id, pair);
    }
    return { pairs: [...pairs.values()], refused };
  }

  /** Removes what `is` says. @returns how many pairs */
  async removeWhere(is: (pair: PreferencePair) => boolean, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (const file of await this.#files()) {
      const { pairs } = await importPairs(file, { now: 0, split: defaultSplit }, signal);
      const left = pairs.filter((pair) => !is(pair));
      if (left.length === pairs.length) continue;
      removed += pairs.length - left.length;
      await (this.#options.fileSystem ?? nodeFileSystem).unlink(file);
      await this.add(left);
    }
    if (removed > 0) await syncFolder(this.#places.pairs, this.#options);
    return removed;
  }

  async #files(): Promise<string[]> {
    try {
      const names = await (this.#options.fileSystem ?? nodeFileSystem).readdir(this.#places.pairs);
      return names
        .filter((name) => name.endsWith('.jsonl'))
        .sort()
        .map((name) => path.join(this.#places.pairs, name));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

/** One side alone is kept under its own name: the canonical form is read with either missing. */
function linesOf(pairs: readonly PreferencePair[]): string {
  return pairs
    .map(({ prompt, chosen, rejected, ...meta }) => `${JSON.stringify({ prompt, chosen, rejected, meta })}\n`)
    .join('');
}
