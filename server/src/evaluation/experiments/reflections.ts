// Experiment 8: how good are reflections? One is good when it names a concrete defect that the next thinking removes.
// The critic says which sentence of the thinking the defect is; that must be a quotation, and the text must be gone.
import { z } from 'zod';
import type { GenerateRequest } from '../../protocol/index.ts';
import { plainWords } from '../answers.ts';
import { answerByRecursion, complete } from '../asking.ts';
import { unitsOf, type Done, type Experiment, type Reading } from '../experiment.ts';
import { chartOf, figure, type Finding } from '../figures.ts';
import type { Judging } from '../judge.ts';
import { seedFor } from '../random.ts';
import { iterationName, IterationRecord, iterationRecord } from './iterationRecord.ts';

const Reflected = z.object({
  /** Whose reflection it is. */
  iteration: z.int().nonnegative(),
  /** Whether it found anything that the next round set out to mend. */
  said: z.boolean(),
  /** The defective sentence, in the critic's words; empty: it says that none is named. null: its JSON was cut off. */
  sentence: z.string().nullable(),
  /** Whether that stands in the thinking. */
  isQuote: z.boolean(),
  /** Whether the next thinking is without it. null: there is no quotation to look for. */
  removed: z.boolean().nullable(),
  /** The other sentences of that thinking, and how many of them the next one is without. */
  others: z.object({ count: z.int().nonnegative(), removed: z.int().nonnegative() }),
});
type Reflected = z.infer<typeof Reflected>;

const ReflectionsResult = z.object({
  iterations: z.array(IterationRecord),
  reflections: z.array(Reflected),
});
type ReflectionsResult = z.infer<typeof ReflectionsResult>;

const sentenceSchema: NonNullable<GenerateRequest['jsonSchema']> = {
  type: 'object',
  properties: { sentence: { type: 'string' } },
};
const Sentence = z.object({ sentence: z.string() });
const sentenceTokens = 200;

/** Fewer words are no sentence, and stand in any text. */
const leastWords = 3;

export const reflections: Experiment<ReflectionsResult> = {
  name: 'reflections',
  title: 'Quality of reflections',
  result: ReflectionsResult,
  measures: 'questions',
  needsAnswers: false,
  ownCritic: false,
  units: (questions, models) => unitsOf(questions, models, 'ask'),

  async run({ question }, { asking, judging, iterations }, signal) {
    const rounds = { iterations: Math.max(1, iterations), scoring: false, runsAllRounds: true };
    const run = await answerByRecursion(asking, question, rounds, signal);
    const records = run.iterations.map(iterationRecord);
    const found: Reflected[] = [];
    for (const [at, next] of records.slice(1).entries()) {
      const before = records[at];
      if (before) found.push(await reflected(before, next, judging, signal));
    }
    return { iterations: records, reflections: found };
  },

  findings: (done, reading) => [byCritic(done, reading), byWriter(reading)],
};

async function reflected(
  before: IterationRecord,
  next: IterationRecord,
  judging: Judging,
  signal: AbortSignal,
): Promise<Reflected> {
  const said = next.mendsReflection;
  const sentence = said ? await defectiveSentence(before, judging, signal) : '';
  return { iteration: before.index, said, sentence, ...whatBecame(sentence, before.thinking, next.thinking) };
}

async function defectiveSentence(
  { thinking, reflection }: IterationRecord,
  { critic, seed, temperature }: Judging,
  signal: AbortSignal,
): Promise<string | null> {
  const text = `A text:\n<<<\n${unquotable(thinking)}\n>>>\n\nA reviewer says of it:\n<<<\n${unquotable(reflection)}\n>>>\n\nWhich sentence of the text does the reviewer find wrong, doubtful or incomplete? Copy that one sentence word by word out of the text. Where the reviewer names no defect of any sentence, leave it empty. Write JSON with the name "sentence" and nothing else.`;
  const messages = [{ role: 'user' as const, text }];
  const { text: written } = await complete(
    critic,
    {
      ...{ messages, temperature, maxTokens: sentenceTokens, jsonSchema: sentenceSchema },
      seed: seedFor(seed, 'defect'),
    },
    signal,
  );
  try {
    const decoded = Sentence.safeParse(JSON.parse(written));
    return decoded.success ? decoded.data.sentence : null;
  } catch {
    return null;
  }
}

