// Files put together to store steps, with the vectors that are already known for them.
import type { DocumentRecord } from '../ports.ts';
import type { IndexParts } from './parts.ts';
import type { Prepared } from './preparing.ts';

/** Some files' new state, stored in one step. */
export interface Batch {
  readonly files: readonly Prepared[];
  /** Vectors of its texts that are stored already, by text hash. */
  readonly known: ReadonlyMap<string, Float32Array>;
}

/** Files without chunks count as well, or thousands of them would wait for one step. */
const filesPerBatch = 200;

/** Puts files together until a store step is full: a file is never divided. */
export async function* batched(prepared: AsyncIterable<Prepared>, parts: IndexParts): AsyncGenerator<Batch> {
  const chunksPerStep = Math.max(1, Math.floor(parts.limits.batchChunks / 2));
  let files: Prepared[] = [];
  let chunks = 0;
  for await (const file of prepared) {
    files.push(file);
    chunks += file.kind === 'change' ? file.chunks.length : 0;
    if (chunks < chunksPerStep && files.length < filesPerBatch) continue;
    yield await lookedUp(files, parts);
    files = [];
    chunks = 0;
  }
  if (files.length > 0) yield await lookedUp(files, parts);
}

async function lookedUp(files: readonly Prepared[], parts: IndexParts): Promise<Batch> {
  const hashes = textHashesOf(files);
  if (hashes.length === 0) return { files, known: new Map() };
  const stored = await parts.store.vectorsOf(hashes);
  const missing = hashes.filter((hash) => !stored.has(hash));
  const kept = missing.length > 0 ? await parts.cache.find(missing) : new Map<string, Float32Array>();
  return { files, known: new Map([...stored, ...kept]) };
}

/** Each text once. */
function textHashesOf(files: readonly Prepared[]): string[] {
  const hashes = new Set<string>();
  for (const file of files) {
    if (file.kind === 'change') for (const chunk of file.chunks) hashes.add(chunk.textHash);
  }
  return [...hashes];
}

/** The texts of a batch for which there is no vector, each once, by text hash. */
export function missingTexts(
  batch: Batch,
  vectors: (textHash: string) => Float32Array | undefined,
  parts: Pick<IndexParts, 'chunker'>,
): Map<string, string> {
  const missing = new Map<string, string>();
  for (const file of batch.files) {
    if (file.kind !== 'change') continue;
    for (const chunk of file.chunks) {
      if (missing.has(chunk.textHash) || vectors(chunk.textHash)) continue;
      missing.set(chunk.textHash, parts.chunker.embeddedText(chunk));
    }
  }
  return missing;
}

/** The documents of a batch whose stored chunks are about to be replaced. */
export function replacedBy(batch: Batch): DocumentRecord[] {
  return batch.files.flatMap((file) =>
    file.kind === 'change' && file.previous && file.previous.chunks > 0 ? [file.previous] : [],
  );
}
