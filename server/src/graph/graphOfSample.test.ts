// What a sample of self-teaching says in the graph, and where each claim can be read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetSample } from '../protocol/index.ts';
import { graphOfSample, sampleKey } from './graphOfSample.ts';
import { chunkId, conceptId, documentId } from './identifiers.ts';
import type { GraphPart } from './ports.ts';
import { chunksOf, markdownDocument } from './testing/papers.ts';

const never = new AbortController().signal;
const chunks = chunksOf(
  markdownDocument(
    'papers/a.md',
    '# Results\n\nA grain boundary stops dislocations. Each grain boundary is a wall.\n',
  ),
);
const chunk = chunks.find(({ text }) => text.includes('wall'));
assert.ok(chunk);

const chosen = '<|thinking|>\nEach grain boundary is a wall.\n<|/thinking|>\n\nThe grain boundary does it.';
const sample: DatasetSample = {
  ...{ attempt: 0, time: '2026-01-01T00:00:00.000Z', split: 'train', kept: true, seconds: 1, generated: 9 },
  note: { path: 'papers/a.md', hash: '', range: { start: chunk.start, end: chunk.end } },
  ...{ question: 'How do grain boundaries work?', prompt: [], rejected: 'No.', reference: 'It does it.' },
  chosen,
  evidence: [
    { id: chunk.id, source: chunk.source, start: chunk.start, end: chunk.end },
    { id: 'gone', source: 'papers/b.md', start: 5, end: 9 },
  ],
  askedFrom: 1,
  checks: { problems: [], grounded: 1, repetition: 0, difference: 1, nearest: null },
};

function said({ edges }: GraphPart, kind: string): { from: string; to: string; evidence: unknown }[] {
  return edges.filter((edge) => edge.kind === kind).map(({ from, to, evidence }) => ({ from, to, evidence }));
}

test('given a sample, when its graph is made, then question and answer stand on its passages, each edge with its place', async () => {
  const part = await graphOfSample(sample, chunks, never);
  assert.equal(part.owner, `sample:${sampleKey(sample)}`);
  const [asked, ...more] = said(part, 'asked-from');
  assert.ok(asked);
  assert.deepEqual([asked.to, more], [chunkId(chunk.id), []]);
  assert.deepEqual(asked.evidence, [{ source: 'papers/a.md', start: chunk.start, end: chunk.end }]);
  assert.deepEqual(
    said(part, 'retrieved-for').map(({ from, evidence }) => [from, evidence]),
    [[chunkId('gone'), [{ source: 'papers/b.md', start: 5, end: 9 }]]],
  );
  assert.deepEqual(
    said(part, 'supports').map(({ from }) => from),
    [chunkId(chunk.id), chunkId('gone')],
  );
  const [answers] = said(part, 'answers');
  assert.equal(answers?.to, asked.from);
  const ids = new Set(part.nodes.map(({ id }) => id));
  for (const { from, to } of part.edges) assert.ok(ids.has(from) && ids.has(to), `${from} → ${to}`);
  assert.ok(ids.has(documentId('papers/b.md')));
});

test('given thinking parts and an answer, when the graph is made, then the concepts that they name are mentioned, where they stand in the chosen text', async () => {
  const part = await graphOfSample(sample, chunks, never);
  const mentions = said(part, 'mentions').filter(({ to }) => to === conceptId('grain boundary'));
  assert.equal(mentions.length, 1);
  const places = mentions[0]?.evidence as { source: string; start: number; end: number }[];
  assert.deepEqual(
    places.map(({ source, start, end }) => [source, chosen.slice(start, end).toLowerCase()]),
    [
      [part.owner, 'grain boundary'],
      [part.owner, 'grain boundary'],
    ],
  );
});

test('given the same question in both phases, when their graphs are made, then they are one part; another question is another', async () => {
  const later = { ...sample, chosen: 'Better.', attempt: 7 };
  assert.equal(sampleKey(later), sampleKey(sample));
  assert.notEqual(sampleKey({ ...sample, question: 'Why?' }), sampleKey(sample));
  assert.equal((await graphOfSample(later, chunks, never)).owner, `sample:${sampleKey(sample)}`);
});
