// The lines of the trainer as the columns that charts are drawn from. Pure.
import type { CurveColumns, TrainerLine, TrainingCursor, TrainingPart } from '../../protocol/index.ts';
import { phaseLines } from '../curves.ts';

type Told = Extract<TrainerLine, { event: 'step' | 'eval' }>;

export interface PartLines {
  readonly part: string;
  readonly phase: 1 | 2 | null;
  /** Refresh by refresh. */
  readonly refreshes: readonly (readonly TrainerLine[])[];
  /** Refreshes that are to come in all; null: one. */
  readonly wanted: number | null;
  /** How often a log was begun anew. */
  readonly beginnings: number;
}

/** @param known what was told before; what has not changed since is left out */
export function partOf(lines: PartLines, known: TrainingCursor | undefined): TrainingPart {
  const { part, phase, refreshes, wanted, beginnings } = lines;
  const { steps, looks } = phaseLines(refreshes);
  const epoch = beginnings + refreshes.reduce((sum, one) => sum + timesSetBack(one), 0);
  const from = known?.epoch === epoch ? Math.min(known.steps, steps.length) : 0;
  const last = refreshes.findLast((one) => one.length > 0);
  const ended = last?.some(({ event }) => event === 'done') ?? false;
  const started = last?.findLast((line) => line.event === 'started');
  const step = last?.findLast((line) => line.event === 'step');
  return {
    ...{ part, phase, epoch, from },
    trained: columnsOf(steps.slice(from)),
    heldout: columnsOf(looks),
    planned: plannedSteps(refreshes, wanted),
    // Of its own training; what comes after it is not known.
    secondsRemaining: ended || !started ? null : (step?.seconds_remaining ?? null),
  };
}

/** How often the log says a step that it had said before. */
function timesSetBack(lines: readonly TrainerLine[]): number {
  let highest = 0;
  let times = 0;
  for (const line of lines) {
    if (line.event !== 'step') continue;
    if (line.step <= highest) {
      times += 1;
      highest = 0;
    }
    highest = Math.max(highest, line.step);
  }
  return times;
}

/** Refreshes that are to come are taken to be as long as the last one. */
function plannedSteps(refreshes: PartLines['refreshes'], wanted: number | null): number | null {
  const planned = refreshes.flatMap((lines) => {
    const started = lines.findLast((line) => line.event === 'started');
    return started ? [started.steps] : [];
  });
  const last = planned.at(-1);
  if (last === undefined) return null;
  const missing = Math.max(0, (wanted ?? planned.length) - planned.length);
  return planned.reduce((sum, steps) => sum + steps, 0) + missing * last;
}

function columnsOf(lines: readonly Told[]): CurveColumns {
  const column = (name: 'loss' | `rewards/${'margins' | 'accuracies' | 'chosen' | 'rejected'}`) =>
    lines.map((line) => line[name]);
  return {
    step: lines.map(({ step }) => step),
    margin: column('rewards/margins'),
    loss: column('loss'),
    accuracy: column('rewards/accuracies'),
    chosen: column('rewards/chosen'),
    rejected: column('rewards/rejected'),
  };
}
