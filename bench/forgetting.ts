// Learning without forgetting: what the style pairs cost the rest of the language, with and without an
// anchor, one adapter for all figures. Trains on test/fixtures/golden/style-train.jsonl, reads its anchor
// from two papers and measures perplexity on three others; asks questions of other subjects.
//   PREFLEXOR_TEST_MODEL=FILE node bench/forgetting.ts [--seeds=1,2,3] [--only=NAME] [--threads=1] [--write]
// With --write each row takes its place in the results as soon as it is there: a run takes an hour and more.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama, type LlamaContextSequence, type LlamaModel, type Token } from 'node-llama-cpp';
import { z } from 'zod';
import { shippedText } from '../server/src/composition.ts';
import type { TrainerAnchor, TrainerRecord, TrainerTrainConfig } from '../server/src/protocol/trainer.ts';
import { libraries, linesOf, repository, runTrainer, testModel } from '../test/native/support/trainer.ts';
import { keptRows, numberOption, report, textOption } from './measure.ts';

const fixtures = join(repository, 'test/fixtures');
/** The anchor reads these … */
const anchorPapers = ['echemfem', 'elasticipy'];
/** … and never these, which are measured. */
const measuredPapers = ['kanapy', 'autoeis', 'simcardems'];
const measuredTokens = 1024;
const marker = '<|thinking|>';
const system = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face';

interface Variant {
  readonly name: string;
  readonly learningRate: number;
  readonly steps: number;
  readonly anchor?: Omit<TrainerAnchor, 'sequences'> & { readonly tokens: number; readonly shipped?: true };
  readonly loss?: TrainerTrainConfig['loss'];
  readonly lora?: TrainerTrainConfig['lora'];
  readonly schedule?: 'constant' | 'linear' | 'cosine';
}

const divergence = { tokens: 128, kind: 'kl', weight: 10, perStep: 2 } as const;

const variants: readonly Variant[] = [
  { name: 'no anchor, 2e-4, 40 steps', learningRate: 2e-4, steps: 40 },
  { name: 'no anchor, 5e-4, 30 steps', learningRate: 5e-4, steps: 30 },
  {
    name: 'anchor by divergence, 5e-4, 40 steps',
    learningRate: 5e-4,
    steps: 40,
    anchor: divergence,
  },
  {
    name: 'anchor by divergence, 5e-4, 50 steps',
    learningRate: 5e-4,
    steps: 50,
    anchor: divergence,
  },
  {
    name: 'anchor by divergence on the text that ships, 5e-4, 40 steps',
    learningRate: 5e-4,
    steps: 40,
    anchor: { ...divergence, shipped: true },
  },
  {
    name: 'anchor by replay, 5e-4, 40 steps',
    learningRate: 5e-4,
    steps: 40,
    anchor: { tokens: 128, kind: 'replay', weight: 1, perStep: 2 },
  },
];

/** What TRL's adapters cost on the same pairs and papers: golden/README.md, not measured here. */
const trlReference = {
  '2e-4, 40 steps': { kanapy: 20.6, autoeis: 18.1, simcardems: 16.1 },
  '5e-4, 30 steps': { kanapy: 75, autoeis: 92, simcardems: 70 },
};

const Turn = z.tuple([z.object({ content: z.string() })]);
const Pair = z.object({ prompt: Turn, chosen: Turn, rejected: Turn });

/** A question in SmolLM2's own template, up to where the answer begins. */
function chat(question: string): string {
  const turn = (role: string, text: string) => `<|im_start|>${role}\n${text}<|im_end|>\n`;
  return `${turn('system', system)}${turn('user', question)}<|im_start|>assistant\n`;
}

async function readPairs(model: LlamaModel, file: string): Promise<TrainerRecord[]> {
  const text = await readFile(join(fixtures, 'golden', file), 'utf8');
  const answer = (turn: z.infer<typeof Turn>) => [
    ...model.tokenize(turn[0].content, false),
    ...model.tokenize('<|im_end|>\n', true),
  ];
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const pair = Pair.parse(JSON.parse(line));
      return {
        prompt: model.tokenize(chat(pair.prompt[0].content), true),
        chosen: answer(pair.chosen),
        rejected: answer(pair.rejected),
      };
    });
}

function paper(name: string): string {
  return join(fixtures, 'corpus', name, 'paper.md');
}

async function tokensOf(model: LlamaModel, file: string): Promise<Token[]> {
  return model.tokenize(await readFile(file, 'utf8'), false);
}

/** Neighbouring pieces of the anchor's papers, or of the text that ships, of one length. */
async function anchorSequences(model: LlamaModel, length: number, shipped: boolean): Promise<Token[][]> {
  const pieces: Token[][] = [];
  for (const file of shipped ? [shippedText()] : anchorPapers.map(paper)) {
    const tokens = await tokensOf(model, file);
    for (let start = 0; start + length <= tokens.length; start += length) {
      pieces.push(tokens.slice(start, start + length));
    }
  }
  return pieces;
}

/** Perplexity of the first tokens of each measured paper. */
async function perplexities(model: LlamaModel, folder: string, adapter?: string): Promise<number[]> {
  const records: TrainerRecord[] = [];
  for (const name of measuredPapers) {
    const [first, ...rest] = (await tokensOf(model, paper(name))).slice(0, measuredTokens);
    records.push({ prompt: [first ?? 0], chosen: rest });
  }
  const result = await runTrainer(folder, {
    task: 'score',
    libraries,
    model: testModel(),
    records,
    ...(adapter === undefined ? {} : { adapter }),
  });
  return linesOf(result.lines, 'score').map((line) => Math.exp(-(line.chosen?.mean ?? NaN)));
}

