// Whole runs of teaching with models that write what they are told to and a trainer that only says that it trains: the
// order of things, what is left when it is broken off, what pauses it, and what it comes to.
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { TeachReport, type PreferencePair, type TeachSetup } from '../protocol/index.ts';
import { generateDataset } from './dataset/generate.ts';
import { heldoutNotes } from './dataset/notes.ts';
import { trlLines } from './dataset/pairs.ts';
import type { GateMeasurements } from './gate/verdict.ts';
import { teachPreset, withValues } from './presets.ts';
import {
  teach,
  type DatasetWish,
  type TeachEvent,
  type TeachPorts,
  type TeachRequest,
  type TrainWish,
} from './teach.ts';
import { corpusOf, notes, plainStudent, portsOf } from './testing/corpus.ts';
import { TalkingModel } from './testing/talkingModel.ts';

const never = new AbortController().signal;
const corpus = notes(20, 3);
const heldout = heldoutNotes(
  corpus.map(({ document }) => document),
  0.2,
);

const good: Readonly<Record<1 | 2, GateMeasurements>> = { 1: measured(1, 0.93), 2: measured(2, 0.95) };

function measured(phase: 1 | 2, adoption: number): GateMeasurements {
  const pair = (margin: number) => ({
    before: { chosen: -2, rejected: -2 },
    after: { chosen: -1.8 + margin, rejected: -1.8 },
  });
  return {
    phase,
    answers: Array.from({ length: 10 }, (_, at) => pair(0.1 + at / 100)),
    wholes: Array.from({ length: 10 }, () => pair(0.2)),
    adoption: Array.from({ length: 10 }, () => ({ before: phase === 1 ? 0 : 0.93, after: adoption })),
    perplexity: [{ before: 20, after: 20.4 }],
  };
}

interface World {
  readonly request: TeachRequest;
  readonly ports: TeachPorts;
  readonly datasets: DatasetWish[];
  readonly trained: TrainWish[];
  readonly judged: string[];
}

interface Changes {
  readonly settings?: readonly string[];
  readonly measurements?: Readonly<Record<1 | 2, GateMeasurements>>;
  /** What is measured instead, time after time, as long as there is some. */
  readonly series?: GateMeasurements[];
  readonly losses?: readonly number[];
  readonly own?: readonly PreferencePair[];
  readonly ignored?: TeachRequest['ignored'];
  readonly student?: TalkingModel;
}

async function world(t: TestContext, changes: Changes = {}, folder?: string): Promise<World> {
  const place = folder ?? (await mkdtemp(path.join(tmpdir(), 'preflexor-teach-')));
  t.after(() => rm(place, { recursive: true, force: true }));
  const preset = teachPreset('quick', { parameters: 135e6, trainedContext: 2048 }, ['reasoning steps']);
  const setup: TeachSetup = {
    ...{ schema: 1, version: '1', seed: 3 },
    model: { id: 'talking', file: 'talking.gguf', sha256: '0'.repeat(64) },
    settings: withValues(preset, ['samples=10', ...(changes.settings ?? [])]),
  };
  const datasets: DatasetWish[] = [];
  const trained: TrainWish[] = [];
  const judged: string[] = [];
  const ports: TeachPorts = {
    now: () => Date.UTC(2026, 0, 1),
    async *makeDataset(wish, signal) {
      datasets.push(wish);
      const { settings, seed, adapter, log, samples, earlier } = wish;
      const student = wish.adapter === null ? plainStudent() : (changes.student ?? taughtStudent());
      const dataset = { ...{ version: '1', prompts: 'abc', model: setup.model }, settings, seed, adapter };
      const request = { setup: dataset, samples, log, earlier, heldout };
      return yield* generateDataset(request, portsOf(corpusOf(corpus), { student }), signal);
    },
    writerPairs: () => Promise.resolve(changes.own ?? []),
    writePairs: async (file, pairs) => {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, await trlLines(pairs, null, never));
    },
    async *train(wish, signal) {
      trained.push(wish);
      await mkdir(wish.out, { recursive: true });
      const metrics = { 'rewards/chosen': 0, 'rewards/rejected': 0, 'rewards/accuracies': 0.9 };
      for (const [at, loss] of (changes.losses ?? [2, 1.5]).entries()) {
        if (signal.aborted) throw new PreflexorError('cancelled', 'Stopped.');
        const line = {
          event: 'eval',
          seq: at,
          step: at + 1,
          records: 2,
          loss,
          'rewards/margins': at,
          ...metrics,
        } as const;
        await appendFile(path.join(wish.out, 'log.jsonl'), `${JSON.stringify(line)}\n`);
        yield line;
      }
      const adapter = `phase-${wish.phase}-adapter`;
      await writeFile(path.join(wish.out, 'result.json'), JSON.stringify({ adapter }));
      yield { event: 'done', adapter, gguf: '', peft: '', step: 2, stopped: false, heldout: null };
    },
    measure: ({ phase }) => Promise.resolve(changes.series?.shift() ?? (changes.measurements ?? good)[phase]),
    judged: (adapter, { offered }) => {
      judged.push(`${adapter} ${String(offered)}`);
      return Promise.resolve();
    },
  };
  return {
    request: { folder: place, setup, ignored: changes.ignored ?? [] },
    ports,
    datasets,
    trained,
    judged,
  };
}

