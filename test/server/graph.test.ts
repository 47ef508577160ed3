// The Graph view's requests over a real connection, with retrieval in memory. No model is loaded.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { graphEvidenceRequest, graphRequest } from '../../server/src/protocol/index.ts';
import { isIdle, library, untilIndex } from './librarySupport.ts';

test('given an indexed folder, when its graph is asked for, around the cursor too, then parts of it come, and evidence leads to the very words', async (t) => {
  const { client, uri } = await library(t);
  await untilIndex(client, 'the index', isIdle);
  const ask = async (params: object) =>
    graphRequest.result.parse(await client.request('preflexor/graph', params));
  const whole = await ask({ wish: { limit: 500 } });
  assert.deepEqual(whole.notes, ['draft.md', 'notes/alloys.md', 'works.bib']);
  assert.equal((await ask({ wish: { limit: 2 } })).nodes.length, 2);
  const position = client.positionOf(uri, 'because');
  const near = await ask({ textDocument: { uri }, position, wish: { limit: 50 } });
  assert.ok(near.found.includes('concept:dislocations'));
  assert.ok(near.nodes.length < whole.nodes.length);
  const { places } = graphEvidenceRequest.result.parse(
    await client.request('preflexor/graphEvidence', { node: 'concept:dislocations' }),
  );
  const ofAlloys = places.find(({ source }) => source === 'notes/alloys.md');
  assert.ok(ofAlloys?.uri);
  const text = await readFile(fileURLToPath(ofAlloys.uri), 'utf8');
  assert.equal(text.slice(ofAlloys.start, ofAlloys.end), ofAlloys.text);
  assert.equal(ofAlloys.text, 'Dislocations');
  const none = await ask({ textDocument: { uri }, position: { line: 0, character: 1 }, wish: { limit: 50 } });
  assert.deepEqual([none.nodes, none.found], [[], []]);
});
