// Reads documents that stand in memory. Only tests import this.
import assert from 'node:assert/strict';
import type { Block, Refusal, SourceDocument } from '../../ports.ts';
import { readDocument } from '../readDocument.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

/** What reading a file among others comes to. */
export async function result(path: string, files: Files, options: { maxBytes?: number } = {}) {
  const content = files[path];
  assert.ok(content !== undefined, `${path} is not among the files`);
  return readDocument(path, bytesOf(content), {
    readOther: (other) => Promise.resolve(files[other] === undefined ? null : bytesOf(files[other])),
    maxBytes: options.maxBytes ?? 1e8,
    signal: new AbortController().signal,
  });
}

export async function read(path: string, files: Files): Promise<SourceDocument> {
  const found = await result(path, files);
  if ('refusal' in found) assert.fail(`${path} was refused: ${found.refusal.reason}`);
  return found.document;
}

/** A document of one file. */
export function readOne(path: string, content: string | Uint8Array): Promise<SourceDocument> {
  return read(path, { [path]: content });
}

export async function refusal(path: string, content: string | Uint8Array): Promise<Refusal> {
  const found = await result(path, { [path]: content });
  return 'refusal' in found ? found.refusal : assert.fail(`${path} was read`);
}

/** Kind and readable text of each block. */
export function told(document: SourceDocument): [Block['kind'], string][] {
  return document.blocks.map(({ kind, readable }) => [kind, readable]);
}

export function readables(document: SourceDocument): string[] {
  return document.blocks.map(({ readable }) => readable);
}

/** The block whose readable text holds this. */
export function blockWith(document: SourceDocument, text: string): Block {
  const found = document.blocks.find(({ readable }) => readable.includes(text));
  return found ?? assert.fail(`no block holds "${text}"`);
}

export function textOf(document: SourceDocument, { source, start, end }: Block): string {
  return (document.texts[source] ?? assert.fail(`no text of ${source}`)).slice(start, end);
}

/** What holds for every document: slices inside their texts, blocks in order, runs in order and within their block. */
export function assertSound(document: SourceDocument): void {
  const ends = new Map<string, number>();
  for (const block of document.blocks) {
    const { source, start, end, readable, runs } = block;
    const text = document.texts[source];
    assert.ok(text !== undefined, `no text of ${source}`);
    assert.ok(start >= (ends.get(source) ?? 0), `block at ${start} overlaps the one before it`);
    assert.ok(start < end && end <= text.length, `[${start}, ${end}) is not within ${text.length}`);
    assert.notEqual(readable.trim(), '');
    assert.equal(runs[0]?.at, 0);
    let place = 0;
    let at = -1;
    for (const run of runs) {
      assert.ok(run.at > at && run.at < readable.length, 'runs are out of order');
      assert.ok(run.start >= place && run.end >= run.start && run.end <= text.length, 'a run goes back');
      place = run.start;
      at = run.at;
    }
    ends.set(source, end);
  }
}

/** That every run which corresponds unit by unit has its letters where they stand in the source. */
export function assertRunsMatch(document: SourceDocument): void {
  for (const { source, readable, runs } of document.blocks) {
    for (const [index, run] of runs.entries()) {
      const own = readable.slice(run.at, runs[index + 1]?.at ?? readable.length);
      if (own.length !== run.end - run.start || own.length < 4) continue;
      const written = (document.texts[source] ?? '').slice(run.start, run.end);
      const differs = own
        .split('')
        .some((letter, at) => /\w/.test(letter) && /\w/.test(written[at] ?? '') && letter !== written[at]);
      assert.ok(!differs, `"${own}" does not stand at ${run.start}: "${written}"`);
    }
  }
}
