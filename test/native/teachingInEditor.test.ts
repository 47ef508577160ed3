// Teaching from the editor with the real model, embedder and trainer: estimated, begun, killed with its server, gone on
// with by the next one in the same folder, and cancelled; nothing of it is left running.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import {
  teachingEstimateRequest,
  teachingStatusRequest,
  teachRequest,
  type TeachingStatus,
} from '../../server/src/protocol/index.ts';
import { LspClient } from '../support/lspClient.ts';
import { testModel } from './support/trainer.ts';

const patienceMs = 120_000;

/** Long enough to ask a question from. */
function noteOn(subject: string): string {
  const sentences = ['cold', 'warm', 'rolled', 'drawn', 'forged', 'cast'].map(
    (state) =>
      `In a ${state} alloy the ${subject} decides how hard it is, as dislocations move through it or stop at the ${subject} that the ${state} metal has.`,
  );
  return `# On ${subject}\n\n${sentences.join(' ')}\n`;
}

async function statusOf(client: LspClient): Promise<TeachingStatus> {
  return teachingStatusRequest.result.parse(await client.request('preflexor/teachingStatus', {}));
}

async function until(client: LspClient, is: (status: TeachingStatus) => boolean): Promise<TeachingStatus> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const status = await statusOf(client);
    if (is(status)) return status;
    assert.ok(Date.now() < end, JSON.stringify(status));
    await delay(100);
  }
}

test('given notes, when teaching is begun and its server is killed, then the next server goes on in the same folder, and cancelling ends it', async (t) => {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'preflexor-teaching-'));
  const [root, home] = [join(folder, 'notes'), join(folder, 'home')];
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(root);
  for (const subject of ['grain', 'texture', 'fracture'])
    await writeFile(join(root, `${subject}.md`), noteOn(subject));
  const start = () =>
    LspClient.start({
      folders: [root],
      env: { PREFLEXOR_HOME: home },
      settings: {
        model: testModel(),
        engine: { threads: 1, gpu: 'cpu' },
        retrieval: { embedder: process.env['PREFLEXOR_TEST_EMBEDDER'] },
      },
    });
  const first = await start();
  t.after(() => first.stop());
  const estimate = teachingEstimateRequest.result.parse(await first.request('preflexor/teachingEstimate', {}));
  assert.ok(estimate.bytes > 1e8 && estimate.trainingSeconds > 0 && estimate.refusal === null);
  teachRequest.result.parse(await first.request('preflexor/teach', { action: 'start' }));
  const going = await until(first, ({ stage }) => stage === 'dataset');
  assert.equal(going.state, 'running');
  first.process.kill('SIGKILL');

  const second = await start();
  t.after(() => second.stop());
  const again = await until(second, ({ stage, elsewhere }) => stage === 'dataset' && !elsewhere);
  assert.deepEqual([again.run, again.started], [going.run, going.started]);
  const note = join(home, 'locks', 'teaching.json');
  assert.match(await readFile(note, 'utf8'), /"pid":\d+/);
  const cancelled = teachRequest.result.parse(await second.request('preflexor/teach', { action: 'cancel' }));
  assert.deepEqual([cancelled.state, cancelled.run], ['idle', null]);
  await assert.rejects(readFile(note), /ENOENT/);
});
