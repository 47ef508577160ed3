// What a run would take, and whether that is there: the trainer's own plan for both phases, at the most tokens that a
// sample may have. Refuses with the numbers.
import { PreflexorError } from '../../errors.ts';
import type { TeachingEstimate, TeachSettings, TrainingEstimate } from '../../protocol/index.ts';
import type { Phase } from '../teach.ts';

/** What one phase's training is asked about. */
export interface PhaseQuestion {
  readonly phase: Phase;
  readonly steps: number;
  /** Of each record. */
  readonly tokens: number;
}

export interface EstimatePorts {
  /** The trainer's plan. @throws PreflexorError `trainer-failed` with its numbers when it can't fit */
  readonly plan: (
    question: PhaseQuestion,
    signal: AbortSignal,
  ) => Promise<
    Pick<TrainingEstimate, 'bytes' | 'least_bytes' | 'available_bytes' | 'seconds' | 'parameters'>
  >;
  readonly freeDiskBytes: () => Promise<number>;
  /** Seconds that a sample took in the last run here; null: there was none. */
  readonly secondsPerSample: () => Promise<number | null>;
}

/** Passages of the train side are seen so often where no number of steps is said. */
const passes = 3;
/** A question, the chat's own tokens, and markers. */
const aroundTokens = 192;
/**
 * Bytes on disk for each number that is trained: weights and two moments in the checkpoint, the adapter in both forms,
 * their copies in the registry, and what phase II starts from.
 */
const diskBytesPerParameter = 40;
/** What a disk is not to be filled up to. */
const diskReserve = 500e6;

export async function teachingNeeds(
  settings: TeachSettings,
  writerPairs: number,
  ports: EstimatePorts,
  signal: AbortSignal,
): Promise<TeachingEstimate> {
  const { samples, refreshes, writerWeight, dataset, answers } = settings;
  const records = samples * (1 - dataset.heldoutShare) + writerWeight * writerPairs;
  const counted = { samples, writerPairs };
  const freeDiskBytes = await ports.freeDiskBytes();
  const total = { bytes: 0, least: 0, availableBytes: 0, trainingSeconds: 0, steps: 0, parameters: 0 };
  for (const phase of [1, 2] as const) {
    const own = phase === 1 ? settings.phase1 : settings.phase2;
    const steps = own.steps ?? Math.ceil((passes * records) / (own.batch * own.accumulation));
    const tokens = Math.min(own.maxLength, longestSample(settings));
    try {
      const plan = await ports.plan({ phase, steps, tokens }, signal);
      total.bytes = Math.max(total.bytes, plan.bytes);
      total.least = Math.max(total.least, plan.least_bytes);
      total.availableBytes = plan.available_bytes;
      total.trainingSeconds += plan.seconds * refreshes;
      total.steps += steps * refreshes;
      total.parameters = Math.max(total.parameters, plan.parameters);
    } catch (error) {
      if (!PreflexorError.is(error, 'trainer-failed')) throw error;
      const nothing = { ...{ bytes: 0, availableBytes: 0, trainingSeconds: 0, samplesSeconds: null } };
      const refusal = [error.message, error.remedy ?? ''].join(' ').trim();
      return { ...nothing, diskBytes: 0, freeDiskBytes, ...counted, steps, refusal };
    }
  }
  const { bytes, least, availableBytes, trainingSeconds, steps, parameters } = total;
  const diskBytes = parameters * diskBytesPerParameter * refreshes;
  const perSample = await ports.secondsPerSample();
  // Phase II asks the same questions again, with several answers each.
  const samplesSeconds = perSample === null ? null : perSample * samples * refreshes * (1 + answers / 2);
  const refusal =
    refusalOf('of memory', least, availableBytes) ??
    refusalOf('on the disk', diskBytes + diskReserve, freeDiskBytes);
  return {
    ...{ bytes, availableBytes, trainingSeconds, samplesSeconds, diskBytes, freeDiskBytes },
    ...{ ...counted, steps, refusal },
  };
}

function longestSample({ dataset, phase1 }: TeachSettings): number {
  const { parts, partTokens, reflectionTokens, answerTokens } = dataset;
  const answer = parts.length * partTokens + reflectionTokens + answerTokens;
  return Math.min(phase1.maxPromptLength, aroundTokens) + answer;
}

/** 0 bytes available: not known. */
function refusalOf(what: string, needed: number, available: number): string | null {
  if (available === 0 || needed <= available) return null;
  return `Teaching needs ${gigabytes(needed)} ${what}, and ${gigabytes(available)} are free.`;
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
