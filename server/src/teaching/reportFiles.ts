// Writes the report of a run into its folder: report.json, report.md and the curves, from what phases and trainer left.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { svgOf } from '../evaluation/index.ts';
import { TrainerLine, type PhaseOutcome, type TeachReport, type WatchFinding } from '../protocol/index.ts';
import { isMissing, writeDurably } from '../state/index.ts';
import { curvesOf, phaseLines, verdictChart } from './curves.ts';
import type { Dataset } from './dataset/generate.ts';
import { teachMarkdown } from './report.ts';
import type { TeachRequest } from './teach.ts';

export async function writeReport(
  { folder, setup }: TeachRequest,
  phases: readonly PhaseOutcome[],
  watch: readonly WatchFinding[],
  datasets: readonly Dataset[],
): Promise<{ readonly report: TeachReport; readonly file: string }> {
  const plots: string[] = [];
  const draw = async (name: string, chart: Parameters<typeof svgOf>[0]): Promise<void> => {
    await writeDurably(path.join(folder, `${name}.svg`), svgOf(chart));
    plots.push(`${name}.svg`);
  };
  let stepSeconds = 0;
  for (const { phase } of phases) {
    const refreshes: TrainerLine[][] = [];
    for (let refresh = 1; refresh <= setup.settings.refreshes; refresh += 1)
      refreshes.push(
        await linesOf(path.join(folder, `phase-${phase}`, `refresh-${refresh}`, 'run', 'log.jsonl')),
      );
    const lines = phaseLines(refreshes);
    stepSeconds += lines.steps.reduce(
      (sum, { tokens, tokens_per_second: pace }) => sum + tokens / Math.max(1e-9, pace),
      0,
    );
    for (const [name, chart] of curvesOf(phase, lines)) await draw(name, chart);
  }
  const judged = verdictChart(phases.flatMap(({ verdict }) => verdict ?? []));
  if (judged) await draw('held-out', judged);
  const sampleSeconds = datasets
    .flatMap(({ samples }) => samples)
    .reduce((sum, { seconds }) => sum + seconds, 0);
  const report: TeachReport = {
    ...{ schema: 1, setup, phases: [...phases], watch: [...watch] },
    ...offerOf(phases),
    seconds: { samples: sampleSeconds, steps: stepSeconds },
    plots,
  };
  const file = path.join(folder, 'report.md');
  await writeDurably(file, teachMarkdown(report));
  // Last: who finds it finds everything that it names.
  await writeDurably(path.join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return { report, file };
}

/** The last adapter that passed, with all that it builds on. */
export function offerOf(phases: readonly PhaseOutcome[]): Pick<TeachReport, 'offered' | 'adapter' | 'why'> {
  const [first, second] = phases;
  const why = phases.map((phase) => `Phase ${phase.phase === 1 ? 'I' : 'II'}: ${saidOf(phase)}`).join(' ');
  if (first?.verdict?.offered !== true) {
    const builds =
      second?.verdict?.offered === true ? ' Phase II builds on it, so its adapter is kept too.' : '';
    return { offered: false, adapter: null, why: `${why}${builds}` };
  }
  const adapter = second?.verdict?.offered === true ? second.adapter : first.adapter;
  return { offered: true, adapter, why };
}

function saidOf({ verdict, failed }: PhaseOutcome): string {
  return [failed, verdict?.why].filter(Boolean).join(' ') || 'Nothing was trained.';
}

/** What the trainer said; a line that is torn or of another version is passed over. */
async function linesOf(file: string): Promise<TrainerLine[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return TrainerLine.parse(JSON.parse(line));
    } catch {
      return [];
    }
  });
}
