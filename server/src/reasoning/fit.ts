// What is left out when a prompt outgrows the model's context, by rule: passages with the lowest scores first; of the
// integration the thinking, then the answers that scored lowest. Whatever is left out is told in a sentence.
import type { ChatMessage, Iteration, Passage, Sampler } from '../protocol/index.ts';
import { Conversation } from './prompts.ts';
import type { ReasonTask } from './reason.ts';

type CountTokens = (text: string) => Promise<number>;

/** For the chat template's own tokens, the critic's requests, and what a tokenizer joins differently. */
const reserveTokens = 320;

export interface FittedPassages {
  readonly conversation: Conversation;
  readonly passages: readonly Passage[];
  readonly omitted: readonly string[];
}

/**
 * The conversation with as many passages as leave room for an iteration and the critic's thinking after it. Its
 * beginning stays the same for the whole run, so that it is evaluated once.
 * @param room tokens of the context
 */
export async function fitPassages(
  task: ReasonTask,
  found: { readonly passages: readonly Passage[]; readonly nothingRelevant: boolean },
  room: number,
  countTokens: CountTokens,
): Promise<FittedPassages> {
  const { thinkingTokens, reflectionTokens, answerTokens } = task.sampler;
  const thinking = thinkingTokens * task.thinkingSections;
  const iteration = thinking + (task.reflects ? reflectionTokens : 0) + answerTokens;
  const after = task.iterations > 0 ? Math.max(thinking, answerTokens) : 0;
  const budget = room - iteration - after - reserveTokens;
  // The order stays; what goes is chosen by score.
  const kept = [...found.passages];
  for (;;) {
    const conversation = new Conversation({
      ...task,
      passages: kept,
      nothingRelevant: found.nothingRelevant,
    });
    const dropped = found.passages.length - kept.length;
    if (kept.length === 0 || (await countTokens(textOf(conversation.opening()))) <= budget) {
      return { conversation, passages: kept, omitted: dropped === 0 ? [] : [passagesOmitted(dropped)] };
    }
    const weakest = kept.reduce((lowest, passage) => (passage.score < lowest.score ? passage : lowest));
    kept.splice(kept.indexOf(weakest), 1);
  }
}

function passagesOmitted(count: number): string {
  const what =
    count === 1 ? 'The passage with the lowest score' : `The ${count} passages with the lowest scores`;
  return `${what} did not fit into the model's context.`;
}

export interface FittedIntegration {
  /** The earlier answers that are shown, in their order. */
  readonly answers: readonly Iteration[];
  /** Whether the last iteration is shown with its thinking, which stands in the cache. */
  readonly lastWhole: boolean;
  readonly omitted: readonly string[];
}

/** What of the iterations fits into the prompt of the integration. */
export async function fitIntegration(
  opening: readonly ChatMessage[],
  iterations: readonly Iteration[],
  sampler: Sampler,
  { room, countTokens }: { room: number; countTokens: CountTokens },
): Promise<FittedIntegration> {
  const budget = room - sampler.answerTokens - reserveTokens - (await countTokens(textOf(opening)));
  const last = iterations.at(-1);
  const thinking = await countTokens(last ? last.thinking + last.reflection : '');
  const sizes = new Map<Iteration, number>();
  for (const iteration of iterations) sizes.set(iteration, await countTokens(iteration.answer));
  const total = (kept: readonly Iteration[]): number =>
    [...kept, ...(last ? [last] : [])].reduce((sum, iteration) => sum + (sizes.get(iteration) ?? 0), 0);
  const answers = iterations.slice(0, -1);
  if (thinking + total(answers) <= budget) return { answers, lastWhole: true, omitted: [] };
  const omitted = [
    'The integration was shown the answers without their thinking: not all fitted into the context.',
  ];
  const kept = [...answers];
  while (kept.length > 0 && total(kept) > budget) {
    const weakest = kept.reduce((lowest, one) => ((one.score ?? 0) < (lowest.score ?? 0) ? one : lowest));
    kept.splice(kept.indexOf(weakest), 1);
    omitted.push(`The integration was not shown answer ${weakest.index}: it did not fit into the context.`);
  }
  return { answers: kept, lastWhole: false, omitted };
}

function textOf(messages: readonly ChatMessage[]): string {
  return messages.map(({ text }) => text).join('\n');
}
