// One run: brings an index up to what is on the disk. What is done stays done, however the run ends; the next one
// goes on from there. Knows neither an editor nor a watcher: service.ts does.
import { throwIfCancelled } from '../../errors.ts';
import type { FailedFile, IndexReport } from '../../protocol/index.ts';
import type { DocumentRecord } from '../ports.ts';
import { batched } from './batches.ts';
import { EmbeddingStage } from './embedding.ts';
import type { IndexParts, IndexRequest } from './parts.ts';
import { buffered, mapAhead } from './pipeline.ts';
import { planRun, scopeOf, type Plan, type WorkItem } from './plan.ts';
import { prepare } from './preparing.ts';
import { failuresOf, totalsOf } from './records.ts';
import { scan, type ScanResult } from './scan.ts';
import { StoringStage } from './storing.ts';
import { WorkList } from './workList.ts';

/**
 * Compares the workspace with the index and makes the index right: renames and removals first, then new and
 * changed files, of which only texts without a vector are embedded. Reading, embedding and storing overlap.
 * The report's `failed` are all files that are not indexed though they should be.
 * @throws PreflexorError `cancelled`; `bad-input` when the workspace cannot be read; `index-failed` by the store;
 *   the embedder's own errors. In each case the index is sound and holds what was done.
 */
export async function runIndex(
  parts: IndexParts,
  request: IndexRequest,
  signal: AbortSignal,
): Promise<IndexReport> {
  const started = parts.now();
  const documents = await parts.store.documents();
  const records = new Map(documents.map((record) => [record.path, record]));
  parts.onProgress({ state: 'scanning', done: 0, total: 0, ...totalsOf(documents) });
  const paths = scopeOf(request.paths, records, parts);
  const { walker, gate, giveTurn } = parts;
  const found = await scan(walker, { signal, gate, giveTurn, ...(paths !== null && { paths }) });
  const plan = await planRun({ records, request: { ...request, paths }, scan: found }, parts, signal);
  const stage = new StoringStage(parts, records, plan.unchanged);
  await stage.applyPlan(plan, () => gate.pass(signal));
  const tell = (done: number): void =>
    parts.onProgress({ state: 'indexing', done, total: plan.work.length, ...totalsOf(records.values()) });
  const embedded = plan.work.length > 0 ? await work(plan, stage, { ...parts, tell }, request, signal) : 0;
  tell(plan.work.length);
  if (stage.touched) await parts.store.optimise(signal);
  throwIfCancelled(signal);
  return await reportOf({ stage, records, found, embedded, seconds: (parts.now() - started) / 1000 }, parts);
}

/** @returns how many texts were embedded */
async function work(
  plan: Plan,
  stage: StoringStage,
  parts: IndexParts & { readonly tell: (done: number) => void },
  request: IndexRequest,
  outer: AbortSignal,
): Promise<number> {
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal]);
  const { dimensions } = await parts.embedder.identity(signal);
  const embedding = new EmbeddingStage(parts, dimensions, signal);
  let done = 0;
  const ahead = {
    items: parts.limits.filesAhead,
    weight: parts.limits.bytesAhead,
    weigh: (item: WorkItem) => item.file.bytes,
  };
  const files = new WorkList(plan.work, request.urgent);
  const prepared = mapAhead(files, ahead, (item) => prepare(item, parts, signal));
  const batches = buffered(batched(prepared, parts), 1);
  parts.tell(done);
  for await (const batch of buffered(breaking(embedding.run(batches), broken), 1)) {
    try {
      await stage.applyBatch(batch);
    } catch (error) {
      // Before the loop is left: that waits for the stages before, and they wait for this batch.
      broken.abort();
      throw error;
    }
    done += batch.files.length;
    parts.tell(done);
  }
  return embedding.embedded;
}

/** When embedding fails, the files that are being read meanwhile are let go. */
async function* breaking<T>(source: AsyncIterable<T>, broken: AbortController): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    broken.abort();
    throw error;
  }
}

async function reportOf(
  run: {
    readonly stage: StoringStage;
    readonly records: ReadonlyMap<string, DocumentRecord>;
    readonly found: ScanResult;
    readonly embedded: number;
    readonly seconds: number;
  },
  parts: IndexParts,
): Promise<IndexReport> {
  const { unreadable, ...counts } = run.stage.tally;
  const failed = byPath([...failuresOf(run.records.values()), ...run.found.failed, ...unreadable]);
  const { chunks } = await parts.store.counts();
  return { files: { ...counts, failed }, chunks, embedded: run.embedded, seconds: run.seconds };
}

/** Each file once, by path in order: what was found out last holds. */
function byPath(failed: readonly FailedFile[]): FailedFile[] {
  const each = new Map(failed.map((file) => [file.path, file]));
  return [...each.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
