// The commands around training with the real trainer and the real small model, as scripts run them: score against
// the reference values, a short training, what the adapter changes, and its way out and in. PREFLEXOR_LONG_TESTS=1
// adds the whole golden set and the 30 steps of the golden README (minutes).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { readGgufHeader } from '../../server/src/engine/index.ts';
import { TrainerLoss, TrainingEstimate, TrainingRunRecord as RunRecord } from '../../server/src/protocol/index.ts';
import { cosine, golden, goldenFolder, readSafetensors } from './support/golden.ts';
import { libraries, repository, runTrainer, testModel } from './support/trainer.ts';

const long = process.env['PREFLEXOR_LONG_TESTS'] === '1';
const longReason = 'minutes of training: PREFLEXOR_LONG_TESTS=1';
const fixtures = path.join(repository, 'test/fixtures');
const train = path.join(fixtures, 'golden/style-train.jsonl');
const heldout = path.join(fixtures, 'golden/style-heldout.jsonl');
const goldenAdapter = path.join(goldenFolder, 'adapter');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let home = '';

before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'preflexor-training-'));
});
after(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Runs the built command line, with a home of the tests' own. */
function preflexor(args: readonly string[], onStdout: (text: string, kill: () => void) => void = () => undefined): Promise<Ended> {
  const cli = path.join(repository, 'dist/cli.js');
  const child = spawn(process.execPath, [cli, ...args, '--model', testModel(), '--json'], {
    env: { ...process.env, PREFLEXOR_HOME: home },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onStdout(stdout, () => child.kill('SIGINT'));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

async function result<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await preflexor(args);
  assert.equal(code, 0, stderr);
  return schema.parse(JSON.parse(stdout));
}

const Event = z.looseObject({ event: z.string() });

function eventsOf(stdout: string): z.infer<typeof Event>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => Event.parse(JSON.parse(line)));
}

function near(actual: number | null | undefined, expected: number, bound: number): void {
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= bound, `${String(actual)}, not ${expected}`);
}

const Texts = z.object({
  pairs: z.array(z.object({ prompt: z.string(), chosen: z.string(), rejected: z.string() })),
});

/** A pairs file of golden pairs, by their numbers. */
async function goldenPairs(numbers: readonly number[]): Promise<string> {
  const { pairs } = Texts.parse(JSON.parse(await readFile(path.join(goldenFolder, 'golden.json'), 'utf8')));
  const file = path.join(home, `golden-${numbers.join('-')}.jsonl`);
  await writeFile(file, numbers.map((index) => `${JSON.stringify(pairs[index])}\n`).join(''));
  return file;
}

const Sum = z.object({ sum: z.number(), mean: z.number(), tokens: z.number() });
const Scores = z.array(
  z.object({
    chosen: Sum,
    rejected: Sum,
    reference: z.object({ chosen: Sum, rejected: Sum }),
    losses: z.record(TrainerLoss, z.number()),
  }),
);

describe('given golden pairs and the golden adapter', () => {
  const numbers = long ? golden.pairs.map((_, index) => index) : [1, 6];

  it('when scored, then sums are within 0.02 and every loss within 1e-4 relative', async () => {
    const scores = await result(Scores, ['score', '--pairs', await goldenPairs(numbers), '--adapter', goldenAdapter]);
    assert.equal(scores.length, numbers.length);
    for (const [place, index] of numbers.entries()) {
      const [score, pair] = [scores[place], golden.pairs[index]];
      assert.ok(score && pair);
      for (const side of ['chosen', 'rejected'] as const) {
        near(score[side].sum, pair.policy[side].sum, 0.02);
        near(score.reference[side].sum, pair.reference[side].sum, 0.02);
      }
      for (const loss of TrainerLoss.options) {
        const expected = pair.losses[loss] ?? NaN;
        near(score.losses[loss], expected, 1e-4 * Math.abs(expected));
      }
    }
  });

  it('when thinking is masked and a gradient is wanted, then losses and the gradient are the reference’s', async () => {
    const file = path.join(home, 'gradient.safetensors');
    const pairs = await goldenPairs([6]);
    const adapter = ['--adapter', goldenAdapter];
    const masked = await result(Scores, ['score', '--pairs', pairs, ...adapter, '--mask', 'thinking']);
    for (const loss of ['dpo', 'exo_pair', 'ipo'] as const) {
      const expected = golden.pairs[6]?.losses[`${loss}_mask_thinking`] ?? NaN;
      near(masked[0]?.losses[loss], expected, 1e-4 * Math.abs(expected));
    }
    await result(Scores, ['score', '--pairs', pairs, ...adapter, '--loss', 'orpo', '--gradient', file]);
    const expected = readSafetensors(path.join(goldenFolder, 'gradient-pair06-orpo.safetensors'));
    assert.ok(cosine(readSafetensors(file), expected) >= 0.9999);
  });
});

const Record = z.object({ id: z.string(), files: z.object({ gguf: z.string(), peft: z.string() }) });

