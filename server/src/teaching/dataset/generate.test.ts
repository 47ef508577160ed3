// Whole datasets with models that write what they are told to: what is kept, why not, and that it always ends.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import type { DatasetSample, SampleProblem } from '../../protocol/index.ts';
import { importPairs } from '../../preferences/index.ts';
import { decodePair } from '../../training/index.ts';
import { corpusOf, goodTeacher, notes, plainStudent, portsOf, setupOf } from '../testing/corpus.ts';
import { TalkingModel } from '../testing/talkingModel.ts';
import { generateDataset, type Dataset, type DatasetRequest } from './generate.ts';
import { pairsOfSamples, trlLines } from './pairs.ts';
import type { DatasetPorts } from './ports.ts';

const never = new AbortController().signal;

async function requestIn(t: TestContext, request: Partial<DatasetRequest> = {}): Promise<DatasetRequest> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-dataset-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return {
    setup: setupOf(),
    samples: 8,
    log: join(folder, 'log.jsonl'),
    earlier: null,
    heldout: null,
    ...request,
  };
}

async function made(request: DatasetRequest, ports: DatasetPorts, signal = never): Promise<Dataset> {
  const events = generateDataset(request, ports, signal);
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
  }
}

function kept({ samples }: Pick<Dataset, 'samples'>): DatasetSample[] {
  return samples.filter((sample) => sample.kept);
}

test('given notes, when a dataset is made, then each pair asks as it is trained to be asked, prefers the grounded answer, and says where it is from', async (t) => {
  const student = plainStudent();
  const ports = portsOf(corpusOf(notes(6)), { student });
  const dataset = await made(await requestIn(t), ports);
  assert.equal(dataset.end.why, 'enough');
  assert.equal(kept(dataset).length, 8);
  for (const sample of kept(dataset)) {
    assert.match(sample.prompt[0]?.content ?? '', /\? Use <\|thinking\|>\.$/);
    assert.match(
      sample.chosen,
      /^<\|thinking\|>\n\*\*Reasoning steps\*\*\n- The layers of .+\n<\|\/thinking\|>\n\nThe toughness of/,
    );
    assert.equal(
      sample.rejected,
      'There are many reasons for this, and researchers around the world look into them.',
    );
    assert.deepEqual(sample.evidence[0], {
      ...{ id: sample.evidence[0]?.id, source: sample.note.path },
      ...sample.note.range,
    });
  }
  const bare = student.requests.map(({ messages }) => messages.at(-1)?.text);
  assert.ok(bare.every((question) => question?.endsWith('layers?')));
});

test('given notes, when they are split, then no note is on both sides, nothing is looked up across, and each side has its share', async (t) => {
  const chunks = notes(8, 3);
  const corpus = corpusOf(chunks);
  const searched: (readonly string[])[] = [];
  const search: typeof corpus.search = (query, k, leftOut, signal) => {
    searched.push(leftOut);
    return corpus.search(query, k, leftOut, signal);
  };
  const dataset = await made(await requestIn(t, { samples: 12 }), portsOf({ ...corpus, search }));
  const bySplit = Map.groupBy(kept(dataset), ({ split }) => split);
  const notesOf = (side: 'train' | 'held-out') => new Set(bySplit.get(side)?.map(({ note }) => note.path));
  assert.equal(bySplit.get('held-out')?.length, 3);
  const trained = notesOf('train');
  assert.ok([...notesOf('held-out')].every((note) => !trained.has(note)));
  const heldout = new Set(searched.find((leftOut) => leftOut.length > 0));
  assert.ok([...notesOf('held-out')].every((note) => heldout.has(note)));
  for (const sample of bySplit.get('train') ?? [])
    assert.ok(sample.evidence.every(({ source }) => !heldout.has(source)));
});

test('given pairs of a dataset, when they are written, then training and the import of pairs read them without loss', async (t) => {
  const request = await requestIn(t);
  const pairs = pairsOfSamples((await made(request, portsOf(corpusOf(notes(6))))).samples);
  const text = await trlLines(pairs, null, never);
  for (const [at, line] of text.trim().split('\n').entries()) {
    const decoded = decodePair(line, at + 1);
    assert.ok('chosen' in decoded);
    assert.equal(decoded.chosen, pairs[at]?.chosen);
  }
  const file = `${request.log}.pairs.jsonl`;
  await writeFile(file, text);
  const imported = await importPairs(file, { now: 0, split: { share: 0, since: null } }, never);
  assert.deepEqual([imported.refused, imported.pairs], [[], pairs]);
});

