// Whether what a run would take is there: its estimate in the numbers that a writer is shown, and a refusal where memory
// or disk is missing.
import { PreflexorError } from '../../errors.ts';
import type { TeachEstimate, TeachingEstimate, TeachSettings } from '../../protocol/index.ts';

export interface NeedsPorts {
  /** @throws PreflexorError `trainer-failed` with its numbers when a phase can't fit */
  readonly estimate: () => Promise<TeachEstimate>;
  /** Where the run's folder is. */
  readonly freeDiskBytes: () => Promise<number>;
}

/** What a disk is not to be filled up to. */
const diskReserve = 500e6;

/** @throws PreflexorError what an estimate throws, but for a run that can't fit: that is a refusal */
export async function teachingNeeds(
  { samples }: Pick<TeachSettings, 'samples'>,
  writerPairs: number,
  ports: NeedsPorts,
): Promise<TeachingEstimate> {
  const freeDiskBytes = await ports.freeDiskBytes();
  const counted = { samples, writerPairs, freeDiskBytes };
  try {
    return { ...counted, ...summed(await ports.estimate(), freeDiskBytes) };
  } catch (error) {
    if (!PreflexorError.is(error, 'trainer-failed')) throw error;
    const refusal = [error.message, error.remedy ?? ''].join(' ').trim();
    const nothing = { bytes: 0, availableBytes: 0, trainingSeconds: 0, samplesSeconds: null, steps: 0 };
    return { ...counted, ...nothing, diskBytes: 0, refusal };
  }
}

type Counted = 'samples' | 'writerPairs' | 'freeDiskBytes';

function summed(
  { samples, sampleSeconds, phases, diskBytes }: TeachEstimate,
  freeDiskBytes: number,
): Omit<TeachingEstimate, Counted> {
  const availableBytes = Math.max(...phases.map((phase) => phase.availableBytes));
  const leastBytes = Math.max(...phases.map((phase) => phase.leastBytes));
  return {
    ...{ bytes: Math.max(...phases.map(({ bytes }) => bytes)), availableBytes, diskBytes },
    trainingSeconds: phases.reduce((sum, { seconds }) => sum + seconds, 0),
    steps: phases.reduce((sum, { steps }) => sum + steps, 0),
    samplesSeconds: sampleSeconds === null ? null : sampleSeconds * samples,
    refusal:
      refusalOf('of memory', leastBytes, availableBytes) ??
      refusalOf('on the disk', diskBytes + diskReserve, freeDiskBytes),
  };
}

/** 0 bytes available: not known. */
function refusalOf(what: string, needed: number, available: number): string | null {
  if (available === 0 || needed <= available) return null;
  return `Teaching needs ${gigabytes(needed)} ${what}, and ${gigabytes(available)} are free.`;
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
