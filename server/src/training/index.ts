// Training: pairs to token ids and masks, runs of the trainer, adapters.
// Imports neither an editor nor a model library: tokenizer, trainer and clock come in as ports.
export { AdapterRegistry } from './adapters/registry.ts';
export type { AdapterFiles, NewAdapter, StoredAdapter } from './adapters/registry.ts';
export { AdapterShelf, noAdapter } from './adapters/shelf.ts';
export type { ChosenAdapter } from './adapters/shelf.ts';
export { exportAdapter } from './adapters/export.ts';
export { machineLock } from './machineLock.ts';
export type { MachineLock } from './machineLock.ts';
export { noMask } from './masks.ts';
export { decodePair, readPairsFile } from './pairsFile.ts';
export type { Pair, PairsFile } from './pairsFile.ts';
export { beginningToken, perplexities, tokensOfFile } from './perplexity.ts';
export type { Perplexity, PerplexityOptions } from './perplexity.ts';
export { needsReference, planTraining } from './plan.ts';
export type { PlanWishes } from './plan.ts';
export { prepareRecords } from './records.ts';
export type { PreparedRecords, PrepareOptions } from './records.ts';
export { RunFolder } from './runFolder.ts';
export { scoreRecords } from './scoring.ts';
export type { PairScore, ScoreTask, SideScores } from './scoring.ts';
export { train } from './train.ts';
export type { TrainEvent, TrainPorts, TrainRequest } from './train.ts';
export type { ThreadBudget, Trainer, TrainerRun, TrainerTask } from './trainer.ts';
export { findTrainer } from './trainerPlace.ts';
export type { TrainerPlace } from './trainerPlace.ts';
export { createTrainerProcess } from './trainerProcess.ts';
export type { TrainerProcessOptions } from './trainerProcess.ts';
