// Reasoning: prompts, the reader of thinking and reflection, and the run itself.
// Imports neither an editor nor a model library: those come in as ports.
export { draftPrompt, ownTask, promptVersion, tasks, type Subject, type Task } from './prompts.ts';
export { reason, type ReasonPorts, type ReasonTask } from './reason.ts';
export { markerTexts, readSegments, SegmentReader, textOf, type SegmentEvent } from './segments.ts';
export { repetition, signalsOf } from './signals.ts';