test('given phase 2, when a dataset is made, then chosen answers carry thinking and reflection', async (t) => {
  const setup = setupOf({ phase: 2 });
  const dataset = await made(await requestIn(t, { setup }), portsOf(corpusOf(notes(6))));
  assert.ok(kept(dataset).length > 0);
  for (const { chosen } of kept(dataset))
    assert.match(chosen, /<\|\/thinking\|>\n\n<\|reflect\|>\n.+\n<\|\/reflect\|>/s);
});

test('given several answers, when they are compared, then the best with the sections stands against the worst', async (t) => {
  const first = await requestIn(t);
  const earlier = (await made(first, portsOf(corpusOf(notes(6))))).samples;
  let at = 0;
  const answers = [
    '<|thinking|>\nIt has layers.\n<|/thinking|>\n\nNobody can say for sure what it comes from in the end.',
    '<|thinking|>\nIt has layers.\n<|/thinking|>\n\nToughness comes from layers that slide and weak bonds that break and form anew.',
    'Researchers around the world look into many questions of this kind.',
  ];
  const student = new TalkingModel(() => answers[at++ % answers.length] ?? '');
  const setup = setupOf({ phase: 2, answers: 3 });
  const ports = portsOf(corpusOf(notes(6)), { student });
  const dataset = await made({ ...first, setup, earlier, log: `${first.log}.2` }, ports);
  assert.equal(dataset.end.why, 'enough');
  assert.deepEqual(
    kept(dataset).map(({ question, split, chosen, rejected }) => [question, split, chosen, rejected]),
    earlier.map(({ question, split }) => [question, split, answers[1], answers[2]]),
  );
  assert.ok(student.requests.every(({ messages }) => messages[0]?.text.endsWith('Use <|thinking|>.')));
});

test('given a run that was killed in a line, when it is done again, then the line is cut off and the samples are those of an unbroken run', async (t) => {
  const request = await requestIn(t);
  const unbroken = await made(request, portsOf(corpusOf(notes(6))));
  const again = { ...request, log: `${request.log}.2` };
  const stop = new AbortController();
  const events = generateDataset(again, portsOf(corpusOf(notes(6))), stop.signal);
  for (let sample = 0; sample < 3; sample += 1) await events.next();
  stop.abort();
  await assert.rejects(events.next(), (error) => PreflexorError.is(error, 'cancelled'));
  await appendFile(again.log, '{"line":"sample","attempt":3,"quest');
  const resumed = await made(again, portsOf(corpusOf(notes(6))));
  const content = ({ samples }: Dataset) =>
    samples.map(({ time: _time, seconds: _seconds, ...rest }) => rest);
  assert.deepEqual(content(resumed), content(unbroken));
  assert.equal((await readFile(again.log, 'utf8')).trim().split('\n').length, unbroken.samples.length + 1);
});

test('given the log of another dataset, when it is gone on with, then it is refused with what differs', async (t) => {
  const request = await requestIn(t);
  await made(request, portsOf(corpusOf(notes(6))));
  await assert.rejects(
    made({ ...request, setup: setupOf({}, 2) }, portsOf(corpusOf(notes(6)))),
    (error) => PreflexorError.is(error, 'bad-input') && error.message.includes('seed'),
  );
});

/** Models that never make a usable sample, and what is said of it. */
const hopeless: readonly { name: string; problem: SampleProblem; ports: Partial<DatasetPorts> }[] = [
  { name: 'babbles', problem: 'no-question', ports: { teacher: new TalkingModel(() => 'bla '.repeat(90)) } },
  {
    name: 'stutters in its answers',
    problem: 'babble',
    ports: { teacher: teacherWith((asked) => (asked ? null : 'the layers slide and slide and '.repeat(20))) },
  },
  {
    name: 'declines',
    problem: 'refusal',
    ports: {
      teacher: teacherWith((asked) =>
        asked ? null : "I'm sorry, but I can't help with the toughness of layers.",
      ),
    },
  },
  {
    name: 'asks the same each time',
    problem: 'duplicate',
    ports: {
      teacher: teacherWith((asked) => (asked ? ' the toughness of layers follow from weak bonds?' : null)),
    },
  },
  { name: 'says what it was to be taught', problem: 'too-close', ports: { student: goodTeacherOfAll() } },
  { name: 'says nothing', problem: 'empty', ports: { student: new TalkingModel(() => ' ') } },
  {
    name: 'makes things up',
    problem: 'ungrounded',
    ports: {
      teacher: teacherWith((asked) =>
        asked ? null : 'Purple elephants regularly celebrate enormous birthdays somewhere tomorrow.',
      ),
    },
  },
  {
    name: 'writes markers of its own',
    problem: 'structure',
    ports: {
      teacher: teacherWith((asked) =>
        asked ? null : 'The toughness <|thinking|> of layers follows from weak bonds.',
      ),
    },
  },
];

