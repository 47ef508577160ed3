// The bibliographies of a workspace folder as they are on disk, read again when they change.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfCancelled } from '../errors.ts';
import { readBibliography, type BibliographyEntry } from '../retrieval/readers/index.ts';

/** A bibliography of a folder: the file, its text, and the works in it. */
export interface Bibliography {
  /** Relative to the folder, forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly entries: readonly BibliographyEntry[];
}

/** Larger ones are not a person's; reading them would hold up every keystroke after an `@`. */
const mostBytes = 64_000_000;

interface Known {
  readonly version: string;
  readonly bibliography: Bibliography;
}

/** Remembers what was read of one folder's bibliographies. */
export class Bibliographies {
  readonly #root: string;
  /** The .bib files of the folder that its rules let in. */
  readonly #list: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly #known = new Map<string, Known>();
  #paths: readonly string[] | null = null;

  constructor(root: string, list: (signal: AbortSignal) => Promise<readonly string[]>) {
    this.#root = root;
    this.#list = list;
  }

  /** A .bib file came or went, or rules changed: the folder is looked through again. */
  refresh(): void {
    this.#paths = null;
  }

  async read(signal: AbortSignal): Promise<readonly Bibliography[]> {
    this.#paths ??= await this.#list(signal);
    const read: Bibliography[] = [];
    for (const path of this.#paths) {
      throwIfCancelled(signal);
      const bibliography = await this.#one(path);
      if (bibliography) read.push(bibliography);
    }
    return read;
  }

  /** null: it is not there any more, or no bibliography that a person has. */
  async #one(path: string): Promise<Bibliography | null> {
    const file = join(this.#root, path);
    try {
      const { size, mtimeMs } = await stat(file);
      const version = `${size}:${mtimeMs}`;
      const known = this.#known.get(path);
      if (known?.version === version) return known.bibliography;
      if (size > mostBytes) return null;
      const text = await readFile(file, 'utf8');
      const bibliography = { path, text, entries: readBibliography(text) };
      this.#known.set(path, { version, bibliography });
      return bibliography;
    } catch {
      this.#known.delete(path);
      return null;
    }
  }
}

/** Anything that knows the bibliographies of a workspace. */
export interface BibliographySource {
  bibliographies(root: string, signal: AbortSignal): Promise<readonly Bibliography[]>;
}

/** The keys of all bibliographies of the workspace at `root`. */
export async function knownCitations(
  source: BibliographySource,
  root: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const bibliographies = await source.bibliographies(root, signal);
  return new Set(bibliographies.flatMap(({ entries }) => entries.map(({ key }) => key)));
}
