// A RecordingStore that is also on disk, one file for each document: what a killed process leaves is what is there.
// For the kill test; it does without fsync, because a killed process loses nothing that it has written.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentChange, DocumentRecord, StoredChunk } from '../ports.ts';
import { RecordingStore } from './recordingStore.ts';

/** Called between the system calls of a write; a test may end the process there. */
export type Step = () => void;

export class FileStore extends RecordingStore {
  readonly #folder: string;
  readonly #step: Step;

  constructor(folder: string, step: Step = () => {}) {
    super();
    this.#folder = folder;
    this.#step = step;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json')) continue;
      const entry = decode(readFileSync(join(folder, name), 'utf8'));
      this.entries.set(entry.record.path, entry);
    }
  }

  override async apply(changes: readonly DocumentChange[]): Promise<void> {
    await super.apply(changes);
    for (const change of changes) this.#write(change);
  }

  override async remove(paths: readonly string[]): Promise<void> {
    await super.remove(paths);
    for (const path of paths) this.#delete(path);
  }

  override async rename(
    renames: readonly { readonly from: string; readonly to: DocumentRecord }[],
  ): Promise<void> {
    await super.rename(renames);
    for (const { to } of renames)
      this.#write({ record: to, chunks: this.entries.get(to.path)?.chunks ?? [] });
    for (const { from } of renames) if (!this.entries.has(from)) this.#delete(from);
  }

  #write(change: DocumentChange): void {
    const file = this.#file(change.record.path);
    const text = encode(change);
    this.#step();
    writeFileSync(`${file}.tmp`, text.slice(0, text.length / 2));
    this.#step();
    writeFileSync(`${file}.tmp`, text);
    this.#step();
    renameSync(`${file}.tmp`, file);
    this.#step();
  }

  #delete(path: string): void {
    this.#step();
    rmSync(this.#file(path), { force: true });
    this.#step();
  }

  #file(path: string): string {
    return join(this.#folder, `${createHash('sha256').update(path).digest('hex')}.json`);
  }
}

function encode({ record, chunks }: DocumentChange): string {
  return JSON.stringify({ record, chunks: chunks.map((chunk) => ({ ...chunk, vector: [...chunk.vector] })) });
}

function decode(text: string): DocumentChange {
  // Written by encode above: a test double reads back its own files.
  const { record, chunks } = JSON.parse(text) as {
    record: DocumentRecord;
    chunks: (Omit<StoredChunk, 'vector'> & { vector: number[] })[];
  };
  return { record, chunks: chunks.map((chunk) => ({ ...chunk, vector: Float32Array.from(chunk.vector) })) };
}
