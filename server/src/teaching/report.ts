// The report of a run for people. Pure; texts of the model are not in it, and names are shown as code.
import type { GateCheck, PhaseOutcome, TeachReport, WatchFinding } from '../protocol/index.ts';

export function teachMarkdown(report: TeachReport): string {
  const { setup, offered, adapter, why, phases, watch, plots } = report;
  return [
    '# What teaching came to',
    `**${offered ? 'Offered' : 'Not offered'}**${adapter === null ? '' : `: ${code(adapter)}`}. ${plain(why)}`,
    offered
      ? `Put it into use with ${code(`preflexor adapters use ${adapter ?? ''}`)}, and out of use with ${code('preflexor adapters use base')}.`
      : 'Adapters that were kept can be tried all the same: each phase below names its own.',
    ...setupLines(report),
    ...phases.flatMap(phaseLines),
    '## Watch list',
    watch.length === 0 ? 'Nothing was measured.' : watchTable(watch),
    ...(plots.length === 0
      ? []
      : ['## Curves', ...plots.map((plot) => `![${plain(plot.replace(/\.svg$/, ''))}](${plot})`)]),
    `Made by ${code('preflexor teach')} ${code(setup.version)}.`,
    '',
  ].join('\n\n');
}

function setupLines({ setup, seconds }: TeachReport): string[] {
  const { model, seed, settings } = setup;
  const small =
    'With a small model, and with few held-out pairs, nothing about the quality of the method follows.';
  return [
    '## Setup',
    [
      `- Model: ${code(model.id)} (sha256 ${code(model.sha256.slice(0, 12))}), seed ${seed}`,
      `- ${settings.samples} samples wanted${settings.refreshes === 1 ? '' : ` in each of ${settings.refreshes} refreshes`}; ${settings.answers} answers compared in phase II; own pairs count ${settings.writerWeight} times`,
      `- Phase I: ORPO, rate ${settings.phase1.learningRate}, rank ${settings.phase1.rank}; phase II: EXO, rate ${settings.phase2.learningRate}, mask ${code(settings.phase2.mask)}`,
      `- ${Math.round(seconds.samples)} s of making samples, ${Math.round(seconds.steps)} s of training steps`,
      `- Intervals: 95 %, percentile bootstrap over held-out pairs with 2,000 resamples. ${small}`,
    ].join('\n'),
  ];
}

function phaseLines({
  phase,
  adapter,
  samples,
  kept,
  enforced,
  refused,
  diversity,
  writerPairs,
  failed,
  verdict,
}: PhaseOutcome): string[] {
  const reasons = Object.entries(refused).map(([reason, count]) => `${count} ${reason}`);
  return [
    `## Phase ${phase === 1 ? 'I' : 'II'}`,
    [
      `- Samples: ${kept} kept of ${samples}${reasons.length > 0 ? ` (set aside: ${reasons.join(', ')})` : ''}; own pairs: ${writerPairs}`,
      ...(enforced > 0
        ? [
            `- The model wrote its sections by itself in ${kept - enforced} of ${kept} samples; in the others they were opened for it`,
          ]
        : []),
      ...(diversity
        ? [
            `- From ${diversity.documents.used} of ${diversity.documents.of} notes; chosen ${diversity.chosenWords.toFixed(0)} words, rejected ${diversity.rejectedWords.toFixed(0)}`,
          ]
        : []),
      `- Adapter: ${adapter === null ? 'none' : code(adapter)}`,
      ...(failed === null ? [] : [`- ${plain(failed)}`]),
    ].join('\n'),
    ...(verdict ? [plain(verdict.why), checkTable(verdict.checks)] : []),
  ];
}

function checkTable(checks: readonly GateCheck[]): string {
  const rows = checks.map(
    ({ name, must, passed, before, after, change }) =>
      `| ${name} | ${must === 'improve' ? 'improve' : 'not get worse'} | ${number(before)} | ${number(after)} | ${number(change.low)} to ${number(change.high)} | ${change.n} | ${passed ? 'yes' : 'no'} |`,
  );
  return [
    '| measure | has to | before | after | change, 95 % | n | passed |',
    '| --- | --- | --: | --: | --- | --: | --- |',
    ...rows,
  ].join('\n');
}

function watchTable(watch: readonly WatchFinding[]): string {
  const rows = watch.map(
    ({ name, phase, value, threshold, verdict, says }) =>
      `| ${name} | ${phase} | ${number(value)} | ${number(threshold)} | ${verdict} | ${plain(says)} |`,
  );
  return [
    '| what | phase | value | limit | verdict | |',
    '| --- | --: | --: | --: | --- | --- |',
    ...rows,
  ].join('\n');
}

function number(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

/** Markdown's own signs are taken for what they are. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, '\\$&').replace(/\s+/g, ' ');
}

function code(text: string): string {
  return `\`${text.replace(/[`\s|]+/g, ' ')}\``;
}
