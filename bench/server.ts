// The language server: start until it answers `initialize`, against VS Code's own markdown server; and folds and
// lenses of a note of 1 MB while the model generates, against the same requests on an idle server.
//   node bench/server.ts [--write]      after `npm run build`, with code-server and the model in .cache
import { fork } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createProtocolConnection,
  InitializeRequest,
  IPCMessageReader,
  IPCMessageWriter,
} from 'vscode-languageserver/node';
import { insertBlock, applyEdits } from '../server/src/notes/index.ts';
import { cache, dist } from '../scripts/setup/paths.ts';
import { LspClient } from '../test/support/lspClient.ts';
import { median, percentile, report } from './measure.ts';

const starts = 15;
const requests = 200;

/** Milliseconds from starting a server module to its answer to `initialize`. */
async function startTime(module: string, args: readonly string[]): Promise<number> {
  const before = performance.now();
  const child = fork(module, ['--node-ipc', ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const connection = createProtocolConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.listen();
  await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    rootUri: null, // Required by the protocol, replaced by the folders below.
    workspaceFolders: null,
    capabilities: {},
    initializationOptions: { markdownFileExtensions: ['md'], i10lLocation: undefined },
  });
  const time = performance.now() - before;
  connection.dispose();
  child.kill('SIGKILL');
  return time;
}

/** A note of `bytes` with an annotation after every tenth paragraph. */
function largeNote(bytes: number): string {
  const paragraph = `${'Texture in polycrystalline materials consists of two major aspects, the distribution. '.repeat(6).trim()}\n`;
  const content = {
    thinking: 'one thought\n\nanother thought\n'.repeat(4),
    reflection: 'a doubt',
    answer: 'an answer',
    iteration: 0,
    of: 0,
    model: 'bench',
  };
  const parts = ['Start of the note.\n'];
  let size = 0;
  for (let index = 0; size < bytes; index += 1) {
    let part = `\n${paragraph}`;
    if (index % 10 === 0) {
      const id = `bench${index.toString(36).padStart(5, '0')}`;
      part = applyEdits(part, [insertBlock(part, part.length, { id, ...content })]);
    }
    parts.push(part);
    size += part.length;
  }
  return parts.join('');
}

/** Milliseconds of each of folds and lenses after each key press. */
async function latencies(client: LspClient, uri: string): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < requests; index += 1) {
    await client.change(uri, {
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      newText: 'x',
    });
    for (const method of ['textDocument/foldingRange', 'textDocument/codeLens']) {
      const before = performance.now();
      await client.request(method, { textDocument: { uri } });
      times.push(performance.now() - before);
    }
  }
  return times;
}

const ownModule = join(dist, 'languageServer.js');
const peerModule = join(
  cache,
  'code-server/node_modules/code-server/lib/vscode/extensions/markdown-language-features/dist/serverWorkerMain.js',
);
await access(peerModule);
const own: number[] = [];
const peer: number[] = [];
for (let turn = 0; turn < starts; turn += 1) {
  own.push(await startTime(ownModule, []));
  peer.push(await startTime(peerModule, []));
}

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-'));
const file = join(folder, 'large.md');
await writeFile(file, largeNote(1_000_000));
await writeFile(join(folder, 'small.md'), 'A paragraph to think about while the other note is edited.\n');
const client = await LspClient.start({
  folders: [folder],
  settings: {
    model: process.env['PREFLEXOR_TEST_MODEL'] ?? 'smollm2-135m-instruct',
    reasoning: { thinkingTokens: 4000, temperature: 1 },
  },
});
const uri = await client.open(file);
const idle = await latencies(client, uri);
const small = await client.open(join(folder, 'small.md'));
const stop = new AbortController();
const run = client
  .request(
    'preflexor/reason',
    { textDocument: { uri: small }, position: { line: 0, character: 0 }, partialResultToken: 'run' },
    stop.signal,
  )
  .catch(() => undefined);
const written = (): number => client.progress('run').length;
await client.until('the model to write', () => written() > 5, 60_000);
const busy = await latencies(client, uri);
const before = written();
await client.until('the model to be writing still', () => written() > before, 10_000);
stop.abort();
await run;
await client.stop();
await rm(folder, { recursive: true });

await report('server', {
  startMs: { ours: median(own), peer: median(peer), ratio: median(own) / median(peer), goal: 'below 500 ms' },
  peer: 'the markdown language server of VS Code, started the same way',
  foldsAndLensesMs: {
    requests: requests * 2,
    whileGenerating: { median: median(busy), p95: percentile(busy, 0.95) },
    idle: { median: median(idle), p95: percentile(idle, 0.95) },
    ratioP95: percentile(busy, 0.95) / percentile(idle, 0.95),
    goal: 'p95 below 50 ms while generating',
  },
});
