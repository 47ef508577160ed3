// Where a run is, from the lines that it writes, and how that is said. Pure.
import type { TeachingLine, TeachingMetrics, TeachingStatus, WatchFinding } from '../../protocol/index.ts';

export interface Progress extends Pick<TeachingStatus, 'stage' | 'phase' | 'refresh' | 'step' | 'steps'> {
  readonly metrics: TeachingMetrics | null;
  /** The writer's own work has the machine. */
  readonly yielding: boolean;
  /** Findings that paused the run. */
  readonly findings: readonly WatchFinding['name'][];
}

export const noProgress: Progress = {
  ...{ stage: null, phase: null, refresh: null, step: null, steps: null, metrics: null },
  ...{ yielding: false, findings: [] },
};

const noMetrics: TeachingMetrics = {
  ...{ samples: null, loss: null, margin: null, accuracy: null, tokensPerSecond: null, secondsLeft: null },
  heldout: null,
};

/** @param wanted samples of each refresh; null: not known */
export function after(progress: Progress, line: TeachingLine, wanted: number | null): Progress {
  const metrics = progress.metrics ?? noMetrics;
  switch (line.event) {
    case 'stage': {
      const { stage, phase, refresh } = line;
      const steps = stage === 'gate' ? {} : { step: null, steps: null };
      // The figures of a phase are of no interest to the next one.
      const kept = phase === progress.phase ? metrics : noMetrics;
      const samples = stage === 'dataset' ? { kept: 0, made: 0, wanted } : kept.samples;
      return { ...progress, stage, phase, refresh, ...steps, yielding: false, metrics: { ...kept, samples } };
    }
    case 'resumed': {
      if (line.samples === undefined) return { ...progress, yielding: false };
      const samples = { kept: line.kept ?? 0, made: line.samples, wanted };
      return { ...progress, metrics: { ...metrics, samples } };
    }
    case 'sample': {
      const { kept, made } = metrics.samples ?? { kept: 0, made: 0 };
      const samples = { kept: kept + (line.kept ? 1 : 0), made: made + 1, wanted };
      return { ...progress, metrics: { ...metrics, samples } };
    }
    case 'started':
      return { ...progress, step: line.step, steps: line.steps };
    case 'step': {
      const { loss, 'rewards/margins': margin, 'rewards/accuracies': accuracy } = line;
      const pace = { tokensPerSecond: line.tokens_per_second, secondsLeft: line.seconds_remaining };
      const now = { ...metrics, loss, margin, accuracy, ...pace };
      return { ...progress, step: line.step, yielding: false, metrics: now };
    }
    case 'eval': {
      const { step, loss, 'rewards/margins': margin, 'rewards/accuracies': accuracy } = line;
      return { ...progress, metrics: { ...metrics, heldout: { step, loss, margin, accuracy } } };
    }
    case 'paused':
      return { ...progress, yielding: true };
    case 'watch': {
      const failed = line.findings.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name);
      return { ...progress, findings: [...new Set([...progress.findings, ...failed])] };
    }
    case 'verdict':
    case 'failed':
      return progress;
  }
}

export function progressText({ stage, phase, step, steps, metrics, yielding }: Progress): string {
  if (stage === null || phase === null) return 'Teaching begins: reading your notes.';
  const name = `Phase ${phase === 1 ? 'I' : 'II'}`;
  if (yielding) return `${name}: waits while you work with the model.`;
  if (stage === 'gate') return `${name}: judging the adapter by pairs that were held out.`;
  if (stage === 'dataset') {
    const { kept, wanted } = metrics?.samples ?? { kept: 0, wanted: null };
    return `${name}: making samples, ${kept}${wanted === null ? '' : ` of ${wanted}`}.`;
  }
  if (step === null || steps === null) return `${name}: training begins.`;
  const left = metrics?.secondsLeft;
  const time = left === null || left === undefined ? '' : `, about ${durationText(left)} left`;
  return `${name}: training, step ${step} of ${steps}${time}.`;
}

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} seconds`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;
}