describe('given the golden adapter', () => {
  it('when imported, exported and imported from GGUF, then tensors and id are the same', async () => {
    const imported = await result(Record, ['adapters', 'import', goldenAdapter]);
    const target = path.join(home, 'exported');
    await result(z.looseObject({}), ['adapters', 'export', imported.id, '--to', target]);
    const name = 'adapter_model.safetensors';
    const original = readSafetensors(path.join(goldenAdapter, name));
    assert.deepEqual(readSafetensors(path.join(target, name)), original);
    // Back from the GGUF file, through llama's row order.
    const back = await result(Record, ['adapters', 'import', path.join(target, 'adapter.gguf')]);
    assert.equal(back.id, imported.id);
  });

  it('when the trainer writes it as GGUF too, then both files hold the same adapter', async () => {
    const imported = await result(Record, ['adapters', 'import', goldenAdapter]);
    const out = path.join(home, 'unchanged');
    const records = [{ prompt: [1, 2], chosen: [3, 4] }];
    // A step at rate 0 changes nothing and writes the adapter.
    const { stderr } = await runTrainer(home, {
      ...{ task: 'train', libraries, model: testModel(), records, adapter: goldenAdapter, out },
      ...{ loss: 'sft', steps: 1, optimizer: { learningRate: 0 } },
    });
    const files = [path.join(out, 'adapter.gguf'), imported.files.gguf];
    const [theirs, ours] = await Promise.all(files.map(adapterTensors));
    assert.deepEqual(ours, theirs, stderr);
  });

  it('when strengthened and put into use, then what the engine writes changes, until "base" is asked for', async () => {
    const answer = z.object({ text: z.string() });
    const generate = ['generate', 'Why is the sky blue?', '--max-tokens', '12', '--gpu', 'cpu', '--threads', '1'];
    const strong = path.join(home, 'strong');
    await cp(goldenAdapter, strong, { recursive: true });
    const config = path.join(strong, 'adapter_config.json');
    const settings = z.looseObject({}).parse(JSON.parse(await readFile(config, 'utf8')));
    await writeFile(config, JSON.stringify({ ...settings, lora_alpha: 200 }));
    const { id } = await result(Record, ['adapters', 'import', strong]);
    const base = await result(answer, generate);
    const named = await result(answer, [...generate, '--adapter', id]);
    assert.notEqual(named.text, base.text);
    assert.deepEqual(await result(answer, [...generate, '--adapter', strong]), named);
    await result(z.looseObject({}), ['adapters', 'use', id]);
    assert.deepEqual(await result(answer, generate), named, 'what is in use needs no name');
    assert.deepEqual(await result(answer, [...generate, '--adapter', 'base']), base);
    await result(z.looseObject({}), ['adapters', 'use', 'base']);
    assert.deepEqual(await result(answer, generate), base);
  });
});

/** Metadata and F32 tensors of a GGUF adapter, by name. */
async function adapterTensors(file: string): Promise<Map<string, unknown>> {
  const { metadata, tensors } = await readGgufHeader(file);
  const bytes = await readFile(file);
  const values = tensors.map(({ name, shape, offset, bytes: length }): [string, unknown] => [
    name,
    { shape, sha: createHash('sha256').update(bytes.subarray(offset, offset + length)).digest('hex') },
  ]);
  return new Map([...metadata, ...values]);
}

const short = ['--lr', '5e-4', '--rank', '4', '--accumulation', '1', '--seed', '1', '--steps', '400'];

