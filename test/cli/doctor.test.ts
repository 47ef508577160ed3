// preflexor doctor with a model server: who has the text, and whether it answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpeakingServer } from '../../server/src/engine/openai/testing.ts';
import { preflexor } from './support.ts';

interface Report {
  readonly server: { model: string | null; contextTokens: number | null; leavesMachine: boolean } | null;
  readonly problems: readonly { what: string }[];
}

test('given a model server, when doctor is asked, then its model and where the text goes are told; without it, what is wrong', async (t) => {
  const server = new SpeakingServer();
  await server.start();
  t.after(() => server.stop());
  const answered = await preflexor(['doctor', '--json', '--engine-url', server.address]);
  const report = JSON.parse(answered.stdout) as Report;
  assert.deepEqual(
    { ...report.server, address: null },
    { address: null, model: 'served-model', contextTokens: 2048, leavesMachine: false },
  );

  const silent = await preflexor(['doctor', '--json', '--engine-url', 'http://127.0.0.1:9']);
  const { server: none, problems } = JSON.parse(silent.stdout) as Report;
  assert.equal(none?.model, null);
  assert.ok(problems.some(({ what }) => what.includes('cannot be reached')));
});
