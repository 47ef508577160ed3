// Whole runs with a scripted trainer: what is written, what is said, what is kept.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ChatTokenizer, FoundModel, LoadedModel } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import {
  preflexorMarkers,
  TrainingRunRecord,
  type TrainerLine,
  type TrainerTrainConfig,
} from '../protocol/index.ts';
import { readPeftFolder } from './adapters/peftFolder.ts';
import { AdapterRegistry } from './adapters/registry.ts';
import { AdapterShelf } from './adapters/shelf.ts';
import {
  never,
  plainConfig,
  plainTensors,
  temporaryFolder,
  tinyBase,
  writePeft,
} from './testing/tinyAdapters.ts';
import { estimateTraining } from './estimate.ts';
import type { TrainPorts, TrainRequest } from './prepare.ts';
import { train, type TrainEvent } from './train.ts';
import type { Trainer, TrainerTask } from './trainer.ts';
import { trainerConfigName } from './trainerProcess.ts';

/** Writes the files that the real one writes, and says a few lines; ends after `crashAfter` of them with an error. */
class ScriptedTrainer implements Trainer {
  readonly tasks: TrainerTask[] = [];
  crashAfter = Infinity;

  run(task: TrainerTask, folder: string, signal: AbortSignal) {
    this.tasks.push(task);
    return {
      send: () => undefined,
      [Symbol.asyncIterator]: () =>
        task.task === 'estimate' ? this.#estimate() : this.#lines(task as TrainerTrainConfig, folder, signal),
    };
  }

  selfTest(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async *#estimate(): AsyncGenerator<TrainerLine> {
    await Promise.resolve();
    yield {
      ...{ event: 'estimate', seq: 1, bytes: 300, least_bytes: 200, available_bytes: 1000, model_bytes: 90 },
      ...{ adapter_bytes: 50, kept_bytes: 100, parameters: 9, seconds: 8, seconds_per_step: 2 },
    };
    yield { event: 'done', seq: 2 };
  }

  async *#lines(task: TrainerTrainConfig, folder: string, signal: AbortSignal): AsyncGenerator<TrainerLine> {
    await writeFile(join(folder, trainerConfigName), JSON.stringify({ ...task, libraries: '/l' }));
    const { steps, records } = task;
    const gguf = join(task.out, 'adapter.gguf');
    const peft = join(task.out, 'peft');
    const figures = {
      loss: 0.5,
      'rewards/chosen': 1,
      'rewards/rejected': 0,
      'rewards/margins': 0.3,
      'rewards/accuracies': 1,
    };
    const seq = 0;
    const lines: TrainerLine[] = [
      {
        event: 'started',
        seq,
        step: 0,
        steps,
        resumed: task.resume ?? false,
        records: records.length,
        heldout: 1,
        parameters: 9,
      },
      { event: 'checkpoint', seq, step: 1, file: join(task.out, 'checkpoint.safetensors') },
      { event: 'eval', seq, step: steps, records: 1, ...figures },
      { event: 'done', seq, step: steps, stopped: false, adapter: task.out, gguf, peft },
    ];
    for (const [index, line] of lines.entries()) {
      if (index >= this.crashAfter) throw new PreflexorError('trainer-failed', 'crashed');
      if (signal.aborted) throw new PreflexorError('cancelled', 'Stopped.');
      if (line.event === 'checkpoint') await writeFile(line.file, 'state');
      if (line.event === 'done') {
        await writePeft(peft, plainConfig, plainTensors);
        await writeFile(gguf, 'an adapter');
      }
      yield { ...line, seq: index };
    }
  }
}

const tokenizer: ChatTokenizer = {
  load: () => Promise.resolve({ markers: preflexorMarkers } as LoadedModel),
  tokenize: (text) => Promise.resolve(Array.from({ length: text.length }, () => 7)),
  tokenizeChat: ({ completions }) =>
    Promise.resolve({
      prompt: [1],
      completions: completions.map((text) => ({ tokens: [text.length], texts: [text] })),
      endOfTurn: 0,
    }),
};

interface SetUp {
  readonly trainer: ScriptedTrainer;
  readonly ports: TrainPorts;
  readonly request: TrainRequest;
  readonly model: FoundModel;
  readonly home: string;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const home = await temporaryFolder(t);
  const model = await tinyBase(home);
  const pairs = join(home, 'pairs.jsonl');
  await writeFile(pairs, '{"prompt":"x","chosen":"good","rejected":"bad"}\nnonsense\n');
  const trainer = new ScriptedTrainer();
  const now = () => Date.UTC(2026, 0, 1);
  return {
    ...{ home, trainer, model },
    ports: {
      ...{ trainer, now, version: '1.2.3', registry: new AdapterRegistry(home, now) },
      withTokenizer: (work) => work(tokenizer),
    },
    request: {
      ...{ pairs, heldout: pairs, out: join(home, 'run'), resume: false },
      ...{ model, shape: { parameters: 3e9, trainedContext: 4096 }, adapter: null, reference: null },
      wishes: { phase: 1, steps: 4, learningRate: 1e-4 },
    },
  };
}

