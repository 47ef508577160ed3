// What training beside it costs a writer who reasons: seconds of the same requests with and without a training run on
// the same machine, which makes way while text is written. Blocks without, with, and without again; each request is
// about another paragraph than the one before, so that its prompt is read anew.
//   node bench/workerLatency.ts [--requests=12] [--write]   after `npm run build:native`, with the model in .cache
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../scripts/setup/paths.ts';
import type { ReasonResult } from '../server/src/protocol/index.ts';
import { preflexor } from '../test/cli/support.ts';
import { LspClient } from '../test/support/lspClient.ts';
import { ownHome } from '../test/support/ownHome.ts';
import { median, numberOption, percentile, report } from './measure.ts';

const requests = numberOption('requests', 12);
const fixtures = join(repository, 'test', 'fixtures');
const model = process.env['PREFLEXOR_TEST_MODEL'] ?? 'smollm2-135m-instruct';
/** The run has to be past its loading, at work. */
const stepsBefore = 2;

const settings = {
  model,
  reasoning: { iterations: 0, thinkingTokens: 48, reflectionTokens: 32, answerTokens: 48, temperature: 0 },
  engine: { gpu: 'cpu' },
  retrieval: { enabled: false },
};

/** Begins a long training, and resolves when it is at work. */
async function training(folder: string, home: string) {
  const pairs = join(fixtures, 'golden', 'style-train.jsonl');
  let steps = 0;
  let stop: () => void = () => undefined;
  let atWork: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (atWork = resolve));
  const ended = preflexor(
    [
      ...['train', '--phase', '1', '--pairs', pairs, '--steps', '100000', '--out', join(folder, 'run')],
      ...['--model', model, '--json'],
    ],
    {
      env: { PREFLEXOR_HOME: home },
      onStdout: (text, kill) => {
        stop = () => {
          kill('SIGINT');
        };
        steps = text.split('"event":"step"').length - 1;
        if (steps >= stepsBefore) atWork();
      },
    },
  );
  const early = ended.then(({ stderr }) => {
    throw new Error(`Training ended before it was at work. ${stderr}`);
  });
  await Promise.race([begun, early]);
  early.catch(() => undefined);
  const end = async (): Promise<void> => {
    stop();
    await ended;
  };
  return { steps: () => steps, end };
}

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-worker-'));
const note = join(folder, 'note.md');
try {
  const home = await ownHome(join(folder, 'home'));
  const text = await readFile(join(fixtures, 'corpus', 'kanapy', 'paper.md'), 'utf8');
  await writeFile(note, text);
  const client = await LspClient.start({ folders: [folder], settings, env: { PREFLEXOR_HOME: home } });
  const uri = await client.open(note);
  const paragraphs = ['Texture in polycrystalline materials', 'In the previous version of'];
  let asked = 0;

  async function seconds(): Promise<number> {
    const words = paragraphs[asked % paragraphs.length] ?? '';
    asked += 1;
    const position = client.positionOf(uri, words);
    const started = performance.now();
    const { run } = await client.request<ReasonResult>('preflexor/reason', {
      ...{ textDocument: { uri }, position, seed: asked },
    });
    const took = (performance.now() - started) / 1000;
    await client.request('preflexor/decide', { textDocument: { uri }, block: run.block, as: 'reject' });
    return took;
  }

  async function block(): Promise<number[]> {
    const times: number[] = [];
    for (let n = 0; n < requests; n += 1) times.push(await seconds());
    return times;
  }

  await seconds(); // The model loads, and is measured.
  await seconds();
  const without = await block();
  const { steps, end } = await training(folder, home);
  const before = steps();
  const beside = await block();
  const during = steps() - before;
  await end();
  without.push(...(await block()));
  await client.stop();
  const of = (times: readonly number[]) => ({ median: median(times), p95: percentile(times, 0.95) });
  await report('workerLatency', {
    ...{ requests, secondsWithout: of(without), secondsBeside: of(beside), stepsMeanwhile: during },
    ratioOfP95: percentile(beside, 0.95) / percentile(without, 0.95),
    ratioOfMedian: median(beside) / median(without),
    goal: 'p95 at most 1.1 times',
  });
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
