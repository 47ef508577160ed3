import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import type { ReadResult } from '../ports.ts';
import { readDocument, ReaderThread } from './index.ts';
import type { ReadOptions } from './index.ts';

const real = new URL('./thread.ts', import.meta.url);
const stuck = new URL('./testing/stuckThread.ts', import.meta.url);

function threadFor(context: TestContext, script: URL, timeLimit = 60_000): ReaderThread {
  const thread = new ReaderThread({ script, timeLimit, memoryLimit: 64 });
  context.after(() => thread.close());
  return thread;
}

function options(changes: Partial<ReadOptions> = {}): ReadOptions {
  const readOther = () => Promise.resolve(null);
  return { readOther, maxBytes: 1e6, signal: new AbortController().signal, ...changes };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function reasonOf(result: ReadResult): string {
  return 'refusal' in result ? `${result.refusal.code}: ${result.refusal.reason}` : 'it was read';
}

test('given a document, when the thread reads it, then it is what the reader gives', async (context) => {
  const thread = threadFor(context, real);
  const files: Record<string, string> = { 'b.tex': 'Two.' };
  const readOther = (path: string) => Promise.resolve(files[path] === undefined ? null : bytes(files[path]));
  const main = bytes('\\documentclass{a}\\begin{document}One. \\input{b}\\end{document}');
  const found = await thread.readDocument('a.tex', main, options({ readOther }));
  assert.deepEqual(found, await readDocument('a.tex', main, options({ readOther })));
});

test('given several documents at once, when the thread reads them, then each gets its own answer', async (context) => {
  const thread = threadFor(context, real);
  const found = await Promise.all(
    ['One.', 'Two.', ''].map((text, index) => thread.readDocument(`${index}.md`, bytes(text), options())),
  );
  assert.deepEqual(
    found.map((result) => ('document' in result ? result.document.blocks[0]?.readable : result.refusal.code)),
    ['One.', 'Two.', 'empty'],
  );
});

test('given another file that can’t be read, when it is taken in, then that failure is the caller’s', async (context) => {
  const thread = threadFor(context, real);
  const readOther = () => Promise.reject(new Error('disk on fire'));
  const main = bytes('\\input{b}');
  await assert.rejects(thread.readDocument('a.tex', main, options({ readOther })), /disk on fire/);
});

for (const [path, limit, expected] of [
  ['silent.md', 3000, /^unreadable: Reading it took longer than 3 seconds\.$/],
  ['busy.md', 3000, /^unreadable: Reading it took longer/],
  ['hungry.md', 60_000, /^unreadable: Reading it needs more memory/],
  ['broken.md', 60_000, /^unreadable: The reader could not cope with it: broken on purpose$/],
] as const) {
  test(`given a thread that fails on ${path}, when the next file comes, then it is read by a new one`, async (context) => {
    const thread = threadFor(context, stuck, limit);
    assert.match(reasonOf(await thread.readDocument(path, bytes('x'), options())), expected);
    assert.match(reasonOf(await thread.readDocument('fine.md', bytes('x'), options())), /^empty/);
  });
}

test('given a thread that is busy, when the caller stops, then it ends as cancelled', async (context) => {
  const thread = threadFor(context, stuck);
  const stop = new AbortController();
  const reading = thread.readDocument('busy.md', bytes('x'), options({ signal: stop.signal }));
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(reading, (error) => PreflexorError.is(error, 'cancelled'));
  assert.match(reasonOf(await thread.readDocument('fine.md', bytes('x'), options())), /^empty/);
});

test('given a document that is being read, when the thread is closed, then it ends as cancelled', async (context) => {
  const thread = threadFor(context, stuck);
  const reading = thread.readDocument('silent.md', bytes('x'), options());
  setTimeout(() => void thread.close(), 50);
  await assert.rejects(reading, (error) => PreflexorError.is(error, 'cancelled'));
});