async function all(events: AsyncIterable<TrainEvent>): Promise<TrainEvent[]> {
  const found: TrainEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

const configOf = (task: TrainerTask | undefined): TrainerTrainConfig => {
  assert.ok(task?.task === 'train');
  return { ...task, libraries: '' };
};

test('given pairs, when trained, then events come in order and the last names the adapter of the registry', async (t) => {
  const { request, ports } = await setUp(t);
  const events = await all(train(request, ports, never));
  assert.deepEqual(
    events.map(({ event }) => event),
    ['prepared', 'started', 'checkpoint', 'eval', 'done'],
  );
  const done = events.at(-1);
  assert.ok(done?.event === 'done');
  const stored = await ports.registry.find(done.adapter);
  assert.ok(stored?.record.origin.kind === 'trained');
  assert.deepEqual(stored.record.origin.heldout, {
    step: 4,
    records: 1,
    loss: 0.5,
    accuracy: 1,
    margin: 0.3,
  });
  assert.equal(stored.record.origin.run.pairs.records, 1);
});

test('given a run, when it is over, then its folder tells what was computed, on what, and how it ended', async (t) => {
  const { request, ports } = await setUp(t);
  await all(train(request, ports, never));
  const read = async (name: string) => await readFile(join(request.out, name), 'utf8');
  const record = TrainingRunRecord.parse(JSON.parse(await read('run.json')));
  assert.deepEqual(record.pairs.refused, [{ line: 2, reason: 'it is not valid JSON' }]);
  assert.equal(record.parameters.loss, 'orpo');
  assert.equal((await read('log.jsonl')).trim().split('\n').length, 4);
  assert.match(await read('result.json'), /"adapter": "orpo-/);
});

test('given a run that crashed, when begun again without resume, then it is refused and nothing is touched', async (t) => {
  const { request, ports, trainer } = await setUp(t);
  trainer.crashAfter = 2;
  await assert.rejects(all(train(request, ports, never)), /crashed/);
  await assert.rejects(
    all(train(request, ports, never)),
    (error) => PreflexorError.is(error, 'bad-input') && (error.remedy ?? '').includes('--resume'),
  );
  assert.equal(trainer.tasks.length, 1);
});

test('given a run that crashed, when resumed without pairs, then the trainer gets the very same ids and settings', async (t) => {
  const { request, ports, trainer } = await setUp(t);
  trainer.crashAfter = 2;
  await assert.rejects(all(train(request, ports, never)), /crashed/);
  trainer.crashAfter = Infinity;
  // Other wishes than the length decide nothing any more.
  const wishes = { steps: 9, learningRate: 7, loss: 'dpo' } as const;
  const events = await all(train({ ...request, pairs: null, resume: true, wishes }, ports, never));
  const [first, second] = trainer.tasks.map(configOf);
  assert.deepEqual(second, { ...first, steps: 9, resume: true });
  assert.equal(events.at(-1)?.event, 'done');
});

test('given a folder for reference sums and a memory budget, when begun or resumed, then the trainer is told', async (t) => {
  const { request, ports, trainer } = await setUp(t);
  const settings = { referenceCache: '/cache', memoryBudgetBytes: 1e9 };
  trainer.crashAfter = 2;
  await assert.rejects(all(train({ ...request, ...settings }, ports, never)), /crashed/);
  trainer.crashAfter = Infinity;
  const later = { ...settings, memoryBudgetBytes: 2e9 };
  await all(train({ ...request, ...later, pairs: null, resume: true }, ports, never));
  assert.deepEqual(
    trainer.tasks
      .map(configOf)
      .map(({ referenceCache, memoryBudgetBytes }) => [referenceCache, memoryBudgetBytes]),
    [
      ['/cache', 1e9],
      ['/cache', 2e9],
    ],
  );
});

test('given a folder without a run, when resumed, then it begins', async (t) => {
  const { request, ports } = await setUp(t);
  const events = await all(train({ ...request, resume: true }, ports, never));
  assert.equal(events.at(-1)?.event, 'done');
});

test('given a run of another model, when resumed, then it is refused', async (t) => {
  const { request, ports, trainer, home } = await setUp(t);
  trainer.crashAfter = 2;
  await assert.rejects(all(train(request, ports, never)), /crashed/);
  const model = await tinyBase(home, 'qwen3');
  await assert.rejects(
    all(train({ ...request, model, resume: true }, ports, never)),
    /That run trains llama/,
  );
});

test('given a run whose files are broken, when resumed, then it is refused with the file', async (t) => {
  const { request, ports } = await setUp(t);
  await mkdir(request.out);
  await writeFile(join(request.out, 'run.json'), '{"schema": 1}');
  await assert.rejects(all(train({ ...request, resume: true }, ports, never)), /run.json is broken/);
});

test('given phase II on an adapter, when trained, then it starts from it and compares with it', async (t) => {
  const { request, ports, trainer, home, model } = await setUp(t);
  const folder = join(home, 'phase one');
  await writePeft(folder, plainConfig, plainTensors);
  const shelf = new AdapterShelf(ports.registry);
  t.after(() => shelf.dispose());
  const adapter = await shelf.choose(folder, model);
  await all(train({ ...request, adapter, wishes: { phase: 2, steps: 1 } }, ports, never));
  const config = configOf(trainer.tasks[0]);
  assert.equal(config.loss, 'exo_pair');
  assert.deepEqual(config.lora, { dropout: 0.1 }, 'a given adapter keeps its shape');
  assert.equal(config.adapter, join(request.out, 'start'), 'a copy that stays with the run');
  assert.equal(config.reference, config.adapter);
  assert.deepEqual(
    (await readPeftFolder(config.adapter, never)).modules,
    (await readPeftFolder(folder, never)).modules,
  );
});

test('given a run that is stopped, when it ends, then no adapter is registered', async (t) => {
  const { request, ports } = await setUp(t);
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      for await (const { event } of train(request, ports, controller.signal)) {
        if (event === 'checkpoint') controller.abort();
      }
    },
    (error) => PreflexorError.is(error, 'cancelled'),
  );
  assert.deepEqual(await ports.registry.list(), []);
});