/** The good teacher, but for its question (`asked`) or its answer. */
function teacherWith(other: (asked: boolean) => string | null): TalkingModel {
  const good = goodTeacher();
  return new TalkingModel((request) => {
    const said = request.jsonSchema ? null : other(request.stop.length > 0);
    return said ?? good.say(request);
  });
}

function goodTeacherOfAll(): TalkingModel {
  return new TalkingModel(({ messages }) => {
    const thing = /toughness of (.+?) depend/.exec(messages.at(-1)?.text ?? '')?.[1] ?? '';
    return `The toughness of ${thing} comes from layers that slide, and from weak bonds that break and form anew.`;
  });
}

for (const { name, problem, ports } of hopeless) {
  test(`given a model that ${name}, when a dataset is made, then it ends, and says "${problem}"`, async (t) => {
    const request = await requestIn(t, { samples: 30, setup: setupOf({ perChunk: 20 }) });
    const dataset = await made(request, portsOf(corpusOf(notes(6)), ports));
    assert.equal(dataset.end.why, 'samples-fail');
    assert.match(dataset.end.message, new RegExp(problem));
    assert.ok((dataset.refused[problem] ?? 0) >= 20, JSON.stringify(dataset.refused));
  });
}

test('given an empty corpus, or one of headings alone, when a dataset is made, then a sentence says that there is nothing to ask from', async (t) => {
  const headings = notes(3).map((chunk) => ({ ...chunk, readable: 'A heading' }));
  for (const chunks of [[], headings]) {
    await assert.rejects(
      made(await requestIn(t), portsOf(corpusOf(chunks))),
      (error) => PreflexorError.is(error, 'bad-input') && error.message.includes('no passage'),
    );
  }
});

test('given one file many times, when a dataset is made, then it counts once, nothing can be held out, and it ends when its passages are used up', async (t) => {
  const [original] = notes(1, 1);
  const copies = Array.from({ length: 9 }, (_, at) => ({
    ...original!,
    ...{ id: `copy${at}`, document: `copy${at}.md`, source: `copy${at}.md` },
  }));
  const dataset = await made(await requestIn(t), portsOf(corpusOf(copies)));
  assert.equal(dataset.end.why, 'passages-used-up');
  assert.match(dataset.end.message, /The 1 different passages/);
  assert.deepEqual(
    dataset.samples.map(({ split }) => split),
    ['train', 'train'],
  );
});

test('given a note that is deleted meanwhile, when its turn comes, then it is passed over with the reason', async (t) => {
  const dataset = await made(await requestIn(t), portsOf(corpusOf(notes(6), new Set(['note1.md']))));
  assert.equal(dataset.end.why, 'enough');
  assert.ok((dataset.refused['note-gone'] ?? 0) > 0);
  assert.ok(kept(dataset).every(({ note }) => note.path !== 'note1.md'));
});

test('given a corpus, when samples are drawn, then every passage has its turn before one has its second', async (t) => {
  const request = await requestIn(t, { samples: 12, setup: setupOf({ heldoutShare: 0 }) });
  const dataset = await made(request, portsOf(corpusOf(notes(6))));
  assert.deepEqual(dataset.diversity.chunks, { used: 12, of: 12 });
});

test('given a model, when samples are made, then it is asked to make way before each completion', async (t) => {
  let asked = 0;
  const [teacher, student] = [goodTeacher(), plainStudent()];
  const giveWay = (): Promise<void> => {
    asked += 1;
    return Promise.resolve();
  };
  await made(await requestIn(t), portsOf(corpusOf(notes(6)), { teacher, student, giveWay }));
  assert.equal(asked, teacher.requests.length + student.requests.length);
});