/** Has learnt the form: two answers in turn, one of them better. */
function taughtStudent(): TalkingModel {
  let at = 0;
  return new TalkingModel(() => {
    at += 1;
    return at % 2 === 0
      ? '<|thinking|>\nIt has layers.\n<|/thinking|>\n\nThe toughness comes from layers that slide, and from weak bonds that break and form anew.'
      : '<|thinking|>\nWho knows.\n<|/thinking|>\n\nNobody can say for sure where any of this is from in the end.';
  });
}

async function run(
  { request, ports }: World,
  signal = never,
): Promise<{ events: TeachEvent[]; report: TeachReport }> {
  const events: TeachEvent[] = [];
  const work = teach(request, ports, signal);
  for (;;) {
    const step = await work.next();
    if (step.done) return { events, report: step.value };
    events.push(step.value);
  }
}

function pairsIn(text: string): { prompt: string; chosen: string }[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { prompt: { content: string }[]; chosen: { content: string }[] })
    .map(({ prompt, chosen }) => ({ prompt: prompt[0]?.content ?? '', chosen: chosen[0]?.content ?? '' }));
}

test('given notes, when teaching runs, then it goes from data over both phases to a verdict, with the report and its curves', async (t) => {
  const all = await world(t);
  const { events, report } = await run(all);
  assert.deepEqual(
    events
      .filter(({ event }) => event === 'stage')
      .map((event) => ('stage' in event ? `${event.stage} ${event.phase}` : '')),
    ['dataset 1', 'training 1', 'gate 1', 'dataset 2', 'training 2', 'gate 2'],
  );
  assert.deepEqual(all.judged, ['phase-1-adapter true', 'phase-2-adapter true']);
  assert.deepEqual([report.offered, report.adapter], [true, 'phase-2-adapter']);
  const { folder } = all.request;
  assert.deepEqual(
    TeachReport.parse(JSON.parse(await readFile(path.join(folder, 'report.json'), 'utf8'))),
    report,
  );
  const markdown = await readFile(path.join(folder, 'report.md'), 'utf8');
  assert.match(markdown, /\*\*Offered\*\*: `phase-2-adapter`/);
  assert.ok(report.plots.includes('phase-1-margins.svg') && report.plots.includes('held-out.svg'));
  for (const plot of report.plots) assert.match(await readFile(path.join(folder, plot), 'utf8'), /^<svg /);
  assert.equal(events.at(-1)?.event, 'verdict');
});

