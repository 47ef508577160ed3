// The report of an experiment: what JSON, markdown and plots say of the same figures. Pure.
import {
  experimentNames,
  type EvaluationReport,
  type EvaluationSetup,
  type Figure,
  type UnitMakers,
} from '../protocol/index.ts';
import { svgOf } from './chart/index.ts';
import type { Finding } from './figures.ts';
import type { FailedLine, UnitLine } from './journal.ts';

/** A model with fewer parameters can't be asked how good a method is. */
const smallParameters = 1e9;

/** With fewer questions intervals are wide, whatever they say. */
const fewQuestions = 30;

type Measures = 'questions' | 'samples' | 'pairs';

export interface ReportParts {
  readonly title: string;
  readonly setup: EvaluationSetup;
  readonly measures: Measures;
  readonly finished: readonly UnitLine[];
  readonly failed: readonly FailedLine[];
  readonly findings: readonly Finding[];
}

/** The report, and the SVG files that it names. */
export function reportOf({ title, setup, measures, finished, failed, findings }: ReportParts): {
  readonly report: EvaluationReport;
  readonly plots: ReadonlyMap<string, string>;
} {
  const plots = new Map<string, string>();
  const sections = findings.map(({ title: heading, text, figures, chart }, at) => {
    const plot = chart === null ? null : `${at + 1}-${slug(heading)}.svg`;
    if (plot !== null && chart !== null) plots.set(plot, svgOf(chart));
    return { title: heading, text, figures: [...figures], plot };
  });
  const makers = distinct(finished.map(({ by }) => by));
  const report: EvaluationReport = {
    schema: 1,
    experiment: setup.experiment,
    number: experimentNames[setup.experiment],
    ...{ title, setup, makers },
    units: { finished: finished.length, failed: failed.length },
    seconds: finished.reduce((sum, { seconds }) => sum + seconds, 0),
    sections,
    cautions: cautionsOf(setup, makers, failed.length, measures),
    failures: failed.map(({ unit, why }) => ({ unit, why })),
  };
  return { report, plots };
}

