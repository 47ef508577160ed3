// Experiment 1: does thinking and reflection work on a simple question? The model is asked once with nothing enforced,
// and once as the recursion's draft, whose sections are opened and closed for it.
import { z } from 'zod';
import { SegmentKind, SegmentProblem, type Iteration, type Segment } from '../../protocol/index.ts';
import { Conversation, readSegments } from '../../reasoning/index.ts';
import { answerByRecursion, answerPlainly, taskOf } from '../asking.ts';
import { unitsOf, type Experiment } from '../experiment.ts';
import { chartOf, figure } from '../figures.ts';

const Section = z.object({ kind: SegmentKind, text: z.string(), problems: z.array(SegmentProblem) });
type Section = z.infer<typeof Section>;

const StructureResult = z.object({
  free: z.object({ text: z.string(), truncated: z.boolean(), sections: z.array(Section) }),
  enforced: z.object({ sections: z.array(Section) }),
});
type StructureResult = z.infer<typeof StructureResult>;

const draftOnly = { iterations: 0, scoring: false, runsAllRounds: false };
const ways = { free: 'by itself', enforced: 'enforced' } as const;
type Way = keyof typeof ways;

export const structure: Experiment<StructureResult> = {
  name: 'structure',
  title: 'Thinking and reflection on a simple question',
  result: StructureResult,
  measures: 'questions',
  needsAnswers: false,
  ownCritic: false,
  units: (questions, models) => unitsOf(questions, models, 'ask'),

  async run({ question }, { asking }, signal) {
    const task = taskOf(asking, question, draftOnly);
    const opening = new Conversation({ ...task, passages: [], nothingRelevant: false }).opening();
    const free = await answerPlainly(asking, opening, question.id, signal);
    const { markers } = await asking.model.load(signal);
    const run = await answerByRecursion(asking, question, draftOnly, signal);
    return {
      free: { ...free, sections: sectionsOf(readSegments(free.text, markers)) },
      enforced: { sections: sectionsOf(draftOf(run.iterations)) },
    };
  },

  findings(done, { share }) {
    const results = done.map(({ result }) => result);
    const found = Object.entries(ways).flatMap(([way, name]) =>
      [...SegmentKind.options, 'all three' as const].map((what) =>
        figure(name, what, share(results.map((result) => has(result[way as Way].sections, what)))),
      ),
    );
    const closed = SegmentKind.options.map((kind) =>
      figure(kind, 'closed by the model', share(results.flatMap(({ enforced }) => closedIn(enforced, kind)))),
    );
    return [
      {
        title: 'Structure found',
        text: 'Share of questions whose text has the section, with words in it. By itself: the model was asked to think, reflect and answer, and wrote what it wrote. Enforced: each section was opened for it, so that only an empty section counts as missing.',
        figures: found,
        chart: chartOf(found, {
          ...{ kind: 'bars', title: 'Structure found', range: [0, 1] },
          ...{ xLabel: 'How it was asked', yLabel: 'Share of questions' },
        }),
      },
      {
        title: 'Sections that end by themselves',
        text: 'Share of enforced sections that the model ended, rather than its token budget or the start of another section.',
        figures: closed,
        chart: chartOf(closed, {
          ...{ kind: 'bars', title: 'Sections that end by themselves', range: [0, 1] },
          ...{ xLabel: 'Section', yLabel: 'Share of sections' },
        }),
      },
    ];
  },
};

function draftOf(iterations: readonly Iteration[]): readonly Segment[] {
  return iterations[0]?.segments ?? [];
}

function sectionsOf(segments: readonly Segment[]): Section[] {
  return segments.map(({ kind, text, problems }) => ({ kind, text, problems }));
}

function has(sections: readonly Section[], what: SegmentKind | 'all three'): boolean {
  if (what === 'all three') return SegmentKind.options.every((kind) => has(sections, kind));
  return sections.some(({ kind, text }) => kind === what && text.trim() !== '');
}

function closedIn({ sections }: { readonly sections: readonly Section[] }, wanted: SegmentKind): boolean[] {
  return sections
    .filter(({ kind }) => kind === wanted)
    .map(({ problems }) => !problems.includes('truncated') && !problems.includes('nested'));
}