test('given phase II, when its data is made, then the phase I model answers the questions of phase I, best against worst, and it starts from that model', async (t) => {
  const all = await world(t);
  await run(all);
  assert.deepEqual(
    all.datasets.map(({ adapter, settings }) => [adapter, settings.phase, settings.answers]),
    [
      [null, 1, 0],
      ['phase-1-adapter', 2, 2],
    ],
  );
  assert.deepEqual(
    all.trained.map(({ adapter, settings }) => [adapter, settings.mask]),
    [
      [null, 'none'],
      ['phase-1-adapter', 'thinking+reflection'],
    ],
  );
  const [first = '', second = ''] = await Promise.all(
    all.trained.map(({ pairs }) => readFile(pairs, 'utf8')),
  );
  assert.deepEqual(
    pairsIn(second).map(({ prompt }) => prompt),
    pairsIn(first).map(({ prompt }) => prompt),
  );
  assert.ok(pairsIn(second).every(({ chosen }) => chosen.endsWith('form anew.')));
});

test('given a run that was broken off in phase II, when it is done again, then what is done stays and it goes on from there', async (t) => {
  const all = await world(t);
  const stop = new AbortController();
  const work = teach(all.request, all.ports, stop.signal);
  for (;;) {
    const step = await work.next();
    assert.ok(step.done !== true);
    if (step.value.event === 'stage' && step.value.phase === 2) break;
  }
  stop.abort();
  await assert.rejects(work.next(), (error) => PreflexorError.is(error, 'cancelled'));
  const again = await world(t, {}, all.request.folder);
  const { report } = await run(again);
  assert.equal(report.offered, true);
  assert.deepEqual(
    again.trained.map(({ phase }) => phase),
    [2],
  );
  await assert.rejects(
    run(await world(t, { settings: ['answers=3'] }, all.request.folder)),
    (error) => PreflexorError.is(error, 'bad-input') && error.message.includes('other settings'),
  );
});

test('given several refreshes, when they run, then each starts from the adapter before it, with the held-out pairs of the first', async (t) => {
  const all = await world(t, { settings: ['refreshes=2'] });
  await run(all);
  const [first, second] = all.trained;
  assert.deepEqual([first?.adapter, second?.adapter], [null, 'phase-1-adapter']);
  assert.ok(first?.heldout !== null && first?.heldout === second?.heldout && first?.pairs !== second?.pairs);
  assert.notEqual(all.datasets[0]?.seed, all.datasets[1]?.seed);
});

test('given a refresh that undoes what the one before had learnt, when it is measured, then the run is paused with the reason, and goes on when that is ignored', async (t) => {
  const settings = ['refreshes=3'];
  const all = await world(t, { settings, series: [measured(1, 0.9), measured(1, 0.4)] });
  const error = await run(all).catch((thrown: unknown) => thrown);
  assert.ok(PreflexorError.is(error, 'paused'));
  assert.match(error.message, /After refresh 2 the model begins with its thinking on 40 %.*90 % at best/);
  assert.deepEqual(all.trained.length, 2);
  const again = await world(t, { settings, ignored: ['marker-adoption'] }, all.request.folder);
  const { report } = await run(again);
  assert.equal(report.offered, true);
  // What had been measured is not measured again.
  assert.ok(report.watch.some(({ says }) => says.includes('After refresh 2') && says.includes('40 %')));
});

test('given pairs of the writer’s own, when a phase is trained, then they count as often as their weight says, and those held out are not trained on', async (t) => {
  const plain = await world(t);
  await run(plain);
  const [line = ''] = (await readFile(plain.trained[0]?.pairs ?? '', 'utf8')).split('\n');
  const { meta } = JSON.parse(line) as { meta: PreferencePair };
  const pair = (split: PreferencePair['split'], chosen: string): PreferencePair => ({
    ...meta,
    ...{ split, chosen, rejected: 'No.', prompt: [{ role: 'user', content: 'What did I mean?' }] },
  });
  const own = [pair('train', 'This, for sure.'), pair('held-out', 'That, for sure.')];
  const all = await world(t, { own, settings: ['writerWeight=3'] });
  const { report } = await run(all);
  const [trained] = all.trained;
  const chosen = pairsIn(await readFile(trained?.pairs ?? '', 'utf8')).map((one) => one.chosen);
  assert.equal(chosen.filter((text) => text === 'This, for sure.').length, 3);
  assert.ok(!chosen.includes('That, for sure.'));
  assert.ok((await readFile(trained?.heldout ?? '', 'utf8')).includes('That, for sure.'));
  assert.equal(report.phases[0]?.writerPairs, 1);
});

