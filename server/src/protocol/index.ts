// The one source of truth for every message, setting and stored record.
// Knows neither Node nor the DOM nor VS Code: it compiles without their types.
export * from './adapters.ts';
export * from './board.ts';
export * from './commands.ts';
export * from './engine.ts';
export * from './evaluation.ts';
export * from './gate.ts';
export * from './graphView.ts';
export * from './job.ts';
export * from './keeping.ts';
export * from './ledger.ts';
export * from './methods/index.ts';
export * from './models.ts';
export * from './pairs.ts';
export * from './queue.ts';
export * from './reasoning.ts';
export * from './retrieval.ts';
export * from './review.ts';
export * from './settings.ts';
export * from './teaching.ts';
export * from './teachingWorker.ts';
export * from './text.ts';
export * from './trainer.ts';
export * from './training.ts';
export * from './trainingRuns.ts';
export * from './trainingView.ts';
export * from './views.ts';