test('given neither phase nor loss, or no pairs, when trained, then it is said what is missing', async (t) => {
  const { request, ports } = await setUp(t);
  await assert.rejects(all(train({ ...request, wishes: {} }, ports, never)), /not said what to train/);
  await assert.rejects(all(train({ ...request, pairs: null }, ports, never)), /which pairs/);
});

const anchor = {
  workspace: 'key',
  sources: [
    { from: 'workspace', file: 'notes/off.md', read: () => Promise.resolve(null) },
    { from: 'workspace', file: 'notes/a.md', read: () => Promise.resolve('a'.repeat(200)) },
  ],
} as const;

test('given texts to be held to, when trained, then the trainer gets their ids and the record says what they were', async (t) => {
  const { request, ports, trainer } = await setUp(t);
  const events = await all(train({ ...request, anchor }, ports, never));
  const config = configOf(trainer.tasks[0]);
  assert.deepEqual(
    config.anchor?.sequences.map(({ length }) => length),
    [128, 72],
  );
  assert.deepEqual([config.anchor.kind, config.anchor.weight, config.anchor.perStep], ['kl', 10, 2]);
  const { record } = (await ports.registry.list())[0] ?? assert.fail('no adapter');
  assert.ok(record.origin.kind === 'trained');
  const { anchor: recorded } = record.origin.run;
  assert.deepEqual(
    recorded?.texts.map(({ from, file }) => [from, file]),
    [['workspace', 'notes/a.md']],
  );
  assert.deepEqual([recorded.workspace, recorded.pieces, recorded.tokens], ['key', 2, 200]);
  assert.deepEqual(events[0]?.event === 'prepared' && events[0].anchor, recorded);
});

test('given a run, when estimated, then figures come with what it would train on, and no folder is made', async (t) => {
  const { request, ports, trainer, home } = await setUp(t);
  const { out, resume: _resume, ...rest } = request;
  const estimate = await estimateTraining({ ...rest, anchor }, ports, join(home, 'scratch'), never);
  const { bytes, least_bytes: least, seconds, steps } = estimate;
  assert.deepEqual([bytes, least, seconds, steps], [300, 200, 8, 4]);
  assert.equal(estimate.pairs.records, 1);
  assert.equal(estimate.anchor?.pieces, 2);
  assert.equal(trainer.tasks[0]?.task, 'estimate');
  await assert.rejects(readFile(join(out, 'run.json')), /ENOENT/);
});
