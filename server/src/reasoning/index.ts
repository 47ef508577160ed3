// Reasoning: prompts, the reader of thinking and reflection, and the run itself.
// Imports neither an editor nor a model library: those come in as ports.
export { Conversation, transcript, type Subject, type Written } from './prompts.ts';
export {
  promptSet,
  templateNames,
  type PromptFiles,
  type PromptLayer,
  type PromptPassage,
  type PromptSet,
  type PromptValues,
  type TemplateName,
} from './promptSet.ts';
export { readMarks, rubricSchema, rubricTokens } from './recursion.ts';
export { bestOf, reason, type ReasonPorts, type ReasonTask, type RunStart } from './reason.ts';
export { markerTexts, readSegments, SegmentReader, textOf, type SegmentEvent } from './segments.ts';
export { changedShare, repetition, scoreOf, sharedWords, signalsOf, spreadOf } from './signals.ts';
