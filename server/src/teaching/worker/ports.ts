// What the background worker needs from outside.
import type { TeachingEstimate, TeachingLine, TeachingPreset, TeachingRun } from '../../protocol/index.ts';
import type { TeachingWishes } from './decide.ts';
import type { Holder } from './holder.ts';
import type { Power } from './power.ts';

/** One run, as the process that does it is asked for it. */
export type TeachingTask = Pick<TeachingRun, 'root' | 'run' | 'preset' | 'ignored'>;

export interface WorkerPorts {
  /** The application home. */
  readonly home: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls `work` now and then; the function that it gives ends that. */
  readonly every: (ms: number, work: () => void) => () => void;
  /** The folders of notes that are open. */
  readonly folders: () => readonly string[];
  readonly wishes: () => Promise<TeachingWishes & { readonly preset: TeachingPreset }>;
  /** Ids of the writer's pairs in a folder that may be trained on. */
  readonly pairs: (root: string, signal: AbortSignal) => Promise<readonly string[]>;
  readonly estimate: (
    root: string,
    preset: TeachingPreset,
    writerPairs: number,
    signal: AbortSignal,
  ) => Promise<TeachingEstimate>;
  readonly power: () => Promise<Power>;
  /** Share of the machine that was at work since it was last asked; null: not known. */
  readonly busyShare: () => number | null;
  /** Makes the folder of a new run, with all that it is to be done with. Gives its path. */
  readonly prepare: (root: string, preset: TeachingPreset) => Promise<string>;
  /** Does a run, or goes on with it. Aborted, it writes a checkpoint and ends. @throws PreflexorError */
  readonly run: (task: TeachingTask, signal: AbortSignal) => AsyncIterable<TeachingLine>;
  /** Gives the engine's memory back. */
  readonly makeRoom: () => Promise<void>;
  readonly availableBytes: () => Promise<number>;
  readonly holder: () => Promise<Holder | null>;
  readonly log: (text: string) => void;
}
