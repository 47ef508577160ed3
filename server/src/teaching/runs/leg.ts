// The trainings that a run consists of, with what is read of each.
import type { DatasetSample, TrainerLine } from '../../protocol/index.ts';
import type { LineTail } from './lineTail.ts';

/** One training within a run: the whole of it, or a refresh of a phase. */
export interface Leg {
  readonly part: string;
  readonly phase: 1 | 2 | null;
  readonly refresh: number | null;
  /** Folder of the training. */
  readonly folder: string;
  readonly log: LineTail<TrainerLine>;
  readonly samples: LineTail<DatasetSample> | null;
}