/**
 * Looks a sentence up in a thinking and in the next one, by its words. A text longer than the longest sentence of the
 * thinking is no sentence of it: a quotation of everything would always be gone.
 */
export function whatBecame(
  sentence: string | null,
  thinking: string,
  next: string,
): Pick<Reflected, 'isQuote' | 'removed' | 'others'> {
  const sentences = sentencesOf(thinking);
  const quoted = plainWords(sentence ?? '');
  const longest = Math.max(0, ...sentences.map((one) => one.split(' ').length));
  const length = quoted.split(' ').length;
  const isQuote = length >= leastWords && length <= longest && stands(quoted, plainWords(thinking));
  const after = plainWords(next);
  const others = sentences.filter((one) => !isQuote || !(stands(quoted, one) || stands(one, quoted)));
  return {
    isQuote,
    removed: isQuote ? !stands(quoted, after) : null,
    others: { count: others.length, removed: others.filter((one) => !stands(one, after)).length },
  };
}

/** Sentences of three words or more, as their words. */
function sentencesOf(text: string): string[] {
  const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });
  return [...segmenter.segment(text)]
    .map(({ segment }) => plainWords(segment))
    .filter((words) => words.split(' ').length >= leastWords);
}

/** Whether these words stand in those, as whole words and in their order. */
function stands(words: string, text: string): boolean {
  return ` ${text} `.includes(` ${words} `);
}

function byCritic(done: readonly Done<ReflectionsResult>[], { setup, share, estimate }: Reading): Finding {
  const all = done.flatMap(({ result }) => result.reflections);
  const rows = ['all', ...Array.from({ length: Math.max(1, setup.iterations) }, (_, index) => index)].map(
    (row) => ({
      name: typeof row === 'number' ? iterationName(row) : row,
      rows: all.filter(({ iteration }) => row === 'all' || iteration === row),
    }),
  );
  const figures = rows.flatMap(({ name, rows: some }) => {
    const quoted = some.filter(({ isQuote }) => isQuote);
    const others = some.flatMap(({ others: { count, removed } }) => (count === 0 ? [] : [removed / count]));
    return [
      figure(name, 'names a defect that is removed', share(some.map(({ removed }) => removed === true))),
      figure(name, 'names a defect (a real quotation)', share(some.map(({ isQuote }) => isQuote))),
      figure(name, 'named sentence removed', share(quoted.map(({ removed }) => removed === true))),
      figure(name, 'other sentences removed', estimate(others)),
    ];
  });
  return {
    title: 'Defects named and removed',
    text: 'Of all reflections that a next thinking followed. The critic is asked to copy the sentence of the thinking that the reflection finds fault with; only a real quotation of one sentence counts, and it counts as removed when its words no longer stand in the next thinking. The next thinking is written anew, so much is gone that nobody found fault with: only where named sentences go more often than the others do the reflections steer it.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'Defects named and removed', range: [0, 1] },
      ...{ xLabel: 'Reflection of iteration', yLabel: 'Share, 95 % interval' },
    }),
  };
}

function byWriter({ decisions, estimate }: Reading): Finding {
  const marks = decisions.records.flatMap(({ kind, rating, iteration }) =>
    kind === 'rate' && rating ? [{ ...rating, iteration }] : [],
  );
  const figures = (['thinking', 'reflection', 'answer'] as const).flatMap((section) => {
    const own = marks
      .filter(({ segment }) => segment === section)
      .map(({ value }) => (value === 'up' ? 1 : 0));
    return own.length === 0 ? [] : [figure(section, 'rated up', estimate(own))];
  });
  return {
    title: 'The writer’s own ratings',
    text:
      figures.length === 0
        ? 'The ledger of this workspace holds no ratings.'
        : 'The share of ratings in this workspace’s ledger that are up.',
    figures,
    chart: chartOf(figures, {
      ...{ kind: 'bars', title: 'The writer’s own ratings', range: [0, 1] },
      ...{ xLabel: 'Section', yLabel: 'Share, 95 % interval' },
    }),
  };
}

function unquotable(text: string): string {
  return text.trim().replaceAll('<<<', '< < <').replaceAll('>>>', '> > >');
}
