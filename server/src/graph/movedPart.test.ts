import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphOfDocument } from './graphOfDocument.ts';
import { movedPart } from './movedPart.ts';
import type { StoredEdge } from './ports.ts';
import { chunksOf, markdownDocument } from './testing/papers.ts';

const never = new AbortController().signal;
const [from, to] = ['notes/a.md', 'papers/grain boundaries.md'];
const note = `# Texture

Grain boundaries stop slip [@hall1951; @petch1953].

##

A grain boundary is seen by EBSD [@hall1951].

## Measured

Electron backscatter diffraction shows grain boundaries.
`;

test('given a document under another name, when its part is moved, then it is the one of the document read anew', async () => {
  const [before, after] = [markdownDocument(from, note), markdownDocument(to, note)];
  const [oldChunks, newChunks] = [chunksOf(before), chunksOf(after)];
  const moving = oldChunks.map(({ id, heading }, index) => ({
    ...{ id, heading },
    movedId: newChunks[index]?.id ?? '',
  }));
  const part = await graphOfDocument(before, oldChunks, never);
  const wanted = await graphOfDocument(after, newChunks, never);
  assert.notDeepEqual(part, wanted);
  assert.deepEqual(movedPart(part, { from, to }, moving), wanted);
});

test('given an evidence in a file that the document takes in, when its part is moved, then that one stays', () => {
  const edge: StoredEdge = {
    ...{ owner: `document:${from}`, from: 'document:x', to: 'concept:y', kind: 'mentions', count: 1 },
    evidence: [{ source: 'notes/part.tex', start: 0, end: 4 }],
  };
  assert.deepEqual(movedPart({ nodes: [], edges: [edge] }, { from, to }, []).edges, [
    { ...edge, owner: `document:${to}` },
  ]);
});
