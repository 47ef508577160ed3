import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerRecord, Passage, Run, SectionSources } from '../protocol/index.ts';
import { decisionOf, runOf } from '../../../test/support/ledgerExamples.ts';
import { graphOfDecision } from './graphOfDecision.ts';
import { graphOfRun } from './graphOfRun.ts';
import { answerId, chunkId, conceptId, documentId, questionId } from './identifiers.ts';
import { chunksOf, markdownDocument } from './testing/papers.ts';
import type { GraphPart } from './ports.ts';

const never = new AbortController().signal;
const runId = '01JDF3Z0000000000000000000';

function passage(id: string, text: string): Passage {
  return {
    id,
    source: `papers/${id}.md`,
    heading: ['Results'],
    page: null,
    start: 10,
    end: 10 + text.length,
    text,
    score: 1,
  };
}

const run: Run = runOf(runId, {
  paragraph: 'Small grains make steel strong.',
  question: 'Why do grains matter?',
  passages: [
    passage('p1', 'A grain boundary stops dislocations. Each grain boundary is a wall.'),
    passage('p2', 'Creep is another matter.'),
  ],
  final: 'Because grain boundaries stop quantum foam, and grain boundaries are many.',
  note: { path: 'notes/a.md', hash: '', range: { start: 4, end: 35 } },
});

const sources: SectionSources[] = [
  { iteration: 0, kind: 'answer', passages: [{ id: 'p1', support: 0.8, sentence: 'x' }] },
  { iteration: 0, kind: 'thinking', passages: [{ id: 'p2', support: 0.8, sentence: 'x' }] },
  { iteration: 1, kind: 'answer', passages: [{ id: 'p2', support: 0.8, sentence: 'x' }] },
];

function said(part: GraphPart, kind: string): string[] {
  return part.edges.filter((edge) => edge.kind === kind).map(({ from, to }) => `${from} → ${to}`);
}

const question = questionId(run.question, run.paragraph);

test('given a run with passages, when its graph is made, then each was retrieved for the question, with its place', async () => {
  const part = await graphOfRun(run, [], [], never);
  assert.deepEqual(said(part, 'retrieved-for'), [`chunk:p1 → ${question}`, `chunk:p2 → ${question}`]);
  const [first] = part.edges.filter(({ kind }) => kind === 'retrieved-for');
  assert.deepEqual(first?.evidence, [{ source: 'papers/p1.md', start: 10, end: 77 }]);
});

test('given sections with their sources, when the graph is made, then those of the best answer alone support it', async () => {
  const part = await graphOfRun(run, sources, [], never);
  assert.deepEqual(said(part, 'supports'), [`chunk:p1 → ${answerId(runId)}`]);
});

test('given a run, when its graph is made, then its answer answers its question', async () => {
  const part = await graphOfRun(run, [], [], never);
  assert.deepEqual(said(part, 'answers'), [`${answerId(runId)} → ${question}`]);
});

test('given a note that is not indexed, when the graph is made, then the question is asked from the note', async () => {
  const part = await graphOfRun(run, [], [], never);
  assert.deepEqual(said(part, 'asked-from'), [`${question} → ${documentId('notes/a.md')}`]);
});

test('given the chunks of the note, when the graph is made, then the question is asked from the paragraph’s chunk', async () => {
  const chunks = chunksOf(markdownDocument('notes/a.md', 'A.\n\nSmall grains make steel strong.\n\nMore.'));
  const part = await graphOfRun(run, [], chunks, never);
  assert.deepEqual(said(part, 'asked-from'), [`${question} → ${chunkId(chunks[1]!.id)}`]);
});

test('given an answer, when the graph is made, then it mentions the concepts of people’s texts, where it says them', async () => {
  const part = await graphOfRun(run, [], [], never);
  const edge = part.edges.find(({ kind, to }) => kind === 'mentions' && to === conceptId('grain boundary'));
  assert.deepEqual(
    edge?.evidence.map(({ source, start, end }) => [source, run.final.slice(start, end)]),
    [
      [`run:${runId}`, 'grain boundaries'],
      [`run:${runId}`, 'grain boundaries'],
    ],
  );
});

test('given words that only the model wrote, when the graph is made, then they are no concept', async () => {
  const part = await graphOfRun(run, [], [], never);
  assert.deepEqual(
    part.nodes.filter(({ id }) => id.includes('quantum')),
    [],
  );
});

test('given the concepts of a run, when they are said, then they are weak: documents make concepts strong', async () => {
  const part = await graphOfRun(run, [], [], never);
  const concepts = part.nodes.filter(({ kind }) => kind === 'concept');
  assert.ok(concepts.length > 0);
  assert.deepEqual(
    concepts.filter(({ strong }) => strong),
    [],
  );
});

test('given a run that was stopped before it answered, when the graph is made, then there is no answer', async () => {
  const part = await graphOfRun({ ...run, final: '' }, sources, [], never);
  assert.deepEqual(
    part.nodes.filter(({ kind }) => kind === 'answer'),
    [],
  );
});

test('given a run, when its graph is made, then both ends of each edge are among its nodes', async () => {
  const part = await graphOfRun(run, sources, [], never);
  const ids = new Set(part.nodes.map(({ id }) => id));
  assert.deepEqual(
    part.edges.filter(({ from, to }) => !ids.has(from) || !ids.has(to)),
    [],
  );
});

test('given the same question about another paragraph, when graphs are made, then they are two questions', async () => {
  const other = await graphOfRun({ ...run, paragraph: 'Another one.' }, [], [], never);
  assert.deepEqual(
    other.nodes.filter(({ id }) => id === question),
    [],
  );
});

function record(changes: Parameters<typeof decisionOf>[1]): LedgerRecord {
  const id = '01JDF3Z0000000000000000001';
  return { schema: 1, id, time: '2026-11-24T12:00:00.000Z', device: 'abcdefgh', ...decisionOf('q', changes) };
}

for (const kind of ['accept', 'accept-edited'] as const) {
  test(`given a decision to ${kind}, when its graph is made, then the note accepted the answer, there`, () => {
    const part = graphOfDecision(record({ kind }));
    assert.deepEqual(said(part, 'accepted'), [`${documentId('notes/a.md')} → ${answerId(runId)}`]);
    assert.deepEqual(part.edges[0]?.evidence, [{ source: 'notes/a.md', start: 0, end: 10 }]);
  });
}

for (const [what, changes] of [
  ['a rejection', { kind: 'reject' }],
  ['an acceptance of an unknown run', { run: null }],
  ['a tombstone', { kind: 'forget' }],
] as const) {
  test(`given ${what}, when its graph is made, then it says nothing`, () => {
    const { nodes, edges } = graphOfDecision(record(changes));
    assert.deepEqual([nodes, edges], [[], []]);
  });
}
