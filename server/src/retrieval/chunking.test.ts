import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import { generatedNote, runs } from './readers/testing/generated.ts';
import { chunkDocument, chunkId, embeddedText } from './chunking.ts';
import type { ChunkOptions } from './chunking.ts';
import type { Chunk, SourceDocument } from './ports.ts';
import { read, readOne } from './readers/testing/reading.ts';

/** Words and signs: what joins pieces costs nothing. */
const words = (text: string): number => text.match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu)?.length ?? 0;
/** Four characters a token, spaces too: what joins pieces costs something. */
const quarters = (text: string): number => Math.ceil(text.length / 4);

function options(changes: Partial<ChunkOptions> & { count?: (text: string) => number } = {}): ChunkOptions {
  const { count = words, ...others } = changes;
  return {
    countTokens: (texts) => Promise.resolve(texts.map(count)),
    maxTokens: 60,
    overlapTokens: 15,
    modified: 1234,
    signal: new AbortController().signal,
    ...others,
  };
}

async function chunksOf(
  text: string,
  changes: Parameters<typeof options>[0] = {},
  path = 'n.md',
): Promise<Chunk[]> {
  return chunkDocument(await readOne(path, text), options(changes));
}

function readables(chunks: readonly Chunk[]): string[] {
  return chunks.map(({ readable }) => readable);
}

const sentence = (number: number): string => `Sentence ${number} is of just ten words and no more.`;
const paragraph = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => sentence(from + index)).join(' ');

test('given small neighbours under one heading, when chunked, then they share a chunk', async () => {
  const chunks = await chunksOf('# A\n\nOne.\n\n- Two.\n- Three.\n\n> Four.\n');
  assert.deepEqual(readables(chunks), ['One.\n\nTwo.\nThree.\n\nFour.']);
});

test('given headings, when chunked, then no chunk crosses one and a heading alone is none', async () => {
  const chunks = await chunksOf('# A\n\nOne.\n\n## B\n\n## C\n\nTwo.\n\n# D\n');
  assert.deepEqual(
    chunks.map(({ heading, readable }) => [heading, readable]),
    [
      [['A'], 'One.'],
      [['A', 'C'], 'Two.'],
    ],
  );
});

test('given a long paragraph, when chunked, then chunks begin and end at sentences and overlap by whole ones', async () => {
  const chunks = await chunksOf(paragraph(1, 9));
  assert.deepEqual(readables(chunks), [paragraph(1, 5), paragraph(5, 5)]);
});

test('given no overlap, when chunked, then each sentence is in one chunk', async () => {
  const chunks = await chunksOf(paragraph(1, 9), { overlapTokens: 0 });
  assert.deepEqual(readables(chunks), [paragraph(1, 5), paragraph(6, 4)]);
});

test('given paragraphs that don’t fit together, when chunked, then a chunk ends with its paragraph', async () => {
  const note = `${paragraph(1, 3)}\n\n${paragraph(4, 4)}\n`;
  const chunks = await chunksOf(note, { overlapTokens: 0 });
  assert.deepEqual(readables(chunks), [paragraph(1, 3), paragraph(4, 4)]);
});

test('given a chunk, when its text is looked at, then it is the file’s with its markup', async () => {
  const note = `First **bold one**. *Slanted ${'word '.repeat(50)}end*. \`Code\` ends.\n`;
  const chunks = await chunksOf(note, { overlapTokens: 0, maxTokens: 56 });
  assert.deepEqual(
    chunks.map(({ text }) => text.slice(0, 8)),
    ['First **', '*Slanted', '`Code` e'].slice(0, chunks.length),
  );
  for (const { text, start, end } of chunks) assert.equal(note.slice(start, end), text);
});

test('given a sentence beyond the limit, when chunked, then it is cut at words', async () => {
  const chunks = await chunksOf('longish '.repeat(150).trim(), { overlapTokens: 0 });
  assert.ok(chunks.length >= 3);
  for (const { readable } of chunks) assert.match(readable, /^longish( longish)*$/);
  assert.equal(readables(chunks).join(' '), 'longish '.repeat(150).trim());
});