/** Whether greedy decoding goes on with the marker after `sequence` has read the prompt. */
async function beginsWithMarker(
  model: LlamaModel,
  sequence: LlamaContextSequence,
  prompt: Token[],
): Promise<boolean> {
  const answer: Token[] = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
    answer.push(token);
    const text = model.detokenize(answer, true);
    if (text.startsWith(marker)) return true;
    if (!marker.startsWith(text)) return false;
  }
  return false;
}

/** How many of the questions get an answer that begins with the marker. */
async function markersFirst(model: LlamaModel, adapter: string, questions: string[]): Promise<number> {
  const context = await model.createContext({
    contextSize: 512,
    threads: 1,
    lora: { adapters: [{ filePath: adapter }] },
  });
  const sequence = context.getSequence();
  let count = 0;
  for (const question of questions) {
    const prompt = model.tokenize(chat(question), true);
    // All prompts begin alike: only what differs is read again.
    const shared = sequence.contextTokens.findIndex((token, index) => token !== prompt[index]);
    const keep = shared === -1 ? Math.min(sequence.nextTokenIndex, prompt.length - 1) : shared;
    await sequence.eraseContextTokenRanges([{ start: keep, end: sequence.nextTokenIndex }]);
    if (await beginsWithMarker(model, sequence, prompt.slice(keep))) count += 1;
  }
  await context.dispose();
  return count;
}

interface Subjects {
  readonly model: LlamaModel;
  readonly train: TrainerRecord[];
  readonly heldout: TrainerRecord[];
  readonly questions: string[];
  readonly before: number[];
}

async function measure(variant: Variant, seed: number, subjects: Subjects, folder: string) {
  const { model } = subjects;
  const { anchor, learningRate, steps } = variant;
  const config: TrainerTrainConfig = {
    task: 'train',
    libraries,
    model: testModel(),
    threads: numberOption('threads', 1),
    precision: 'f32',
    out: join(folder, 'run'),
    loss: variant.loss ?? 'orpo',
    records: subjects.train,
    heldout: subjects.heldout,
    lora: variant.lora ?? { rank: 16, alpha: 32 },
    optimizer: { learningRate, warmup: 5, schedule: variant.schedule ?? 'constant' },
    steps,
    batch: 2,
    checkpointEvery: 0,
    lowPriority: false,
    seed,
  };
  if (anchor !== undefined) {
    const { tokens, shipped = false, ...rest } = anchor;
    config.anchor = { ...rest, sequences: await anchorSequences(model, tokens, shipped) };
  }
  const result = await runTrainer(folder, config);
  const done = linesOf(result.lines, 'done')[0];
  const evaluation = linesOf(result.lines, 'eval').at(-1);
  if (done?.gguf === undefined || done.peft === undefined || evaluation === undefined) {
    throw new Error(`${variant.name} failed: ${JSON.stringify(result.lines.at(-1))} ${result.stderr}`);
  }
  const after = await perplexities(model, folder, done.peft);
  const steplines = linesOf(result.lines, 'step');
  return {
    variant: variant.name,
    seed,
    accuracy: evaluation['rewards/accuracies'],
    margin: evaluation['rewards/margins'],
    markerFirst: await markersFirst(model, done.gguf, subjects.questions),
    perplexityChangePercent: Object.fromEntries(
      measuredPapers.map((name, index) => [
        name,
        100 * ((after[index] ?? NaN) / (subjects.before[index] ?? NaN) - 1),
      ]),
    ),
    anchorLoss: steplines.at(-1)?.anchor_loss ?? null,
    tokens: steplines.reduce((sum, line) => sum + line.tokens, 0),
  };
}

const Row = z.looseObject({ variant: z.string(), seed: z.number() });
type Row = z.infer<typeof Row>;

function isSame(one: Row, other: Row): boolean {
  return one.variant === other.variant && one.seed === other.seed;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-forgetting-'));
  const llama = await getLlama({ build: 'never', gpu: false });
  const model = await llama.loadModel({ modelPath: testModel() });
  try {
    const questions = z
      .array(z.string())
      .parse(JSON.parse(await readFile(join(import.meta.dirname, 'forgettingQuestions.json'), 'utf8')));
    const subjects: Subjects = {
      model,
      train: await readPairs(model, 'style-train.jsonl'),
      heldout: await readPairs(model, 'style-heldout.jsonl'),
      questions,
      before: await perplexities(model, folder),
    };
    const tried = textOption('try');
    const chosen: readonly Variant[] =
      tried === undefined ? variants : (JSON.parse(tried) as readonly Variant[]);
    const only = textOption('only');
    let results = await keptRows('forgetting', Row);
    for (const variant of chosen.filter(({ name }) => only === undefined || name === only)) {
      for (const seed of (textOption('seeds') ?? '1,2,3').split(',').map(Number)) {
        const row = await measure(variant, seed, subjects, folder);
        results = [...results.filter((other) => !isSame(other, row)), row];
        await report('forgetting', {
          questions: questions.length,
          perplexityBefore: Object.fromEntries(
            measuredPapers.map((name, index) => [name, subjects.before[index]]),
          ),
          trlReferencePercent: trlReference,
          results,
        });
      }
    }
  } finally {
    await model.dispose();
    await llama.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
