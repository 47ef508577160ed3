// What the Training view says, in words. Pure.
import type {
  GateCheck,
  PreparedCounts,
  TrainingPart,
  TrainingRunEntry,
  TrainingRunState,
  WatchFinding,
} from '../../../server/src/protocol/index.ts';
import { valueAt } from './points.ts';
import type { Curve, Metric } from './trainingState.ts';

/** As the paper's figure 4 names them. */
export const metricTitles: Record<Metric, string> = {
  margin: 'rewards/margins',
  loss: 'loss',
  accuracy: 'rewards/accuracies',
};

export const metricMeanings: Record<Metric, string> = {
  margin: 'How much likelier the chosen text is than the rejected one',
  loss: 'What training makes small',
  accuracy: 'Share of pairs in which the chosen text is the likelier one',
};

export const trainedOn = 'trained on';
export const heldOut = 'held out';

export const stateNames: Record<TrainingRunState, string> = {
  running: 'running',
  paused: 'waiting for the processor',
  finished: 'finished',
  stopped: 'stopped early',
  failed: 'failed',
  'broken-off': 'broken off',
};

export const stateIcons: Record<TrainingRunState, string> = {
  running: 'sync',
  paused: 'debug-pause',
  finished: 'check',
  stopped: 'debug-stop',
  failed: 'warning',
  'broken-off': 'circle-slash',
};

export const watchNames: Record<WatchFinding['name'], string> = {
  'kept-share': 'Samples that passed their checks',
  'duplicate-questions': 'Questions asked before',
  similarity: 'Chosen and rejected alike',
  coverage: 'Notes that samples came from',
  'length-drift': 'Drift of the length',
  'heldout-loss': 'Held-out loss',
  'heldout-accuracy': 'Fall of held-out accuracy',
  'answer-margin': 'Margin between held-out answers',
  'marker-adoption': 'Adoption of the thinking marker',
  perplexity: 'Perplexity of untouched text',
};

export const verdictNames: Record<WatchFinding['verdict'], string> = {
  fine: 'fine',
  doubtful: 'doubtful',
  failed: 'pauses the run',
};

export const checkNames: Record<GateCheck['name'], string> = {
  'marker-adoption': 'Marker adoption',
  'answer-margin': 'Margin of the answers',
  'heldout-accuracy': 'Held-out accuracy',
  perplexity: 'Perplexity',
};

/** "Phase I", "Training". */
export function partName({ phase, part }: Pick<TrainingPart, 'phase' | 'part'>): string {
  if (phase === null || !part.startsWith('phase')) return 'Training';
  return phase === 1 ? 'Phase I' : 'Phase II';
}

/** The run's folder without the places that all have. */
export function runName(run: string): string {
  const own = /^\.preflexor\/teach\/(.+)$/.exec(run)?.[1];
  return own === undefined ? run : `Teaching ${own}`;
}

export function curveName(run: string, part: Pick<TrainingPart, 'phase' | 'part'>): string {
  const name = partName(part);
  return name === 'Training' ? runName(run) : `${runName(run)}, ${name}`;
}

/** "finished · offered · SmolLM2 · 24 Nov, 12:00". */
export function entryWords({ state, offered, model, time }: TrainingRunEntry, language: string): string {
  const offer = offered === null ? null : offered ? 'offered' : 'not offered';
  return [stateNames[state], offer, model, timeWords(time, language)]
    .filter((word) => word !== null)
    .join(' · ');
}

export function timeWords(time: string, language: string): string {
  return new Date(time).toLocaleString(language, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** "step 120 of 400, about 5 min left". @param goesOn whether somebody works on the run */
export function progressWords({ trained, planned, secondsRemaining }: TrainingPart, goesOn: boolean): string {
  const step = trained.step.at(-1);
  if (step === undefined) return 'no step yet';
  const of = planned === null ? '' : ` of ${planned.toLocaleString('en')}`;
  const left = secondsRemaining === null || !goesOn ? '' : `, about ${durationWords(secondsRemaining)} left`;
  return `step ${step.toLocaleString('en')}${of}${left}`;
}

export function durationWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

export function figure(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100_000)) return value.toExponential(2);
  return String(Number(value.toFixed(size < 1 ? 4 : 3)));
}

/** What stands at a step, for eyes and for screen readers alike. */
export function pointWords(curves: readonly Curve[], metric: Metric, at: number): string {
  const values = curves.flatMap(({ name, trained, heldout }) =>
    (
      [
        [trained, trainedOn],
        [heldout, heldOut],
      ] as const
    ).flatMap(([columns, series]) => {
      const found = valueAt(columns, columns[metric], at);
      if (!found) return [];
      const where = found.step === at ? '' : ` (step ${found.step})`;
      return [`${curves.length > 1 ? `${name}, ` : ''}${series} ${figure(found.value)}${where}`];
    }),
  );
  return values.length === 0
    ? `Step ${at}: nothing was measured`
    : `Step ${at.toLocaleString('en')}: ${values.join('; ')}`;
}

/** What a chart shows, as a whole. */
export function chartWords(curves: readonly Curve[], metric: Metric): string {
  if (curves.length === 0) return `${metricTitles[metric]}: no curve is shown`;
  const ends = curves.flatMap(({ name, trained, heldout }) =>
    [
      { columns: trained, series: trainedOn },
      { columns: heldout, series: heldOut },
    ].flatMap(({ columns, series }) => {
      const known = columns[metric].filter((value) => value !== null);
      const [first, last] = [known[0], known.at(-1)];
      if (first === undefined || last === undefined) return [];
      return [`${name}, ${series}: from ${figure(first)} to ${figure(last)}`];
    }),
  );
  return `${metricTitles[metric]}. ${metricMeanings[metric]}. ${ends.join('. ')}`;
}

export function countWords({ file, records, refused, tokens }: PreparedCounts): string {
  const lines = refused.length === 1 ? '1 line' : `${refused.length} lines`;
  const left = refused.length === 0 ? '' : `, ${lines} left out`;
  return `${file}: ${records.toLocaleString('en')} pairs, ${tokens.toLocaleString('en')} tokens${left}`;
}