test('given a word beyond the limit, when chunked, then it is cut and no character is broken', async () => {
  const chunks = await chunksOf('𝐀'.repeat(500), { count: quarters });
  for (const { readable } of chunks) assert.ok(readable.isWellFormed());
  assert.equal(readables(chunks).join(''), '𝐀'.repeat(500));
});

test('given an annotation between paragraphs, when chunked, then no chunk’s text holds any of it', async () => {
  const annotation =
    '<!-- preflexor abc123 begin -->\n> [!answer]+ S\n> Invented.\n<!-- preflexor abc123 end -->';
  const chunks = await chunksOf(`One.\n\n${annotation}\n\nTwo.\n`);
  assert.deepEqual(
    chunks.map(({ text }) => text),
    ['One.', 'Two.'],
  );
});

test('given a document of several files, when chunked, then no chunk crosses from one to another', async () => {
  const document = await read('a.tex', {
    'a.tex': '\\documentclass{a}\\begin{document}One. \\input{b} Three.\\end{document}',
    'b.tex': 'Two.',
  });
  const chunks = await chunkDocument(document, options());
  assert.deepEqual(
    chunks.map(({ source, readable }) => [source, readable]),
    [
      ['a.tex', 'One.'],
      ['b.tex', 'Two.'],
      ['a.tex', 'Three.'],
    ],
  );
});

test('given a bibliography, when chunked, then an entry is a chunk, however long', async () => {
  const text = `@misc{a, title = {Short}}\n@misc{b, title = {Long}, abstract = {${paragraph(1, 20)}}}\n`;
  const chunks = await chunksOf(text, {}, 'r.bib');
  assert.deepEqual(
    chunks.map(({ citations, text: own }) => [citations, own.slice(0, 8)]),
    [
      [['a'], '@misc{a,'],
      [['b'], '@misc{b,'],
    ],
  );
});

test('given a citation alone, when chunked, then it is no chunk', async () => {
  assert.deepEqual(await chunksOf('# A\n\n[@smith2020; @b]\n\n# B\n\nText [@c].\n').then(readables), [
    'Text [@c].',
  ]);
});

test('given citations in some sentences, when chunked, then a chunk has its own only', async () => {
  const note = `Said by @first. ${paragraph(1, 5)} Said by @second.`;
  const chunks = await chunksOf(note, { overlapTokens: 0 });
  assert.deepEqual(
    chunks.map(({ citations }) => citations),
    [['first'], ['second']],
  );
});

test('given a formula, when chunked, then it is not cut between its lines', async () => {
  const note = `${paragraph(1, 4)}\n\n$$\na = b\\\\\nc = d\\\\\ne = f\n$$\n`;
  const chunks = await chunksOf(note);
  assert.equal(
    chunks.filter(({ readable }) => readable.includes('a = b') !== readable.includes('e = f')).length,
    0,
  );
});

test('given the same document twice, when chunked, then ids and hashes are the same', async () => {
  const first = await chunksOf(paragraph(1, 9));
  const second = await chunksOf(paragraph(1, 9));
  assert.deepEqual(second, first);
  for (const chunk of first) assert.equal(chunk.id, chunkId(chunk));
});

test('given the same text in another document, when chunked, then ids differ and the text hash does not', async () => {
  const [one] = await chunksOf('Text.', {}, 'a.md');
  const [other] = await chunksOf('Text.', {}, 'b.md');
  assert.notEqual(one?.id, other?.id);
  assert.equal(one?.textHash, other?.textHash);
});

test('given the same text under another heading, when chunked, then the text hash differs', async () => {
  const [one] = await chunksOf('# A\n\nText.');
  const [other] = await chunksOf('# B\n\nText.');
  assert.notEqual(one?.textHash, other?.textHash);
});

test('given a heading path, when a chunk is embedded, then the path stands above it', () => {
  assert.equal(embeddedText({ heading: ['A', 'B'], readable: 'Text.' }), 'A > B\nText.');
});

test('given a heading path that fills the limit, when chunked, then outer headings give way to text', async () => {
  const chunks = await chunksOf(`# ${'outer '.repeat(60)}\n\n## Inner\n\n${paragraph(1, 3)}\n`);
  assert.deepEqual(chunks[0]?.heading, ['Inner']);
});

