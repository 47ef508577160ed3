// A MemoryStore that remembers what was asked of it, for tests of the indexer.
import type { DocumentChange, DocumentRecord } from '../ports.ts';
import { MemoryStore } from './memoryStore.ts';

export class RecordedStore extends MemoryStore {
  /** Every call that changes something, by name, in order. */
  readonly calls: {
    readonly name: 'apply' | 'remove' | 'rename' | 'optimise';
    readonly paths: readonly string[];
  }[] = [];
  closed = false;

  override apply(changes: readonly DocumentChange[]): Promise<void> {
    this.calls.push({ name: 'apply', paths: changes.map(({ record }) => record.path) });
    return super.apply(changes);
  }

  override remove(paths: readonly string[]): Promise<void> {
    this.calls.push({ name: 'remove', paths });
    return super.remove(paths);
  }

  override rename(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void> {
    this.calls.push({ name: 'rename', paths: renames.flatMap(({ from, to }) => [from, to.path]) });
    return super.rename(renames);
  }

  override optimise(signal: AbortSignal): Promise<void> {
    this.calls.push({ name: 'optimise', paths: [] });
    return super.optimise(signal);
  }

  override close(): Promise<void> {
    this.closed = true;
    return super.close();
  }
}
