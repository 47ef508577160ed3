// The tree of the Sources view.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexStatus, LocatedPassage } from '../../server/src/protocol/index.ts';
import { closeness, sourceNodes, type RunSources, type SourceNode } from './sourcesModel.ts';

function passage(id: string, change: Partial<LocatedPassage> = {}): LocatedPassage {
  return {
    id,
    source: 'notes/alloys.md',
    heading: ['Alloys', 'Grain size'],
    page: null,
    start: 0,
    end: 5,
    text: 'Small grains make an alloy hard.',
    score: 0.03,
    scores: { vector: 0.8, text: null, rerank: null },
    uri: 'file:///notes/alloys.md',
    ...change,
  };
}

const index: IndexStatus = {
  root: '/home/ada/notes',
  state: 'idle',
  files: 3,
  chunks: 9,
  done: 3,
  total: 3,
  failed: [{ path: 'papers/scan.pdf', code: 'no-text', reason: 'It has no text.' }],
  embedder: 'all-minilm-l6-v2',
  message: null,
};

const run: RunSources = {
  run: '01JDA0000000000000000000AB',
  block: 'k3v9q2xa',
  passages: [passage('p1'), passage('p2', { source: 'papers/hall.pdf', heading: [], page: 3 })],
  sections: [
    { iteration: 0, kind: 'thinking', passages: [{ id: 'p1', support: 0.9, sentence: 'Grains matter.' }] },
    { iteration: 0, kind: 'answer', passages: [] },
  ],
  unknownCitations: [],
};

/** Label and description of each node, children indented. */
function drawn(nodes: readonly SourceNode[], indent = ''): string[] {
  return nodes.flatMap(({ label, description, children }) => [
    `${indent}${label}${description && ` | ${description}`}`,
    ...drawn(children, `${indent}  `),
  ]);
}

test('given a run with sources, when the tree is made, then its sections hold their passages, and all that the model was shown follows', () => {
  assert.deepEqual(drawn(sourceNodes({ run, related: null, indexes: [] })), [
    'Thinking',
    '  alloys.md › Grain size | notes · very close',
    'Suggestion | no passage behind it',
    'Shown to the Model | 2',
    '  alloys.md › Grain size | notes · very close',
    '  hall.pdf › page 3 | papers · very close',
  ]);
});

test('given several iterations, when the tree is made, then each section names its own', () => {
  const sections = [...run.sections, { iteration: 1, kind: 'answer' as const, passages: [] }];
  const labels = sourceNodes({ run: { ...run, sections }, related: null, indexes: [] }).map(
    ({ label }) => label,
  );
  assert.deepEqual(labels.slice(0, 3), [
    'Thinking · Iteration 0',
    'Suggestion · Iteration 0',
    'Suggestion · Iteration 1',
  ]);
});

test('given works that the model made up, when the tree is made, then they come first, as a warning', () => {
  const [first] = sourceNodes({
    run: { ...run, unknownCitations: ['smith2020'] },
    related: null,
    indexes: [],
  });
  assert.deepEqual([first?.label, first?.icon], ['Unknown citation: smith2020', 'warning']);
});

test('given an index, when the tree is made, then its size is told, and each file that could not be read with its reason', () => {
  assert.deepEqual(drawn(sourceNodes({ run: null, related: null, indexes: [index] })), [
    'Index | 3 files · 9 passages · 1 not read',
    '  papers/scan.pdf | It has no text.',
  ]);
});

test('given nothing relevant to a paragraph, when the tree is made, then it says so', () => {
  const none = { passages: [], nothingRelevant: true, best: 0.1, threshold: 0.4 };
  const paragraph = { start: { line: 0, character: 0 }, end: { line: 0, character: 9 } };
  const related = { ...none, paragraph };
  assert.equal(
    drawn(sourceNodes({ run: null, related, indexes: [index] }))[0],
    'Related to This Paragraph | nothing relevant in your notes',
  );
  const outside = { ...related, paragraph: null };
  assert.equal(drawn(sourceNodes({ run: null, related: outside, indexes: [index] })).length, 2);
});

test('given no index and no run, when the tree is made, then it is empty, so that the welcome is seen', () => {
  const off = { ...index, state: 'off' as const };
  const empty = { ...index, files: 0, chunks: 0, failed: [] };
  assert.deepEqual(sourceNodes({ run: null, related: null, indexes: [off, empty] }), []);
});

test('given any tree, when it is made, then no two nodes have the same id', () => {
  const paragraph = { start: { line: 0, character: 0 }, end: { line: 0, character: 9 } };
  const related = { passages: run.passages, nothingRelevant: false, best: 0.8, threshold: 0.4, paragraph };
  const ids = (nodes: readonly SourceNode[]): string[] =>
    nodes.flatMap(({ id, children }) => [id, ...ids(children)]);
  const all = ids(sourceNodes({ run, related, indexes: [index, { ...index, root: '/other' }] }));
  assert.equal(new Set(all).size, all.length);
});

test('given a similarity, when it is put in words, then it is held against its own threshold', () => {
  assert.deepEqual(
    [0.9, 0.6, 0.45, 0.2].map((similarity) => closeness(similarity, 0.4)),
    ['very close', 'close', 'related', 'loosely related'],
  );
  assert.equal(closeness(null, 0.4), 'same words');
});
