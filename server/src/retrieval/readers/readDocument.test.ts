import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import { documentKindOf, readDocument } from './index.ts';
import { readOne, refusal, result } from './testing/reading.ts';

for (const [path, kind] of [
  ['a/b.md', 'markdown'],
  ['b.MARKDOWN', 'markdown'],
  ['b.tex', 'latex'],
  ['b.pdf', 'pdf'],
  ['b.html', 'html'],
  ['b.HTM', 'html'],
  ['b.txt', 'text'],
  ['b.bib', 'bibtex'],
  ['b.docx', null],
  ['md', null],
] as const) {
  test(`given ${path}, when its kind is asked, then it is ${kind ?? 'none'}`, () => {
    assert.equal(documentKindOf(path), kind);
  });
}

test('given a file of unknown kind, when read, then it is refused', async () => {
  assert.equal((await refusal('a.docx', 'x')).code, 'unknown-kind');
});

test('given a file beyond the limit, when read, then it is refused with both sizes', async () => {
  const found = await result('a.md', { 'a.md': 'x'.repeat(3000) }, { maxBytes: 2000 });
  assert.deepEqual(found, {
    refusal: { code: 'too-large', reason: 'It is 3 kB, more than the limit of 2 kB.' },
  });
});

for (const path of ['a.md', 'a.tex', 'a.html', 'a.txt', 'a.bib']) {
  test(`given ${path} with nothing in it, when read, then it is refused as empty`, async () => {
    assert.equal((await refusal(path, ' \n')).code, 'empty');
  });

  test(`given ${path} with binary content, when read, then it is refused as no text`, async () => {
    assert.equal((await refusal(path, new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]))).code, 'not-text');
  });

  test(`given ${path} and a signal that is aborted, when read, then it ends as cancelled`, async () => {
    const options = { readOther: () => Promise.resolve(null), maxBytes: 1e6, signal: AbortSignal.abort() };
    await assert.rejects(readDocument(path, new Uint8Array([65]), options), (error) =>
      PreflexorError.is(error, 'cancelled'),
    );
  });
}

test('given a document without a title of its own, when read, then it is called like its file', async () => {
  assert.equal((await readOne('notes/on steel.txt', 'Text.')).title, 'on steel');
});

test('given a signal that is aborted while a long note is read, when reading goes on, then it ends as cancelled', async () => {
  const stop = new AbortController();
  const bytes = new TextEncoder().encode('A *paragraph*.\n\n'.repeat(20_000));
  const reading = readDocument('a.md', bytes, {
    readOther: () => Promise.resolve(null),
    maxBytes: 1e7,
    signal: stop.signal,
  });
  setImmediate(() => stop.abort());
  await assert.rejects(reading, (error) => PreflexorError.is(error, 'cancelled'));
});
