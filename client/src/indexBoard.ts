// What is known of the indexes of the open folders, and what that is in words. Knows neither VS Code nor the server.
import type { IndexStatus } from '../../server/src/protocol/index.ts';

/** The values of the context key that menus and empty views go by. */
export type IndexMood = 'none' | 'off' | 'empty' | 'idle' | 'busy' | 'paused' | 'failed';

export class IndexBoard {
  readonly #statuses = new Map<string, IndexStatus>();
  readonly #listeners = new Set<() => void>();

  /** Takes in the state of one folder. */
  set(status: IndexStatus): void {
    this.#statuses.set(status.root, status);
    this.#tell();
  }

  /** These are all the folders there are. */
  replace(statuses: readonly IndexStatus[]): void {
    this.#statuses.clear();
    for (const status of statuses) this.#statuses.set(status.root, status);
    this.#tell();
  }

  /** @returns a function that ends the listening */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get statuses(): readonly IndexStatus[] {
    return [...this.#statuses.values()];
  }

  get mood(): IndexMood {
    return moodOf(this.statuses);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** One word for all folders: what goes on in any of them comes first. */
export function moodOf(statuses: readonly IndexStatus[]): IndexMood {
  const some = (...states: IndexStatus['state'][]): boolean =>
    statuses.some(({ state }) => states.includes(state));
  if (statuses.length === 0) return 'none';
  if (some('scanning', 'indexing')) return 'busy';
  if (some('paused')) return 'paused';
  if (some('failed')) return 'failed';
  if (!some('idle')) return 'off';
  return statuses.every(({ files, failed }) => files === 0 && failed.length === 0) ? 'empty' : 'idle';
}

/** What goes on, in a few words: `31 of 120 files`. */
export function stateInWords({ state, done, total, files, chunks }: IndexStatus): string {
  switch (state) {
    case 'off':
      return 'off';
    case 'scanning':
      return 'looking for files';
    case 'indexing':
      return `${number(done)} of ${counted(total, 'file')}`;
    case 'paused':
      return `paused at ${counted(files, 'file')}`;
    case 'failed':
      return 'failed';
    case 'idle':
      return `${counted(files, 'file')} · ${counted(chunks, 'passage')}`;
  }
}

/** All folders in one line, for the status item. null: there is nothing to say. */
export function indexLine(statuses: readonly IndexStatus[]): string | null {
  const mood = moodOf(statuses);
  if (mood === 'none' || mood === 'off') return null;
  const sum = (of: (status: IndexStatus) => number): number =>
    statuses.reduce((total, status) => total + of(status), 0);
  const failed = sum((status) => status.failed.length);
  const told =
    mood === 'busy'
      ? `indexing, ${number(sum(({ done }) => done))} of ${counted(
          sum(({ total }) => total),
          'file',
        )}`
      : mood === 'idle' || mood === 'empty'
        ? `${counted(
            sum(({ files }) => files),
            'file',
          )} indexed`
        : `indexing ${mood}`;
  const unread = failed === 0 ? '' : `, ${number(failed)} could not be read`;
  return `Notes and papers: ${told}${unread}`;
}

/** Share of the work that is done, 0 to 1; null while its extent is not known. */
export function shareDone(statuses: readonly IndexStatus[]): number | null {
  const busy = statuses.filter(({ state }) => state === 'indexing' || state === 'scanning');
  const total = busy.reduce((sum, status) => sum + status.total, 0);
  return total === 0 ? null : busy.reduce((sum, { done }) => sum + done, 0) / total;
}

function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
