// The conversation of a run: which prompt follows on which. All steps begin with the same system prompt and the
// same draft prompt, so that their tokens are evaluated once per model (method, section 2: cost).
import type { ChatMessage, MarkerProfile, Passage, Task } from '../protocol/index.ts';
import type { PromptSet, PromptValues } from './promptSet.ts';

/** The paragraph and its surroundings, as the model is shown them. */
export interface Subject {
  readonly headingPath: readonly string[];
  readonly before: string;
  readonly paragraph: string;
  readonly after: string;
}

/** What the models have written so far in one iteration. */
export interface Written {
  readonly thinking: readonly string[];
  readonly reflection: string | null;
  readonly answer: string | null;
}

export interface ConversationParts {
  readonly prompts: PromptSet;
  readonly subject: Subject;
  readonly task: Task;
  readonly thinkingParts: readonly string[];
  readonly reflects: boolean;
  readonly passages: readonly Passage[];
  readonly nothingRelevant: boolean;
}

/** Makes the messages of each step. */
export class Conversation {
  readonly #prompts: PromptSet;
  readonly #values: PromptValues;
  readonly #opening: readonly ChatMessage[];

  constructor(parts: ConversationParts) {
    const { prompts, subject, task, passages } = parts;
    this.#prompts = prompts;
    this.#values = { ...task, parts: parts.thinkingParts.join(', '), reflects: parts.reflects };
    const draft = prompts.render('draft', {
      ...this.#values,
      ...subject,
      headingPath: subject.headingPath.join(' > '),
      nothingRelevant: parts.nothingRelevant,
      passages: passages.map(({ source, page, heading, citekey, readable, text }) => ({
        source,
        page,
        heading: heading.join(' > '),
        citekey: citekey ?? null,
        text: readable ?? text,
      })),
    });
    this.#opening = [
      { role: 'system', text: prompts.render('system', this.#values) },
      { role: 'user', text: draft },
    ];
  }

  /** The prompt that all steps begin with: the question with everything that is shown for it. */
  opening(): ChatMessage[] {
    return [...this.#opening];
  }

  /** Asks the critic what is wrong with this thinking. */
  critique(thinking: string): ChatMessage[] {
    return this.#after(thinking, this.#prompts.render('critique', this.#values));
  }

  /** Asks the critic for the thinking again. @param feedback a critique; null: the reflection stands in `before` */
  improve(before: string, feedback: string | null): ChatMessage[] {
    return this.#after(
      before,
      this.#prompts.render('improve', { ...this.#values, feedback: feedback ?? '' }),
    );
  }

  /** Asks the critic for marks. @param reading 0 or 1: the second one asks in another order */
  score(before: string, reading: number): ChatMessage[] {
    return this.#after(before, this.#prompts.render('score', { ...this.#values, turned: reading === 1 }));
  }

  /** Asks the critic for one answer. @param before the last iteration; `answers` the ones before it */
  integrate(before: string, answers: readonly { index: number; text: string }[]): ChatMessage[] {
    return this.#after(before, this.#prompts.render('integrate', { ...this.#values, answers }));
  }

  #after(assistant: string, user: string): ChatMessage[] {
    return [...this.#opening, { role: 'assistant', text: assistant }, { role: 'user', text: user }];
  }
}

/** An iteration as the model writes it, markers and all, as far as it has got. */
export function transcript({ thinking, reflection }: MarkerProfile, written: Written): string {
  const marked = (marker: { start: string; end: string }, text: string): string =>
    `${marker.start}\n${text.trimEnd()}\n${marker.end}\n\n`;
  return (
    written.thinking.map((text) => marked(thinking, text)).join('') +
    (written.reflection === null ? '' : marked(reflection, written.reflection)) +
    (written.answer ?? '')
  );
}
