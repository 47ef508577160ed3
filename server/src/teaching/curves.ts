// The curves of a run as charts: those of the paper's figure 4, and the watch list. Pure.
import { mean, type Chart, type Series } from '../evaluation/index.ts';
import type { GateVerdict, TrainerLine } from '../protocol/index.ts';

type StepLine = Extract<TrainerLine, { event: 'step' }>;
type EvalLine = Extract<TrainerLine, { event: 'eval' }>;
type Curve = 'loss' | 'rewards/margins' | 'rewards/accuracies';

/** The lines of one phase, refresh by refresh; steps are counted through. */
export interface PhaseLines {
  readonly steps: readonly StepLine[];
  readonly looks: readonly EvalLine[];
}

/** Places on the x axis: more can't be told apart, so steps between them are averaged. */
const mostPlaces = 20;

/** One numbering for all refreshes of a phase: each begins where the one before it ended. */
export function phaseLines(refreshes: readonly (readonly TrainerLine[])[]): PhaseLines {
  const steps: StepLine[] = [];
  const looks: EvalLine[] = [];
  let before = 0;
  for (const lines of refreshes) {
    // A run that was gone on with says the steps after its checkpoint again: the later word counts.
    const own = new Map<number, StepLine>();
    const seen = new Map<number, EvalLine>();
    for (const line of lines) {
      if (line.event === 'step') own.set(line.step, line);
      if (line.event === 'eval') seen.set(line.step, line);
    }
    for (const line of [...own.values()].sort(byStep)) steps.push({ ...line, step: before + line.step });
    for (const line of [...seen.values()].sort(byStep)) looks.push({ ...line, step: before + line.step });
    before = steps.at(-1)?.step ?? before;
  }
  return { steps, looks };
}

function byStep(one: { readonly step: number }, other: { readonly step: number }): number {
  return one.step - other.step;
}

const curves: readonly (Pick<Chart, 'title' | 'yLabel' | 'range'> & {
  readonly of: Curve;
  readonly name: string;
})[] = [
  { of: 'rewards/margins', name: 'margins', title: 'rewards/margins', yLabel: 'Margin', range: [0, 0] },
  { of: 'loss', name: 'loss', title: 'loss', yLabel: 'Loss', range: [0, 0] },
  {
    of: 'rewards/accuracies',
    name: 'accuracies',
    title: 'rewards/accuracies',
    yLabel: 'Share of pairs',
    range: [0, 1],
  },
];

/** Charts by the name of their file, without its ending. */
export function curvesOf(phase: 1 | 2, { steps, looks }: PhaseLines): Map<string, Chart> {
  const charts = new Map<string, Chart>();
  const width = Math.max(1, Math.ceil((steps.at(-1)?.step ?? 0) / mostPlaces));
  // A place stands for the steps up to it.
  const placeOf = (step: number): number => Math.max(1, Math.ceil(step / width)) * width;
  const places = [...new Set([...steps, ...looks].map(({ step }) => placeOf(step)))].sort((a, b) => a - b);
  for (const { of, name, title, yLabel, range } of curves) {
    const trained = series('pairs trained on', steps, of, placeOf, places);
    const heldout = series('held-out pairs', looks, of, placeOf, places);
    const drawn = [trained, heldout].filter(({ points }) => points.length > 0);
    if (drawn.length === 0) continue;
    const values = drawn.flatMap(({ points }) => points.map(({ y }) => y));
    const shown: [number, number] =
      range[0] === range[1] ? [Math.min(...values), Math.max(...values)] : [...range];
    charts.set(`phase-${phase}-${name}`, {
      ...{
        kind: 'lines',
        title: `Phase ${phase === 1 ? 'I' : 'II'}: ${title}`,
        xLabel: 'Step',
        yLabel,
        range: shown,
      },
      series: drawn,
    });
  }
  return charts;
}

function series(
  name: string,
  lines: readonly (StepLine | EvalLine)[],
  of: Curve,
  placeOf: (step: number) => number,
  places: readonly number[],
): Series {
  const byPlace = Map.groupBy(lines, ({ step }) => placeOf(step));
  const points = places.flatMap((place) => {
    const values = (byPlace.get(place) ?? []).map((line) => line[of]).filter((value) => value !== null);
    return values.length === 0 ? [] : [{ x: String(place), y: mean(values), low: null, high: null }];
  });
  return { name, points };
}

/** What the gate compared: before and after, phase by phase. */
export function verdictChart(verdicts: readonly GateVerdict[]): Chart | null {
  const shares = verdicts.flatMap(({ phase, checks }) =>
    checks
      .filter(({ name }) => name === 'marker-adoption' || name === 'heldout-accuracy')
      .map(({ name, before, after }) => ({ place: `${name} ${phase}`, before, after })),
  );
  if (shares.length === 0) return null;
  const side = (name: string, of: 'before' | 'after'): Series => ({
    name,
    points: shares.flatMap((one) => {
      const value = one[of];
      return value === null ? [] : [{ x: one.place, y: value, low: null, high: null }];
    }),
  });
  return {
    ...{
      kind: 'bars',
      title: 'Held-out pairs before and after',
      xLabel: 'Measure and phase',
      yLabel: 'Share',
    },
    ...{ range: [0, 1], series: [side('before', 'before'), side('after', 'after')] },
  };
}
