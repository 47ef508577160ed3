// What a job's folder holds: the very ids and masks that a run here would have, and what other tools read of them.
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import type { ChatTokenizer, LoadedModel } from '../../engine/index.ts';
import { PreflexorError } from '../../errors.ts';
import { JobRecord, preflexorMarkers, TrainingJob, type TrainerLine } from '../../protocol/index.ts';
import { AdapterRegistry } from '../adapters/registry.ts';
import type { ChosenAdapter } from '../adapters/shelf.ts';
import {
  never,
  plainConfig,
  plainTensors,
  temporaryFolder,
  tinyBase,
  writePeft,
} from '../testing/tinyAdapters.ts';
import type { Trainer, TrainerTask } from '../trainer.ts';
import { prepareJob, type JobRequest } from './prepareJob.ts';
import { writeJob } from './writeJob.ts';

const endOfTurn = 1;
const scripts = path.join(import.meta.dirname, '..', '..', '..', 'job');

/** Each code unit is a token. */
const unitsOf = (text: string) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
const tokenizer: ChatTokenizer = {
  load: () => Promise.resolve({ markers: preflexorMarkers } as LoadedModel),
  tokenize: (text) => Promise.resolve(unitsOf(text)),
  tokenizeChat: ({ messages, completions }) =>
    Promise.resolve({
      prompt: messages.flatMap(({ text }) => unitsOf(text)),
      completions: completions.map((text) => ({ tokens: unitsOf(text), texts: text.split('') })),
      endOfTurn,
    }),
};

/** Scores each record with its place. */
class ScoringTrainer implements Trainer {
  readonly tasks: TrainerTask[] = [];

  run(task: TrainerTask) {
    this.tasks.push(task);
    return { send: () => undefined, [Symbol.asyncIterator]: () => scores(task) };
  }

  selfTest(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

async function* scores({ records }: TrainerTask): AsyncGenerator<TrainerLine> {
  await Promise.resolve();
  for (const index of records.keys()) {
    const sum = (mean: number) => ({ sum: 4 * mean, mean, tokens: 4 });
    const value = { loss: index + 0.5, byChosen: 0, byRejected: 0, byFull: 0 };
    yield {
      ...{ event: 'score', seq: index, index, prompt: null, chosen: sum(-1), rejected: sum(-2) },
      reference: { prompt: null, chosen: null, rejected: null },
      losses: { orpo: value, exo_pair: value } as Extract<TrainerLine, { event: 'score' }>['losses'],
    };
  }
}

const thinking = `${preflexorMarkers.thinking.start}why${preflexorMarkers.thinking.end}`;
const lines = [
  { prompt: 'Is it hard?', chosen: `${thinking}It is.`, rejected: 'No.' },
  {
    prompt: [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'U' },
    ],
    chosen: 'good',
    rejected: 'bad',
  },
];

async function setUp(t: TestContext) {
  const home = await temporaryFolder(t);
  const pairs = path.join(home, 'pairs.jsonl');
  const heldout = path.join(home, 'heldout.jsonl');
  const texts = lines.map((line) => JSON.stringify(line));
  await writeFile(pairs, [texts[0], 'nonsense', texts[1], ''].join('\n'));
  await writeFile(heldout, `${texts[1] ?? ''}\n`);
  const trainer = new ScoringTrainer();
  const now = () => Date.UTC(2026, 0, 1);
  const ports = {
    ...{ trainer, now, version: '1.2.3', registry: new AdapterRegistry(home, now) },
    withTokenizer: <T>(work: (one: ChatTokenizer) => Promise<T>) => work(tokenizer),
  };
  const request: JobRequest = {
    ...{ pairs, heldout, checks: 1, base: null, adapter: null, reference: null },
    ...{ model: await tinyBase(home), shape: { parameters: 3e9, trainedContext: 4096 } },
    wishes: { phase: 1, steps: 4 },
  };
  const folder = path.join(home, 'job');
  const write = async (change: Partial<JobRequest> = {}) =>
    await writeJob(folder, await prepareJob({ ...request, ...change }, ports, home, never), scripts, never);
  const read = async (name: string) => await readFile(path.join(folder, name), 'utf8');
  const job = async () => TrainingJob.parse(JSON.parse(await read('job.json')));
  return { home, folder, trainer, write, read, job };
}

async function adapter(home: string, name: string): Promise<ChosenAdapter> {
  const folder = path.join(home, name);
  await writePeft(folder, plainConfig, plainTensors);
  return { name, gguf: () => Promise.reject(new Error('no')), peft: () => Promise.resolve(folder) };
}

function recordsIn(text: string): JobRecord[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JobRecord.parse(JSON.parse(line)));
}

