// The gate on real runs: phase I trained on the style pairs, clean and with half of them swapped, over several seeds.
// It should offer the clean ones' adapters and keep the others; the held-out pairs are never swapped. Anchored to two
// papers, measured on three others.
// With --write each row takes its place in the results as soon as it is there: a run takes an hour.
//   PREFLEXOR_TEST_MODEL=FILE node bench/gate.ts [--seeds=1,2,3,4,5] [--steps=40] [--threads=1]
//     [--rate=5e-4] [--alpha=32] [--write]
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createTrainer, withTokenizer } from '../server/src/composition.ts';
import { describeGguf, ModelStore } from '../server/src/engine/index.ts';
import { seededRandom } from '../server/src/evaluation/index.ts';
import { defaultSettings, type GateVerdict } from '../server/src/protocol/index.ts';
import { measure, teachPreset, verdictOn } from '../server/src/teaching/index.ts';
import { AdapterRegistry, readPairsFile, train, type AnchorSource } from '../server/src/training/index.ts';
import { z } from 'zod';
import { keptRows, numberOption, report, textOption } from './measure.ts';

const fixtures = join(import.meta.dirname, '..', 'test', 'fixtures');
const anchorPapers = ['echemfem', 'elasticipy'];
const measuredPapers = ['kanapy', 'autoeis', 'simcardems'];

const paper = (name: string): string => join(fixtures, 'corpus', name, 'paper.md');

/** Every other pair the wrong way round, which ones by the seed. */
function halfSwapped(lines: readonly string[], seed: number): string[] {
  const random = seededRandom(seed);
  const order = lines.map((_, at) => ({ at, by: random() })).sort((one, other) => one.by - other.by);
  const swapped = new Set(order.slice(0, Math.floor(lines.length / 2)).map(({ at }) => at));
  return lines.map((line, at) => {
    const pair = JSON.parse(line) as { prompt: unknown; chosen: unknown; rejected: unknown };
    const { prompt, chosen, rejected } = pair;
    return swapped.has(at) ? JSON.stringify({ prompt, chosen: rejected, rejected: chosen }) : line;
  });
}

const Row = z.object({ pairs: z.string(), seed: z.number(), offered: z.boolean(), why: z.string() });

const signal = new AbortController().signal;
const file = process.env['PREFLEXOR_TEST_MODEL'] ?? '';
const settings = { ...defaultSettings(), model: file };
const home = await mkdtemp(join(tmpdir(), 'preflexor-bench-gate-'));
const quiet = (): void => undefined;
const model = await new ModelStore({ home }).findModel(file, { signal });
const shape = await describeGguf(model.file, signal);
const trainer = createTrainer(home, quiet);
const tokenizing: Parameters<typeof train>[1]['withTokenizer'] = (work) =>
  withTokenizer(settings, home, quiet, work);
const threads = numberOption('threads', 1);
const steps = numberOption('steps', 40);
/** What a preset gives the model, where it is not said otherwise. */
const { phase1 } = teachPreset('quick', shape, ['reasoning steps']);
const learningRate = Number(textOption('rate') ?? phase1.learningRate);
const alpha = Number(textOption('alpha') ?? phase1.alpha);
const sources: AnchorSource[] = anchorPapers.map((name) => ({
  ...{ from: 'named', file: `${name}.md` },
  read: () => readFile(paper(name), 'utf8'),
}));

async function verdictOf(lines: readonly string[], seed: number, name: string): Promise<GateVerdict> {
  const folder = join(home, `${name}-${seed}`);
  const pairs = `${folder}.jsonl`;
  await writeFile(pairs, lines.map((line) => `${line}\n`).join(''));
  const { mask: _mask, maskShare: _share, steps: _steps, ...numbers } = phase1;
  const heldout = join(fixtures, 'golden', 'style-heldout.jsonl');
  const run = train(
    {
      ...{
        pairs,
        heldout,
        out: folder,
        resume: false,
        threads,
        model,
        shape,
        adapter: null,
        reference: null,
      },
      wishes: { ...numbers, learningRate, alpha, phase: 1, steps, seed },
      anchor: { workspace: null, sources },
    },
    {
      trainer,
      withTokenizer: tokenizing,
      registry: new AdapterRegistry(home, Date.now),
      now: Date.now,
      version: 'bench',
    },
    signal,
  );
  for await (const event of run)
    if (event.event === 'step' && event.step % 10 === 0)
      process.stderr.write(`${name} ${seed}: step ${event.step}\n`);
  const texts = await Promise.all(
    measuredPapers.map(async (one) => ({ name: one, text: await readFile(paper(one), 'utf8') })),
  );
  const measured = await measure(
    {
      ...{ phase: 1, model, trainedContext: shape.trainedContext, threads, baseline: null, texts },
      ...{ adapter: join(folder, 'peft'), heldout: await readPairsFile(heldout, signal) },
    },
    { trainer, withTokenizer: tokenizing, scratch: home },
    signal,
  );
  return verdictOn(measured, seed, new Date().toISOString());
}

try {
  const clean = (await readFile(join(fixtures, 'golden', 'style-train.jsonl'), 'utf8')).trim().split('\n');
  let rows = await keptRows('gate', Row);
  const share = (pairs: string): string => {
    const own = rows.filter((row) => row.pairs === pairs);
    return `${own.filter(({ offered }) => offered).length} of ${own.length}`;
  };
  for (const seed of (textOption('seeds') ?? '1,2,3,4,5').split(',').map(Number)) {
    for (const [pairs, lines] of [
      ['clean', clean],
      ['half-swapped', halfSwapped(clean, seed)],
    ] as const) {
      const { offered, why } = await verdictOf(lines, seed, pairs);
      const others = rows.filter((row) => row.pairs !== pairs || row.seed !== seed);
      rows = [...others, { pairs, seed, offered, why }];
      await report('gate', {
        ...{ model: basename(file), steps, threads, learningRate, alpha },
        offered: { clean: share('clean'), halfSwapped: share('half-swapped') },
        results: rows,
      });
    }
  }
} finally {
  await rm(home, { recursive: true, force: true });
}