test('given many paragraphs, when chunked, then tokens are counted in a few calls', async () => {
  let calls = 0;
  const note = Array.from({ length: 300 }, (_, index) => `# H${index}\n\n${paragraph(1, 2)}`).join('\n\n');
  const countTokens = (texts: readonly string[]): Promise<number[]> => {
    calls += 1;
    return Promise.resolve(texts.map(words));
  };
  await chunksOf(note, { countTokens });
  assert.ok(calls <= 10, `${calls} calls`);
});

test('given more items than a call takes arguments, when chunked, then they are chunked', async () => {
  const chunks = await chunksOf('- a\n'.repeat(150_000), { count: () => 0 }, 'n.txt');
  assert.equal(chunks.length, 1);
});

test('given a signal that is aborted while tokens are counted, when chunked, then it ends as cancelled', async () => {
  const stop = new AbortController();
  const countTokens = (texts: readonly string[]): Promise<number[]> => {
    stop.abort();
    return Promise.resolve(texts.map(words));
  };
  await assert.rejects(chunksOf('Text.', { countTokens, signal: stop.signal }), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
});

/** Every sentence of the blocks, headings aside, is in some chunk; texts are slices; the limit holds. */
function assertWellChunked(
  document: SourceDocument,
  chunks: readonly Chunk[],
  limit: number,
  count: (text: string) => number,
): void {
  for (const chunk of chunks) {
    assert.equal(document.texts[chunk.source]?.slice(chunk.start, chunk.end), chunk.text);
    if (document.kind !== 'bibtex')
      assert.ok(count(embeddedText(chunk)) <= limit, `${count(embeddedText(chunk))} tokens`);
  }
  assert.equal(new Set(chunks.map(({ id }) => id)).size, chunks.length);
  const all = chunks.map(({ readable }) => readable.replace(/\s+/g, '')).join('|');
  for (const { kind, readable } of document.blocks) {
    if (kind === 'heading' || !/[\p{L}\p{N}]/u.test(readable.replace(/\[[^[\]]*\]|@\S*/g, ''))) continue;
    for (const [word] of readable.matchAll(/[\p{Script=Latin}\p{N}]+|\p{Script=Han}/gu)) {
      if (word.length < 12) assert.ok(all.includes(word), `"${word}" is in no chunk`);
    }
  }
}

for (const [name, count] of [
  ['words', words],
  ['quarters', quarters],
] as const) {
  test(`given any note and ${name} for tokens, when chunked, then texts are slices, all is covered and the limit holds`, async () => {
    await fc.assert(
      fc.asyncProperty(generatedNote, fc.integer({ min: 24, max: 120 }), async (note, maxTokens) => {
        const document = await readOne('n.md', note).catch(() => null);
        if (!document) return;
        const chunks = await chunkDocument(
          document,
          options({ count, maxTokens, overlapTokens: maxTokens >> 2 }),
        );
        assertWellChunked(document, chunks, maxTokens, count);
      }),
      runs(200),
    );
  });
}

const fixtures = join(import.meta.dirname, '../../../test/fixtures');
for (const path of [
  ...['autoeis', 'echemfem', 'elasticipy', 'kanapy', 'simcardems'].flatMap((name) => [
    `corpus/${name}/paper.md`,
    `corpus/${name}/paper.bib`,
  ]),
  'documents/page.html',
  'documents/two-columns.pdf',
  'documents/printed.pdf',
]) {
  test(`given ${path}, when chunked, then texts are slices, all is covered and the limit holds`, async () => {
    const document = await readOne(path, readFileSync(join(fixtures, path)));
    const chunks = await chunkDocument(document, options({ maxTokens: 200, overlapTokens: 30 }));
    assert.ok(chunks.length > 0);
    assertWellChunked(document, chunks, 200, words);
  });
}

test('given a PDF paragraph that goes on overleaf, when chunked, then a chunk has the page that it begins on', async () => {
  const document = await readOne('p.pdf', readFileSync(join(fixtures, 'documents/printed.pdf')));
  const chunks = await chunkDocument(document, options({ maxTokens: 60, overlapTokens: 0 }));
  for (const { page, start } of chunks) {
    const pages = (document.texts['p.pdf'] ?? '').slice(0, start).split('\f').length;
    assert.equal(page, pages);
  }
});