const textOf = (ids: readonly number[]) => String.fromCharCode(...ids);
const counted = (ids: readonly number[], mask: readonly number[]) => ids.filter((_, at) => mask[at] === 1);

test('given masked pairs, when a job is written, then its data are token ids with a mask for every one, in the order of the pairs', async (t) => {
  const { write, read } = await setUp(t);
  await write({ wishes: { phase: 2, steps: 4, mask: { kind: 'thinking' } } });
  const [first, second, ...more] = recordsIn(await read('train.jsonl'));
  assert.ok(first && second);
  assert.deepEqual(more, []);
  assert.equal(textOf(first.prompt), 'Is it hard?');
  assert.equal(textOf(first.chosen.slice(0, -1)), `${thinking}It is.`);
  assert.equal(first.chosen_mask.length, first.chosen.length);
  assert.deepEqual(counted(first.chosen, first.chosen_mask), [...unitsOf('It is.'), endOfTurn]);
  assert.deepEqual(
    first.rejected_mask,
    first.rejected.map(() => 1),
  );
  assert.deepEqual(
    second.chosen_mask,
    second.chosen.map(() => 1),
  );
  assert.equal(recordsIn(await read('heldout.jsonl')).length, 1);
});

test('given a job, when it is written, then job.json says what was asked, what was refused, and what this machine gets', async (t) => {
  const { write, read, job, trainer } = await setUp(t);
  const files = await write({ base: { repository: 'a/b', revision: 'r', file: 'm.gguf' } });
  const { parameters, pairs, heldout, expected, base, start, reference, model } = await job();
  assert.deepEqual([parameters.loss, parameters.steps, parameters.dropout], ['orpo', 4, 0.1]);
  assert.deepEqual(pairs.refused, [{ line: 2, reason: 'it is not valid JSON' }]);
  assert.equal(heldout?.records, 1);
  assert.deepEqual(expected, [{ record: 0, chosen: -1, rejected: -2, loss: 0.5 }]);
  assert.deepEqual([base?.file, start, reference], ['m.gguf', null, null]);
  assert.deepEqual(
    trainer.tasks.map(({ task, records }) => [task, records.length]),
    [['score', 1]],
  );
  const readme = await read('README.md');
  assert.match(readme, /accelerate launch --config_file accelerate\/single\.yaml train\.py/);
  assert.match(readme, new RegExp(`preflexor adapters import adapter --model ${model.id}`));
  assert.match(readme, /contains text of your notes/);
  for (const name of ['train.py', 'collator.py', 'requirements.txt'])
    assert.equal(await read(name), await readFile(path.join(scripts, name), 'utf8'), name);
  assert.equal(files.at(-1), 'job.json');
});

test('given no wish for a check, when a job is written, then nothing is scored', async (t) => {
  const { write, job, trainer } = await setUp(t);
  await write({ checks: 0 });
  assert.deepEqual([(await job()).expected, trainer.tasks], [[], []]);
});

test('given an adapter to start from, when a job is written, then it lies in the folder and is what training compares with', async (t) => {
  const { home, folder, write, job, trainer } = await setUp(t);
  await write({ wishes: { phase: 2, steps: 4 }, adapter: await adapter(home, 'one') });
  const { start, reference } = await job();
  assert.deepEqual([start, reference], ['start', 'start']);
  assert.ok((await readdir(path.join(folder, 'start'))).includes('adapter_model.safetensors'));
  assert.ok(!(await readdir(folder)).includes('reference'));
  const [task] = trainer.tasks;
  assert.ok(task?.task === 'score');
  assert.deepEqual([task.adapter, task.reference], [path.join(home, 'one'), path.join(home, 'one')]);
});