function distinct(makers: readonly UnitMakers[]): UnitMakers[] {
  return [...new Map(makers.map((maker) => [JSON.stringify(maker), maker])).values()];
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** Experiments whose parts are made by different files or adapters because these are compared. */
const comparing: readonly string[] = ['models', 'training'];

const seedCaution: Readonly<Record<Measures, string>> = {
  questions:
    'One seed was sampled for each question; intervals are over questions, and say nothing of other seeds.',
  samples: 'One seed was sampled; intervals are over samples, and say nothing of other seeds.',
  pairs:
    'Each run was trained once, with one seed; intervals are over held-out pairs, and say nothing of other seeds.',
};

/** What does not follow from the numbers, said plainly. */
export function cautionsOf(
  setup: EvaluationSetup,
  makers: readonly UnitMakers[],
  failed: number,
  measures: Measures,
): string[] {
  const { count } = setup.questions;
  const small = makers.find(({ parameters }) => parameters > 0 && parameters < smallParameters);
  const own =
    measures !== 'pairs' &&
    makers.some(
      ({ model, critic, adapter, criticAdapter }) =>
        model.id === critic.id && model.sha256 === critic.sha256 && adapter === criticAdapter,
    );
  const unhashed = makers.some(({ model }) => model.sha256 === '');
  return [
    ...(small
      ? [
          `${small.model.id} has ${Math.round(small.parameters / 1e6)} million parameters: with a model this small nothing about the quality of a method follows; the report shows that the experiment runs.`,
        ]
      : []),
    ...(count < fewQuestions
      ? [
          `${count === 1 ? `One ${measures.slice(0, -1)} is` : `${count} ${measures} are`} few: other ${measures} could turn the order round.`,
        ]
      : []),
    ...(own ? ['The critic is the very model that is judged: it marks its own texts.'] : []),
    ...(unhashed ? ['A server does not say which file it runs: its model has a name and no hash.'] : []),
    ...(!comparing.includes(setup.experiment) && makers.length > 1
      ? [
          'Parts were made with different files or adapters (Setup): the folder was gone on with after a change.',
        ]
      : []),
    ...(failed > 0 ? [`${failed} could not be done and are missing from all figures.`] : []),
    seedCaution[measures],
  ];
}

/** The report for people. Names out of files and models are shown as code, so that they are no markup. */
export function markdownOf(report: EvaluationReport): string {
  return [
    `# Experiment ${report.number}: ${report.title}`,
    ...report.cautions
      .map((caution) => `> ${plain(caution)}`)
      .flatMap((line) => [line, '>'])
      .slice(0, -1),
    ...setupLines(report),
    ...report.sections.flatMap(({ title, text, figures, plot }) => [
      `## ${plain(title)}`,
      plain(text),
      ...(plot === null ? [] : [`![${plain(title)}](${plot})`]),
      ...(figures.length === 0 ? [] : [figureTable(figures)]),
    ]),
    ...(report.failures.length === 0
      ? []
      : ['## Not done', ...report.failures.map(({ unit, why }) => `- ${code(unit)}: ${plain(why)}`)]),
  ]
    .reduce(
      (text, block) =>
        text + (/^[>|-]/.test(block) && /(^|\n)[>|-][^\n]*$/.test(text) ? '\n' : '\n\n') + block,
    )
    .concat('\n');
}

function setupLines({ setup, makers, units, seconds }: EvaluationReport): string[] {
  const { sampler, questions, work } = setup;
  const models = makers.map(
    ({ model, adapter, backend, critic }) =>
      `- Model: ${identity(model)}${adapter === null ? '' : `, adapter ${code(adapter)}`}, on ${code(backend)}; critic ${identity(critic)}`,
  );
  return [
    '## Setup',
    ...models,
    ...(work ? [`- Numbers: ${code(JSON.stringify(work))}`] : []),
    `- Measured on: ${questions.count} from ${code(questions.source)} (sha256 ${code(questions.sha256.slice(0, 12))}); ${units.finished} units done, ${units.failed} not`,
    // Where it is work of its own, its numbers say what was sampled, and nothing reasons.
    ...(work
      ? [`- Seed: ${setup.seed}`]
      : [
          `- Iterations: ${setup.iterations} after the draft`,
          `- Seed: ${setup.seed}; temperature ${sampler.temperature}, critic ${sampler.criticTemperature ?? sampler.temperature}`,
          `- Token budgets: thinking ${sampler.thinkingTokens}, reflection ${sampler.reflectionTokens}, answer ${sampler.answerTokens}`,
        ]),
    `- Prompts: ${code(setup.prompts)}; program ${code(setup.version)}; ${Math.round(seconds)} s of work`,
    '- Intervals: 95 %; of shares Wilson’s, of other means the percentile bootstrap with 2,000 resamples',
  ];
}

function identity({ id, sha256 }: UnitMakers['model']): string {
  return `${code(id)}${sha256 === '' ? '' : ` (sha256 ${code(sha256.slice(0, 12))})`}`;
}

function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ of, what, n, mean, low, high, deviation }) =>
      `| ${plain(of)} | ${plain(what)} | ${n} | ${number(mean)} | ${low === null ? '–' : `${number(low)} to ${number(high)}`} | ${number(deviation)} |`,
  );
  return [
    '| of | what | n | mean | 95 % interval | standard deviation |',
    '| --- | --- | --: | --: | --- | --: |',
    ...rows,
  ].join('\n');
}

function number(value: number | null): string {
  return value === null ? '–' : value.toFixed(Math.abs(value) >= 100 ? 0 : 3);
}

/** Markdown's own signs are taken for what they are. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, '\\$&').replace(/\s+/g, ' ');
}

function code(text: string): string {
  return `\`${text.replace(/[`\s|]+/g, ' ')}\``;
}
