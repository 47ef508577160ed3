// A run grounded in the folder's own papers, over a real connection with the real models and LanceDB.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  FoundPassages,
  indexStatusRequest,
  ReasonResult,
  sourcesRequest,
  type IndexStatus,
} from '../../server/src/protocol/index.ts';
import { LspClient, uriOf } from '../support/lspClient.ts';
import { smallBudgets } from './support.ts';

const corpus = join(import.meta.dirname, '..', 'fixtures', 'corpus');
const paragraph =
  'Voxelated microstructures with realistic grains can be generated from statistical descriptors [@made2031up].';

async function desk(t: TestContext): Promise<{ client: LspClient; folder: string; uri: string }> {
  const place = await mkdtemp(join(await realpath(tmpdir()), 'preflexor grounded Žofie '));
  const folder = join(place, 'notes');
  await cp(join(corpus, 'kanapy'), join(folder, 'kanapy'), { recursive: true });
  await writeFile(join(folder, 'draft.md'), `# Draft\n\n${paragraph}\n`);
  const home = join(place, 'home');
  await cp(join(process.env['PREFLEXOR_HOME'] ?? '', 'models'), join(home, 'models'), { recursive: true });
  const client = await LspClient.start({
    folders: [folder],
    settings: { ...smallBudgets, retrieval: { enabled: true } },
    env: { PREFLEXOR_HOME: home },
  });
  t.after(async () => {
    await client.stop();
    await rm(place, { recursive: true, force: true });
  });
  const uri = await client.open(join(folder, 'draft.md'));
  return { client, folder, uri };
}

async function settled(client: LspClient): Promise<IndexStatus> {
  for (;;) {
    const { folders } = indexStatusRequest.result.parse(await client.request('preflexor/indexStatus', {}));
    const [status] = folders;
    if (status && status.chunks > 0 && status.state === 'idle') return status;
    assert.notEqual(status?.state, 'failed', status?.message ?? '');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test('given a folder with papers, when it is opened, then it is indexed by itself and a run shows the passages behind its sections', async (t) => {
  const { client, folder, uri } = await desk(t);
  const status = await settled(client);
  assert.equal(status.files, 3);
  assert.equal(status.embedder, 'all-minilm-l6-v2');

  const related = FoundPassages.parse(
    await client.request('preflexor/related', { textDocument: { uri }, position: { line: 2, character: 3 } }),
  );
  assert.ok(related.passages.length > 0);
  for (const { uri: address, start, end, text, source } of related.passages) {
    assert.notEqual(source, 'draft.md');
    assert.equal((await readFile(fileURLToPath(address ?? ''), 'utf8')).slice(start, end), text);
  }

  const { run, placement } = ReasonResult.parse(
    await client.request('preflexor/reason', { textDocument: { uri }, position: { line: 2, character: 3 } }),
  );
  assert.equal(placement, 'inserted');
  assert.ok(run.passages.some(({ source }) => source.startsWith('kanapy/')));
  const sources = sourcesRequest.result.parse(
    await client.request('preflexor/sources', { textDocument: { uri }, block: run.block }),
  );
  assert.deepEqual(
    sources.sections.map(({ kind }) => kind),
    ['thinking', 'reflection', 'answer'],
  );
  assert.equal(sources.passages.length, run.passages.length);
  assert.ok(
    (await readFile(join(folder, '.preflexor', 'runs', `${run.id}.json`), 'utf8')).includes('"sources"'),
  );
});

test('given a note that changes and one that comes, when the editor says so, then the index follows and embeds only them', async (t) => {
  const { client, folder } = await desk(t);
  const before = await settled(client);
  const file = join(folder, 'new note.md');
  await writeFile(file, 'Rubidium clouds are magnetic when they are cold enough.\n');
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', {
    changes: [{ uri: uriOf(file), type: 1 }],
  });
  for (;;) {
    const status = await settled(client);
    if (status.files === before.files + 1) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const found = FoundPassages.parse(
    await client.request('preflexor/search', { query: 'cold magnetic rubidium' }),
  );
  assert.equal(found.passages[0]?.source, 'new note.md');
});
