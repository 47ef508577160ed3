// Parts for tests of this room: a setup, questions, a critic, and ways to read a report.
import assert from 'node:assert/strict';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import type { LanguageModel } from '../engine/languageModel.ts';
import type {
  EvaluationQuestion,
  EvaluationReport,
  EvaluationSetup,
  Figure,
  GenerateEvent,
} from '../protocol/index.ts';

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

export const marks = (value: number): string =>
  JSON.stringify({ grounded: value, answers: value, specific: value, consistent: value });

export function figureOf({ sections }: EvaluationReport, title: string, of: string, what: string): Figure {
  const section = sections.find((candidate) => candidate.title === title);
  const found = section?.figures.find((candidate) => candidate.of === of && candidate.what === what);
  assert.ok(found, `${title}: ${of}, ${what}`);
  return found;
}

export function closeTo(actual: number | null, expected: number, what = ''): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) < 1e-9,
    `${what} ${actual} instead of ${expected}`,
  );
}

/** A critic that gives each text the marks that it is told, and keeps what it was shown. Other words it has scripted. */
export class JudgingModel implements LanguageModel {
  readonly seen: string[] = [];
  readonly #marks: ReadonlyMap<string, number>;
  readonly #otherwise: number | undefined;
  readonly #scripted: ScriptedModel;

  /** @param otherwise marks for a text that is not in the map; undefined: there must be none */
  constructor(marksOfTexts: ReadonlyMap<string, number>, otherwise?: number, script: readonly string[] = []) {
    this.#marks = marksOfTexts;
    this.#otherwise = otherwise;
    this.#scripted = new ScriptedModel(script);
  }

  load(signal: AbortSignal): ReturnType<LanguageModel['load']> {
    return this.#scripted.load(signal);
  }

  tokenize(text: string): Promise<number[]> {
    return this.#scripted.tokenize(text);
  }

  async *generate(
    request: Parameters<LanguageModel['generate']>[0],
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    if (request.jsonSchema === undefined) {
      yield* this.#scripted.generate(request, signal);
      return;
    }
    const { messages } = request;
    const shown = messages.findLast(({ role }) => role === 'assistant')?.text ?? '';
    this.seen.push(messages.map(({ text }) => text).join('\n'));
    const value = this.#marks.get(shown) ?? this.#otherwise;
    if (value === undefined) throw new Error(`no marks for ${shown}`);
    yield { event: 'text', text: marks(value), tokens: [1] };
    const tokens = { prompt: 1, reused: 0, generated: 1 };
    yield { event: 'end', reason: 'end-of-turn', stop: null, tokens, seconds: 0 };
  }
}