describe('given the style pairs', () => {
  it('when trained a few steps, stopped and resumed, then the adapter is registered and the engine takes it', async () => {
    const out = path.join(home, 'run');
    const pairs = path.join(home, 'pairs.jsonl');
    await cp(train, pairs);
    const text = path.join(home, 'anchor.txt');
    await writeFile(text, 'The tide comes in twice a day, and what it leaves behind is gone by the evening. '.repeat(3));
    const args = ['train', '--phase', '1', '--pairs', pairs, '--out', out, ...short, '--checkpoint-every', '1', '--anchor', text];
    const stopped = await preflexor(args, (stdout, kill) => {
      if (stdout.includes('"event":"step"')) kill();
    });
    assert.equal(stopped.code, 130, stopped.stderr);
    const first = eventsOf(stopped.stdout).filter(({ event }) => event === 'step').length;
    const resumed = await preflexor(['train', '--out', out, '--resume', '--steps', String(first + 2)]);
    assert.equal(resumed.code, 0, resumed.stderr);
    const events = eventsOf(resumed.stdout);
    const started = events.find(({ event }) => event === 'started');
    assert.equal(started?.['resumed'], true);
    const steps = events.filter(({ event }) => event === 'step');
    assert.ok(steps.every((step) => Number(step['anchor_loss']) > 0), 'it is held to the text');
    const run = RunRecord.parse(JSON.parse(await readFile(path.join(out, 'run.json'), 'utf8')));
    assert.deepEqual([run.anchor?.kind, run.anchor?.texts.map(({ file }) => file)], ['kl', ['anchor.txt']]);
    const done = events.at(-1);
    assert.equal(done?.event, 'done');
    const id = z.string().parse(done['adapter']);
    const listed = await result(z.array(Record), ['adapters', 'list']);
    assert.ok(listed.some((adapter) => adapter.id === id));
    const generate = ['generate', 'Why is the sky blue?', '--max-tokens', '4', '--gpu', 'cpu', '--threads', '1'];
    const answer = await result(z.object({ text: z.string() }), [...generate, '--adapter', id]);
    assert.notEqual(answer.text, '');
  });

  it('when a run is estimated, then memory and time are said, and too little memory is refused with the numbers', async () => {
    const estimate = ['train', '--phase', '1', '--pairs', heldout, '--estimate', ...short];
    const { bytes, least_bytes: least, seconds, anchor } = await result(TrainingEstimate, estimate);
    assert.ok(least > 150e6 && bytes >= least && bytes < 1e9, `${bytes} bytes, at least ${least}`);
    assert.ok(seconds > 0);
    assert.equal(anchor, null);
    const refused = await preflexor([...estimate, '--memory', '100']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /The run needs \d+ MiB and may take 100 MiB: 94 MiB for the model/);
  });

  it('when masks are compared, then each training is measured on the held-out pairs', { skip: !long && longReason }, async () => {
    const some = async (file: string): Promise<string> => {
      const lines = (await readFile(file, 'utf8')).split('\n').slice(0, 2);
      const copy = path.join(home, `two-${path.basename(file)}`);
      await writeFile(copy, lines.join('\n'));
      return copy;
    };
    const pairs = ['--pairs', await some(train), '--heldout', await some(heldout), '--steps', '1'];
    const where = ['--workspace', home, '--out', path.join(home, 'masks'), '--gpu', 'cpu'];
    const { units } = await result(z.object({ units: z.object({ finished: z.int(), failed: z.int() }) }), ['eval', '3', ...pairs, ...where]);
    assert.deepEqual(units, { finished: 3, failed: 0 });
  });

  it('when trained 30 steps at 5e-4, then held-out pairs are told apart and answers begin with the marker', { skip: !long && longReason }, async () => {
    const out = path.join(home, 'long');
    const recipe = '--loss orpo --steps 30 --lr 5e-4 --rank 16 --alpha 32 --batch 2 --accumulation 1 --warmup 5 --seed 1'.split(' ');
    const { code, stdout, stderr } = await preflexor(['train', ...recipe, '--pairs', train, '--heldout', heldout, '--out', out]);
    assert.equal(code, 0, stderr);
    const last = eventsOf(stdout).findLast(({ event }) => event === 'eval');
    assert.equal(last?.['rewards/accuracies'], 1);
    assert.ok(Number(last['rewards/margins']) >= 0.25, JSON.stringify(last));
    const adapter = ['--adapter', path.join(out, 'adapter.gguf'), '--gpu', 'cpu'];
    for (const question of ['How does concrete harden?', 'Why do leaves turn red in autumn?', 'What makes a bell ring?']) {
      const { text } = await result(z.object({ text: z.string() }), ['generate', question, '--max-tokens', '12', ...adapter]);
      assert.ok(text.startsWith('<|thinking|>'), text);
    }
    const note = path.join(home, 'note.md');
    await writeFile(note, 'Concrete hardens because water binds to cement.\n');
    const reason = ['reason', note, '--at', '1', '--iterations', '0', '--temperature', '0', ...adapter];
    const run = await result(z.object({ adapter: z.string(), final: z.string() }), [...reason, '--thinking-tokens', '24', '--reflection-tokens', '16', '--answer-tokens', '24']);
    assert.notEqual(run.final, '');
    assert.equal(run.adapter, adapter[1]);
  });
});

describe('given papers of the corpus', () => {
  const papers = long ? (['kanapy', 'autoeis', 'simcardems'] as const) : (['kanapy'] as const);
  /** The base model's on the first 1,024 tokens, by the golden README. */
  const expected = { kanapy: 23.7, autoeis: 20.8, simcardems: 24.2 };

  it('when measured, then perplexities are the reference’s within one percent', async () => {
    const files = papers.map((name) => path.join(fixtures, 'corpus', name, 'paper.md'));
    const results = await result(z.array(z.object({ perplexity: z.number() })), ['perplexity', ...files, '--first', '1024']);
    for (const [index, name] of papers.entries()) near(results[index]?.perplexity, expected[name], 0.01 * expected[name]);
  });
});

describe('given what cannot be trained on', () => {
  for (const [given, args, words] of [
    ['a file without pairs', ['score', '--pairs', path.join(fixtures, 'corpus/README.md')], /no pair that can be used.*not valid JSON/],
    ['a gradient without adapter', ['score', '--pairs', train, '--loss', 'orpo', '--gradient', 'x'], /--adapter/],
    ['an unknown adapter', ['score', '--pairs', heldout, '--adapter', 'nothing-here'], /neither an adapter's id/],
    ['no phase', ['train', '--pairs', train, '--out', 'never-made'], /--phase/],
  ] as const) {
    it(`when ${given} is given, then a sentence says so and the exit code is 1`, async () => {
      const { code, stderr } = await preflexor(args);
      assert.equal(code, 1);
      assert.match(stderr, words);
    });
  }
});
