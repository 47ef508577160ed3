// Parts for tests of this room: a setup, questions.
import type { EvaluationQuestion, EvaluationSetup } from '../protocol/index.ts';

export function setupExample(change: Partial<EvaluationSetup> = {}): EvaluationSetup {
  return {
    ...{ experiment: 'iterations', version: '0.0.0', seed: 7, iterations: 1, prompts: 'p q' },
    sampler: {
      ...{ seed: 7, temperature: 0.1, criticTemperature: 0.2, avoidLoops: true },
      ...{ thinkingTokens: 60, reflectionTokens: 60, answerTokens: 60 },
    },
    questions: { source: 'q.jsonl', sha256: 'f'.repeat(64), count: 2 },
    ...{ models: ['scripted'], critic: 'scripted', adapter: null },
    ...change,
  };
}

/** A question about a text; nothing is known of its answer. */
export function openQuestion(id: string): EvaluationQuestion {
  return {
    ...{ id, question: `Why, ${id}?`, choices: null, answer: null },
    context: 'The alloy is hard since its grains are small.',
  };
}

/** A sum whose answer is known. */
export function sumQuestion(id: string, value: string): EvaluationQuestion {
  const question = `How many are ${id}?`;
  return { id, question, context: null, choices: null, answer: { kind: 'number', value } };
}
