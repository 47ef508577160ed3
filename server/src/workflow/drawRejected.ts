// What a lone accept lacks: the current model's own answer to its prompt, drawn when a training set is built (method,
// section 3), so that the set moves with the model. Nothing is kept; the next set has other ones.
import { throwIfCancelled } from '../errors.ts';
import type { LanguageModel } from '../engine/languageModel.ts';
import { completionOf, pairId } from '../preferences/index.ts';
import type { PreferencePair } from '../protocol/index.ts';
import { SegmentReader } from '../reasoning/index.ts';
import { isKept } from './pairSelection.ts';

/** A model that goes on for longer than this many times the accepted text says nothing more by it. */
const longerBy = 1.5;
const leastTokens = 32;

export interface DrawOptions {
  readonly temperature: number;
  readonly seed: number;
  /** Hears how many of how many are done. */
  readonly onStep: (done: number, of: number) => void;
}

/**
 * All pairs, those that want a rejected text with one. A model that says nothing, or the very text that was accepted,
 * leaves its pair alone.
 * @throws PreflexorError `cancelled`, and what the model throws
 */
export async function drawRejected(
  pairs: readonly PreferencePair[],
  model: LanguageModel,
  options: DrawOptions,
  signal: AbortSignal,
): Promise<PreferencePair[]> {
  const wanting = new Set(pairs.filter((pair) => pair.wants === 'rejected' && isKept(pair)));
  const drawn: PreferencePair[] = [];
  let done = 0;
  for (const pair of pairs) {
    if (!wanting.has(pair)) {
      drawn.push(pair);
      continue;
    }
    throwIfCancelled(signal);
    options.onStep(done, wanting.size);
    drawn.push(await withRejected(pair, model, { ...options, seed: options.seed + done }, signal));
    done += 1;
  }
  if (wanting.size > 0) options.onStep(done, wanting.size);
  return drawn;
}

async function withRejected(
  pair: PreferencePair,
  model: LanguageModel,
  { temperature, seed }: Pick<DrawOptions, 'temperature' | 'seed'>,
  signal: AbortSignal,
): Promise<PreferencePair> {
  const { markers } = await model.load(signal);
  const length = (await model.tokenize(pair.chosen ?? '', signal)).length;
  const reader = new SegmentReader(markers);
  const request = {
    messages: pair.prompt.map(({ role, content }) => ({ role, text: content })),
    ...{ prefix: '', stop: [], temperature, seed },
    maxTokens: Math.max(leastTokens, Math.ceil(length * longerBy)),
  };
  for await (const event of model.generate(request, signal)) {
    if (event.event === 'text') reader.push(event.text, event.tokens.length);
  }
  reader.end();
  const of = (kind: 'thinking' | 'reflection' | 'answer'): string =>
    reader
      .segments()
      .filter((segment) => segment.kind === kind)
      .map(({ text }) => text.trim())
      .join('\n\n');
  // With the markers that the chosen text has, whatever the model's own are.
  const { text, spans } = completionOf({
    thinking: of('thinking'),
    reflection: of('reflection'),
    answer: of('answer'),
  });
  if (text === '' || text === pair.chosen?.trim()) return pair;
  const whole: PreferencePair = {
    ...pair,
    ...{ rejected: text, wants: null, spans: { ...pair.spans, rejected: [...spans] } },
  };
  return { ...whole, id: pairId(whole) };
}
