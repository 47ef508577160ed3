// Evaluation: the experiments of the method's section 6 on a user's own questions and models, resumable, with a report.
// Imports neither an editor nor a native library: models come in as ports.
export { complete, type Completed } from './asking.ts';
export { svgOf, type Chart, type Series } from './chart/index.ts';
export { evaluate, type Evaluation, type EvaluationPorts, type EvaluationProgress } from './evaluate.ts';
export { choicesOf } from './experiments/index.ts';
export type { Decisions, SampleMaker, TrainingBench } from './experiment.ts';
export { judge, type Judging } from './judge.ts';
export { journalName } from './journal.ts';
export { evaluationPromptVersion } from './prompts.ts';
export { questionsFromParagraphs, questionsHash, readQuestions, type SourceParagraph } from './questions.ts';
export { seededRandom, seedFor } from './random.ts';
export { markdownOf } from './report.ts';
export { estimate, mean, share } from './statistics.ts';