test('given a phase that did not pass, when the run ends, then nothing is offered that builds on it, and the report says why', async (t) => {
  const all = await world(t, { measurements: { ...good, 1: measured(1, 0.4) } });
  const { report } = await run(all);
  assert.deepEqual([report.offered, report.adapter], [false, null]);
  assert.match(report.why, /Phase I: Kept, not offered.*so its adapter is kept too/);
  const second = await world(t, { measurements: { ...good, 2: measured(2, 0.2) } });
  const { report: other } = await run(second);
  assert.deepEqual([other.offered, other.adapter], [true, 'phase-1-adapter']);
});

test('given a phase I model that does not write the sections by itself, when phase II is taught, then they are opened for it, a verdict is reached, and the report says so', async (t) => {
  let answers = 0;
  const student = new TalkingModel(({ prefix }) => {
    if (prefix === '') return 'I would rather not think about that at all, whatever it may be.';
    if (!prefix.endsWith('\n\n')) return 'It has layers.';
    answers += 1;
    // One in three answers is empty: it is no answer, and is asked for again.
    if (answers % 3 === 0) return '';
    return answers % 3 === 1
      ? 'The toughness comes from layers that slide, and from weak bonds that break and form anew.'
      : 'Nobody can say for sure where any of this is from in the end.';
  });
  const all = await world(t, { student });
  const { report } = await run(all);
  const [, second] = report.phases;
  assert.deepEqual([second?.kept, second?.enforced, second?.failed], [10, 10, null]);
  assert.ok(second?.verdict);
  assert.match(
    await readFile(path.join(all.request.folder, 'report.md'), 'utf8'),
    /sections by itself in 0 of 10 samples/,
  );
  const prefixes = student.requests.map(({ prefix }) => prefix).filter((prefix) => prefix !== '');
  assert.ok(prefixes.includes('<|thinking|>\n'));
  assert.ok(prefixes.some((prefix) => /^<\|thinking\|>\n[^<]+\n<\|\/thinking\|>\n\n$/.test(prefix)));
  const trained = pairsIn(await readFile(all.trained[1]?.pairs ?? '', 'utf8'));
  assert.ok(trained.every(({ chosen }) => chosen.startsWith('<|thinking|>\n') && chosen.endsWith('anew.')));
});

test('given a phase I model that says nothing, when phase II is to be taught, then it says so and phase I’s adapter is offered', async (t) => {
  const student = new TalkingModel(() => '');
  const { report } = await run(await world(t, { student }));
  assert.deepEqual([report.offered, report.adapter], [true, 'phase-1-adapter']);
  assert.match(
    report.phases[1]?.failed ?? '',
    /No pair was left to train on: All 10 samples failed their checks: 10 structure/,
  );
});

test('given a held-out loss that rises, when it is trained, then the run is paused with the reason, and goes on when that is ignored', async (t) => {
  const losses = [2, 1, 3, 4];
  const all = await world(t, { losses });
  const error = await run(all).catch((thrown: unknown) => thrown);
  assert.ok(PreflexorError.is(error, 'paused'));
  assert.match(error.message, /After step 3 the held-out loss is 3\.000, and was 1\.000 at its lowest/);
  assert.match(error.remedy ?? '', /--ignore heldout-loss/);
  const again = await world(t, { losses, ignored: ['heldout-loss'] }, all.request.folder);
  assert.equal((await run(again)).report.offered, true);
});