test('given a reference of its own, when a job is written, then both adapters lie in the folder', async (t) => {
  const { home, folder, write, job } = await setUp(t);
  const [one, other] = [await adapter(home, 'one'), await adapter(home, 'other')];
  await write({ wishes: { phase: 2, steps: 4 }, adapter: one, reference: other });
  const { start, reference } = await job();
  assert.deepEqual([start, reference], ['start', 'reference']);
  assert.ok((await readdir(path.join(folder, 'reference'))).includes('adapter_model.safetensors'));
});

test('given accelerate’s configurations, when read, then they name one GPU, FSDP and DeepSpeed, and files that are there', async (t) => {
  const { write, read } = await setUp(t);
  const files = await write();
  const kinds: unknown[] = [];
  for (const name of ['single', 'fsdp', 'deepspeed']) {
    const config = parse(await read(`accelerate/${name}.yaml`)) as Record<string, unknown>;
    kinds.push(config['distributed_type']);
    const deepspeed = config['deepspeed_config'] as { deepspeed_config_file: string } | undefined;
    if (deepspeed) assert.ok(files.includes(deepspeed.deepspeed_config_file));
  }
  assert.deepEqual(kinds, ['NO', 'FSDP', 'DEEPSPEED']);
});

test('given ORPO without masks, when a job is written, then LLaMA-Factory and Axolotl get the same pairs, loss and numbers', async (t) => {
  const { write, read } = await setUp(t);
  await write();
  const factory = parse(await read('llamafactory/train.yaml')) as Record<string, unknown>;
  assert.deepEqual(
    [factory['pref_loss'], factory['lora_rank'], factory['max_steps'], factory['model_name_or_path']],
    ['orpo', 64, 4, 'BASE_MODEL'],
  );
  const axolotl = parse(await read('axolotl/config.yaml')) as Record<string, unknown>;
  assert.deepEqual([axolotl['rl'], axolotl['orpo_alpha'], axolotl['max_steps']], ['orpo', 0.1, 4]);
  const rows = async (name: string) =>
    (await read(name))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    (await rows('llamafactory/preflexor_train.jsonl')).map(({ system, chosen }) => [system, chosen]),
    [
      ['', { from: 'gpt', value: `${thinking}It is.` }],
      ['S', { from: 'gpt', value: 'good' }],
    ],
  );
  assert.deepEqual((await rows('axolotl/train.jsonl'))[1]?.['rejected'], [
    ...[
      { role: 'system', content: 'S' },
      { role: 'user', content: 'U' },
    ],
    { role: 'assistant', content: 'bad' },
  ]);
  const info = JSON.parse(await read('llamafactory/dataset_info.json')) as Record<
    string,
    { file_name: string }
  >;
  assert.equal(info['preflexor_heldout']?.file_name, 'preflexor_heldout.jsonl');
});

test('given EXO with masks, when a job is written, then the other tools’ files say what they do differently', async (t) => {
  const { write, read } = await setUp(t);
  await write({ wishes: { phase: 2, steps: 4, mask: { kind: 'thinking' } } });
  for (const name of ['llamafactory/train.yaml', 'axolotl/config.yaml', 'README.md']) {
    const text = await read(name);
    assert.match(text, /there is no EXO/, name);
    assert.match(text, /masks of this job can not be said here/, name);
  }
});

test('given a folder with something in it, or a loss that TRL does not have, when a job is asked for, then it is refused and nothing is written', async (t) => {
  const { folder, write } = await setUp(t);
  await assert.rejects(write({ wishes: { loss: 'kto', steps: 1 } }), (error) =>
    PreflexorError.is(error, 'bad-input'),
  );
  await mkdir(folder);
  await writeFile(path.join(folder, 'mine.txt'), 'x');
  await assert.rejects(write(), /is not empty/);
  assert.deepEqual(await readdir(folder), ['mine.txt']);
});
