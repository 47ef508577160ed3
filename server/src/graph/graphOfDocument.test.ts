import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import type { SourceDocument } from '../retrieval/index.ts';
import { graphOfDocument } from './graphOfDocument.ts';
import { chunkId, citationId, conceptId, documentId, headingId } from './identifiers.ts';
import { evidenceKept } from './partBuilder.ts';
import type { GraphPart } from './ports.ts';
import { chunksOf, markdownDocument } from './testing/papers.ts';

const never = new AbortController().signal;

const note = `# Texture

Grain boundaries stop slip [@hall1951; @petch1953].

## Measured

A grain boundary is seen by EBSD [@hall1951].
`;

async function graphOf(text: string, perChunk = 1): Promise<{ part: GraphPart; document: SourceDocument }> {
  const document = markdownDocument('notes/a.md', text);
  return { document, part: await graphOfDocument(document, chunksOf(document, perChunk), never) };
}

function edgesOf({ edges }: GraphPart, kind: string): string[] {
  return edges.filter((edge) => edge.kind === kind).map(({ from, to }) => `${from} → ${to}`);
}

test('given a note with headings, when its graph is made, then document, headings and chunks contain each other', async () => {
  const { document, part } = await graphOf(note);
  const texture = headingId('notes/a.md', ['Texture']);
  const measured = headingId('notes/a.md', ['Texture', 'Measured']);
  const contained = edgesOf(part, 'contains');
  assert.ok(contained.includes(`${documentId('notes/a.md')} → ${texture}`));
  assert.ok(contained.includes(`${texture} → ${measured}`));
  const last = chunksOf(document).at(-1)!;
  assert.ok(contained.includes(`${measured} → ${chunkId(last.id)}`));
});

test('given a heading, when its graph is made, then the evidence is where the heading stands', async () => {
  const { part } = await graphOf(note);
  const edge = part.edges.find(({ to }) => to === headingId('notes/a.md', ['Texture', 'Measured']));
  assert.deepEqual(
    edge?.evidence.map(({ start, end }) => note.slice(start, end)),
    ['## Measured'],
  );
});

test('given a cited key, when the graph is made, then the evidence of the citation is the key', async () => {
  const { part } = await graphOf(note);
  const cites = part.edges.filter(({ kind, to }) => kind === 'cites' && to === citationId('hall1951'));
  assert.equal(cites.length, 2);
  for (const { evidence } of cites)
    for (const { start, end } of evidence) assert.equal(note.slice(start, end), 'hall1951');
});

test('given a key that begins like another one, when the graph is made, then it is found as a whole', async () => {
  const text = 'Slip [@hall1951b; @hall1951].';
  const { part } = await graphOf(text);
  const edge = part.edges.find(({ to }) => to === citationId('hall1951'));
  assert.deepEqual(
    edge?.evidence.map(({ start }) => start),
    [text.lastIndexOf('hall1951')],
  );
});

test('given a concept in two chunks, when the graph is made, then each chunk mentions it where it stands', async () => {
  const { part } = await graphOf(note);
  const mentions = part.edges.filter(
    ({ kind, to }) => kind === 'mentions' && to === conceptId('grain boundary'),
  );
  assert.deepEqual(
    mentions.flatMap(({ evidence }) => evidence.map(({ start, end }) => note.slice(start, end))),
    ['Grain boundaries', 'grain boundary'],
  );
});

test('given chunks that overlap, when a phrase stands in both, then both mention it', async () => {
  const text = 'Grain size matters. Grain size is strength.';
  const document = markdownDocument('a.md', text);
  const [whole] = chunksOf(document);
  const chunks = [
    { ...whole!, id: 'one', end: 30 },
    { ...whole!, id: 'two', start: 20 },
  ];
  const part = await graphOfDocument(document, chunks, never);
  const mentions = part.edges.filter(({ to }) => to === conceptId('grain size'));
  assert.deepEqual(
    mentions.map(({ from, count }) => [from, count]),
    [
      ['chunk:one', 2],
      ['chunk:two', 1],
    ],
  );
});

test('given more mentions than are kept, when the graph is made, then the first are kept and all are counted', async () => {
  const text = 'Grain size grows. '.repeat(20);
  const { part } = await graphOf(text);
  const edge = part.edges.find(({ to }) => to === conceptId('grain size'));
  assert.equal(edge?.count, 20);
  assert.deepEqual(
    edge.evidence.map(({ start }) => start),
    Array.from({ length: evidenceKept }, (_none, index) => index * 18),
  );
});

test('given a bibliography, when its graph is made, then each work has its title and stands in the chunk of its entry', async () => {
  const text =
    '@article{hall1951,\n  title = {The deformation and ageing of mild steel}\n}\n\n@book{nye,\n title = {Crystals}\n}\n';
  const read = markdownDocument('refs.bib', text);
  const titles = ['The deformation and ageing of mild steel\nHall', 'Crystals'];
  const blocks = read.blocks.map((block, index) => ({
    ...block,
    kind: 'entry' as const,
    readable: titles[index]!,
  }));
  const document = { ...read, kind: 'bibtex' as const, blocks, defines: ['hall1951', 'nye'] };
  const chunks = chunksOf(document);
  const part = await graphOfDocument(document, chunks, never);
  const work = part.nodes.find(({ id }) => id === citationId('hall1951'));
  assert.equal(work?.label, 'The deformation and ageing of mild steel');
  assert.ok(edgesOf(part, 'contains').includes(`${chunkId(chunks[0]!.id)} → ${citationId('hall1951')}`));
  assert.ok(edgesOf(part, 'contains').includes(`${chunkId(chunks[1]!.id)} → ${citationId('nye')}`));
});

test('given a signal that is aborted, when a graph is made, then it ends as cancelled', async () => {
  const document = markdownDocument('a.md', note);
  await assert.rejects(graphOfDocument(document, chunksOf(document), AbortSignal.abort()), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
});

test('given any note, when its graph is made, then it is closed, each edge is one, and evidence lies in the file', async () => {
  const piece = fc.constantFrom(
    '# A\n\n',
    '## B\n\n',
    'grain size',
    ' and ',
    '. ',
    '\n\n',
    '[@key]',
    '`x`',
    '$y$',
    'FEM',
    '(',
    ')',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (pieces, perChunk) => {
        const text = pieces.join('');
        const { part } = await graphOf(text, perChunk);
        const ids = new Set(part.nodes.map(({ id }) => id));
        assert.equal(ids.size, part.nodes.length);
        const keys = new Set(part.edges.map(({ from, to, kind }) => `${from} ${to} ${kind}`));
        assert.equal(keys.size, part.edges.length);
        for (const { from, to, evidence, count, owner } of part.edges) {
          assert.ok(ids.has(from) && ids.has(to));
          assert.equal(owner, part.owner);
          assert.ok(count >= evidence.length && evidence.length > 0);
          for (const { source, start, end } of evidence)
            assert.ok(source === 'notes/a.md' && 0 <= start && start <= end && end <= text.length);
        }
      },
    ),
    { numRuns: 200 },
  );
});
