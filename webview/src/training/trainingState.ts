// What the Training view knows: the runs of the folder, and the curves of those that were asked for. Pure.
import type {
  CurveColumns,
  TrainingCursor,
  TrainingPairsPage,
  TrainingPart,
  TrainingRunDetail,
  TrainingRunEntry,
} from '../../../server/src/protocol/index.ts';
import { curveName } from './words.ts';

/** What a chart can show of a curve. */
export type Metric = 'margin' | 'loss' | 'accuracy';

export interface TrainingState {
  /** null: nothing has come yet. */
  readonly folder: string | null;
  readonly runs: readonly TrainingRunEntry[];
  readonly details: ReadonlyMap<string, TrainingRunDetail>;
  /** Curves that are drawn, by their keys, in the order in which they were chosen. */
  readonly shown: readonly string[];
  /** The run whose words are shown; null: none is there. */
  readonly chosen: string | null;
  /** Pairs of a part of the chosen run, as far as they were asked for. */
  readonly pairs: ReadonlyMap<string, TrainingPairsPage>;
}

export const nothingYet: TrainingState = {
  ...{ folder: null, runs: [], shown: [], chosen: null },
  details: new Map(),
  pairs: new Map(),
};

/** A curve as it is drawn. */
export interface Curve {
  readonly key: string;
  readonly name: string;
  /** Its place among the colours. */
  readonly colour: number;
  readonly trained: CurveColumns;
  readonly heldout: CurveColumns;
}

export function curveKey(run: string, part: string): string {
  return `${run} ${part}`;
}

/** The list as it is now. The newest run is chosen where none is. */
export function withRuns(
  state: TrainingState,
  folder: string,
  runs: readonly TrainingRunEntry[],
): TrainingState {
  const isThere = (run: string): boolean => runs.some((one) => one.run === run);
  const chosen = state.chosen !== null && isThere(state.chosen) ? state.chosen : (runs[0]?.run ?? null);
  const details = new Map([...state.details].filter(([run]) => isThere(run)));
  return { ...state, folder, runs, chosen, details };
}

/** Takes in what came of a run: of its curves only what is new. Parts that are new are drawn beside the others. */
export function withDetail(state: TrainingState, detail: TrainingRunDetail): TrainingState {
  const { run } = detail.entry;
  const before = state.details.get(run);
  const parts = detail.parts.map((part) => joined(before, part));
  const details = new Map(state.details).set(run, { ...detail, parts });
  const runs = state.runs.map((entry) => (entry.run === run ? detail.entry : entry));
  const keys = parts.map(({ part }) => curveKey(run, part));
  const isDrawn = state.shown.some((key) => isOf(run, key));
  const known = before?.parts.map(({ part }) => curveKey(run, part)) ?? (isDrawn ? keys : []);
  const isWanted = isDrawn || (before === undefined && run === state.chosen && state.shown.length === 0);
  const fresh = isWanted ? keys.filter((key) => !known.includes(key)) : [];
  const shown = state.shown.filter((key) => !isOf(run, key) || keys.includes(key));
  return { ...state, details, runs, shown: [...shown, ...fresh.filter((key) => !shown.includes(key))] };
}

function isOf(run: string, key: string): boolean {
  return key.startsWith(`${run} `);
}

function joined(before: TrainingRunDetail | undefined, part: TrainingPart): TrainingPart {
  const known = before?.parts.find((one) => one.part === part.part);
  if (!known || part.from === 0) return part;
  // What is the same stays the same object: nothing is drawn anew for it.
  const heldout = known.heldout.step.length === part.heldout.step.length ? known.heldout : part.heldout;
  if (part.trained.step.length === 0) return { ...part, from: 0, trained: known.trained, heldout };
  const column = <T>(name: (columns: CurveColumns) => readonly T[]): T[] => [
    ...name(known.trained).slice(0, part.from),
    ...name(part.trained),
  ];
  const trained: CurveColumns = {
    step: column(({ step }) => step),
    margin: column(({ margin }) => margin),
    loss: column(({ loss }) => loss),
    accuracy: column(({ accuracy }) => accuracy),
    chosen: column(({ chosen }) => chosen),
    rejected: column(({ rejected }) => rejected),
  };
  return { ...part, from: 0, trained, heldout };
}

/** What need not be told again. */
export function cursorsOf({ details }: TrainingState, run: string): TrainingCursor[] {
  return (details.get(run)?.parts ?? []).map(({ part, epoch, trained }) => {
    return { part, epoch, steps: trained.step.length };
  });
}

/** Runs that may have changed: those that go on among the chosen and the drawn ones, and those that are not known. */
export function staleRuns(state: TrainingState): string[] {
  const wanted = state.runs.filter(
    ({ run }) => run === state.chosen || state.shown.some((key) => isOf(run, key)),
  );
  return wanted
    .filter(({ run, state: now }) => !state.details.has(run) || now === 'running' || now === 'paused')
    .map(({ run }) => run);
}

export function withChosen(state: TrainingState, run: string): TrainingState {
  return { ...state, chosen: run, pairs: new Map() };
}

export function withCurve(state: TrainingState, key: string, on: boolean): TrainingState {
  const others = state.shown.filter((one) => one !== key);
  return { ...state, shown: on ? [...others, key] : others };
}

export function curvesOf({ details, shown, runs }: TrainingState): Curve[] {
  return shown.flatMap((key, colour) => {
    const entry = runs.find(({ run }) => isOf(run, key));
    const part = entry && details.get(entry.run)?.parts.find((one) => curveKey(entry.run, one.part) === key);
    if (!entry || !part) return [];
    const { trained, heldout } = part;
    return [{ key, colour, trained, heldout, name: curveName(entry.run, part) }];
  });
}

/** Pages of pairs that follow each other become one. */
export function withPairs(state: TrainingState, part: string, page: TrainingPairsPage): TrainingState {
  const known = state.pairs.get(part);
  const rows = known && page.offset > 0 ? [...known.rows.slice(0, page.offset), ...page.rows] : page.rows;
  return { ...state, pairs: new Map(state.pairs).set(part, { ...page, offset: 0, rows }) };
}
