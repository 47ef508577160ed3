// Self-teaching: on-the-fly data from the writer's own notes, the two phases, their watch list, and the gate that an
// adapter has to pass. Imports neither an editor nor a native library: models, index and trainer come in as ports.
export { generateDataset, type Dataset, type DatasetEvent, type DatasetRequest } from './dataset/generate.ts';
export type { Corpus, CorpusChunk, DatasetPorts } from './dataset/ports.ts';
export { estimateRun, secondsPerSample, type TeachEstimateTask } from './estimate.ts';
export { heldoutNotes, usableChunks } from './dataset/notes.ts';
export { pairsOfSamples, trlLines } from './dataset/pairs.ts';
export { datasetPromptVersion } from './dataset/prompts.ts';
export { datasetPresets, presetNames, teachPreset, withValues, type PresetName } from './presets.ts';
export { measure, type MeasurePorts, type MeasureTask, type UntouchedText } from './gate/measure.ts';
export { gateLimits, verdictOn, type GateMeasurements } from './gate/verdict.ts';
export {
  teach,
  type DatasetWish,
  type Phase,
  type TeachEvent,
  type TeachPorts,
  type TeachRequest,
  type TrainWish,
} from './teach.ts';
export { prepareRuns } from './runs/folders.ts';
export { trainedPairs, type TrainedPair } from './runs/trainedPairs.ts';
export { TrainingRuns, type TrainingRunsOptions } from './runs/runs.ts';
export type { TeachingWishes } from './worker/decide.ts';
export { dayWindow } from './worker/dayWindow.ts';
export { teachingNeeds } from './worker/needs.ts';
export { TeachingHolder } from './worker/holder.ts';
export { busyShare } from './worker/load.ts';
export type { TeachingTask, WorkerPorts } from './worker/ports.ts';
export { offerAdapter } from './worker/records.ts';
export { readPower } from './worker/power.ts';
export { realProcesses } from './worker/processes.ts';
export { realSystem } from './worker/system.ts';
export { teachLines } from './worker/teachProcess.ts';
export { TeachingWorker } from './worker/worker.ts';
