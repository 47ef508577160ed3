// The port to the trainer: the core says what to compute and reads lines; trainerProcess.ts runs the native program.
// Also the port by which a run makes way for the writer's own generation.
import type {
  TrainerCommand,
  TrainerEstimateConfig,
  TrainerLine,
  TrainerScoreConfig,
  TrainerTrainConfig,
} from '../protocol/index.ts';

/** Configurations without what only the implementation knows: where the libraries are. */
export type TrainerTask =
  | Omit<TrainerScoreConfig, 'libraries'>
  | Omit<TrainerTrainConfig, 'libraries'>
  | Omit<TrainerEstimateConfig, 'libraries'>;

/** A run of the trainer. Iterate over it once; leaving the loop ends the process. */
export interface TrainerRun extends AsyncIterable<TrainerLine> {
  /** Obeyed before the next layer; after the end of the run it is forgotten. */
  send(command: TrainerCommand): void;
}

export interface Trainer {
  /**
   * Runs a task. The lines end after `done`. Aborting asks a training run to stop (which writes a checkpoint) and
   * kills it when it does not in time; scoring is killed at once. The iteration then throws `cancelled`.
   * @param folder where the configuration is written
   * Errors: `trainer-failed` with the trainer's own sentence, or its last words when it crashed; `locked` when
   * another run is at work on this machine
   */
  run(task: TrainerTask, folder: string, signal: AbortSignal): TrainerRun;
  /** Runs the trainer's own check. Errors: `trainer-failed` when there is no trainer, or it does not run here. */
  selfTest(signal: AbortSignal): Promise<boolean>;
}

/** The threads that generation leaves on this machine: at none, a run makes way. The engine's budget fulfils it. */
export interface ThreadBudget {
  /** Calls back with the threads that are left, at once and at each change, until `signal` is aborted. */
  watch(listener: (threadsLeft: number) => void, signal: AbortSignal): Promise<void>;
}
