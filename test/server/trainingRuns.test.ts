// The Training view's requests over a real connection, on files of runs that grow meanwhile. No model is loaded.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  trainingPairRequest,
  trainingPairsRequest,
  trainingRunRequest,
  trainingRunsRequest,
} from '../../server/src/protocol/index.ts';
import {
  beginTeaching,
  beginTraining,
  helloLine,
  sample,
  startedLine,
  steps,
  tell,
  writeSamples,
} from '../support/trainingRunFiles.ts';
import { alloys, evidence, library } from './librarySupport.ts';
import { failure } from './support.ts';

test('given runs in a folder, when they are listed, followed and looked into, then each answer fits the protocol, also while a run goes on', async (t) => {
  const { client, folder } = await library(t, { settings: { retrieval: { enabled: false } } });
  const teaching = join(folder, '.preflexor', 'teach', '1');
  const start = alloys.indexOf(evidence);
  const note = { path: 'notes/alloys.md', hash: 'h', range: { start, end: start + evidence.length } };
  await beginTeaching(teaching);
  await writeSamples(join(teaching, 'phase-1', 'refresh-1'), [
    sample(0, { note }),
    sample(1, { note: { ...note, path: '../../etc/passwd' } }),
  ]);
  const run = join(folder, 'runs', 'mine');
  await beginTraining(run);
  await tell(run, [helloLine(process.pid), startedLine(20), ...steps(1, 4)]);

  const listed = trainingRunsRequest.result.parse(await client.request('preflexor/trainingRuns', {}));
  assert.deepEqual(listed.runs.map(({ run: key, state }) => [key, state]).sort(), [
    ['.preflexor/teach/1', 'running'],
    ['runs/mine', 'running'],
  ]);
  const ask = async (params: object) =>
    trainingRunRequest.result.parse(await client.request('preflexor/trainingRun', params));
  const { parts } = await ask({ run: 'runs/mine' });
  assert.deepEqual(parts[0]?.trained.step, [1, 2, 3, 4]);
  await tell(run, steps(5, 6));
  const known = [{ part: 'train', epoch: parts[0].epoch, steps: 4 }];
  const later = await ask({ run: 'runs/mine', known });
  assert.deepEqual([later.parts[0]?.from, later.parts[0]?.trained.step], [4, [5, 6]]);

  const ofPart = { run: '.preflexor/teach/1', part: 'phase-1' };
  const page = trainingPairsRequest.result.parse(
    await client.request('preflexor/trainingPairs', { ...ofPart, offset: 1, limit: 5 }),
  );
  assert.deepEqual([page.matching, page.rows.length, page.rows[0]?.line], [2, 1, 2]);
  const place = async (line: number) =>
    trainingPairRequest.result.parse(await client.request('preflexor/trainingPair', { ...ofPart, line }));
  const here = await place(1);
  assert.match(here.place?.uri ?? '', /notes\/alloys\.md$/);
  assert.deepEqual([here.board, here.place?.range.start.line], [null, 4]);
  assert.equal((await place(2)).place, null);

  const { data } = await failure(client.request('preflexor/trainingRun', { run: '../elsewhere' }));
  assert.equal(data?.code, 'bad-input');
});
