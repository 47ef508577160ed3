// One completion on a loaded model: prompt in, events out. Computes in short steps, between which it can stop.
// Knows no processes: events go to a function, cancelling is an AbortSignal.
import type { LlamaGrammarEvaluationState, Token } from 'node-llama-cpp';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import type { GenerateEvent, GenerateRequest } from '../../protocol/index.ts';
import { coldCache, extended, planPrompt, replan, truncated } from './cachePlan.ts';
import { StopReader, TokenDecoder, type CompletionPiece } from './completionText.ts';
import type { ModelSession } from './modelSession.ts';
import { alignedPrompt } from './reuse.ts';

/** llama.cpp's own defaults, named so that an update of the library cannot change what a seed gives. */
const sampling = { topK: 40, topP: 0.95, minP: 0 } as const;

/**
 * The DRY penalty of llama.cpp: a run of tokens longer than `allowedLength` that comes again is made unlikely,
 * exponentially with its length. The sampler sees this completion's own tokens only, so the prompt can be quoted.
 */
const noLoops = {
  strength: 0.8,
  base: 1.75,
  allowedLength: 6,
  lastTokens: 4096,
  sequenceBreakers: [] as string[],
};

/** llama.cpp reads the largest 32-bit number as "choose a seed". */
const seeds = 0xffff_ffff;

/**
 * Generates one completion; resolves after the `end` event.
 * The same request on a fresh session gives the same events, times aside.
 * @throws PreflexorError `context-too-small` with the numbers, `cancelled`, `engine-failed`
 */
export async function generate(
  session: ModelSession,
  request: GenerateRequest,
  signal: AbortSignal,
  emit: (event: GenerateEvent) => void,
): Promise<void> {
  const started = performance.now();
  const tokens = promptTokens(session, request);
  requireRoom(session, request, tokens.length);
  try {
    const reused = await evaluatePrompt(session, tokens, signal);
    emit({ event: 'prompt', tokens: tokens.length, reused });
    const ending = await writeText(session, request, tokens, signal, emit);
    emit({
      event: 'end',
      reason: ending.reason,
      stop: ending.stop,
      tokens: { prompt: tokens.length, reused, generated: ending.generated },
      seconds: (performance.now() - started) / 1000,
    });
  } catch (error) {
    // Cancelling leaves whole batches in the cache. After anything else nobody knows what is in it.
    if (!PreflexorError.is(error, 'cancelled')) await forget(session);
    throw error;
  }
}

/** The prompt's tokens; text that was generated here is cut as it was generated. */
function promptTokens({ format, sequence, model }: ModelSession, request: GenerateRequest): readonly Token[] {
  const tokens = format.tokens(request.messages, request.prefix);
  return alignedPrompt(
    sequence.contextTokens,
    tokens,
    (ids) => model.detokenize(ids as Token[], true),
    (token) => model.isSpecialToken(token),
  );
}

function requireRoom({ contextTokens }: ModelSession, { maxTokens }: GenerateRequest, prompt: number): void {
  if (prompt + maxTokens <= contextTokens) return;
  const numbers = [prompt, maxTokens, contextTokens].map((count) => count.toLocaleString('en'));
  throw new PreflexorError(
    'context-too-small',
    `The prompt has ${numbers[0] ?? ''} tokens and the answer may have ${numbers[1] ?? ''}, ` +
      `but the model's context holds ${numbers[2] ?? ''}.`,
    {
      remedy: 'Shorten the paragraph, lower the token budgets, or set preflexor.engine.contextTokens higher.',
    },
  );
}

async function forget(session: ModelSession): Promise<void> {
  session.cache = coldCache;
  await session.sequence.clearHistory();
}

/** Brings all of the prompt but its last token into the cache; gives how many tokens were there already. */
async function evaluatePrompt(
  session: ModelSession,
  tokens: readonly Token[],
  signal: AbortSignal,
): Promise<number> {
  const { sequence, batchTokens } = session;
  throwIfCancelled(signal);
  const common = sequence.compareContextTokens([...tokens]).firstDifferentIndex;
  const wished = planPrompt(session.cache, common, tokens.length, batchTokens);
  await sequence.adaptStateToTokens(tokens.slice(0, wished.keep), false);
  // Models with sliding windows can go back only to a checkpoint: then it is fewer.
  const reused = sequence.nextTokenIndex;
  const { batchEnds } = reused === wished.keep ? wished : replan(reused, tokens.length, batchTokens);
  session.cache = truncated(session.cache, reused);
  session.setThreads(session.threads.prompt);
  let start = reused;
  for (const end of batchEnds) {
    throwIfCancelled(signal);
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(start, end));
    session.cache = extended(session.cache, start, end);
    start = end;
  }
  if (sequence.needsCheckpoints) await sequence.takeCheckpoint();
  throwIfCancelled(signal);
  return reused;
}

interface Ending {
  readonly reason: 'end-of-turn' | 'stop' | 'length';
  readonly stop: string | null;
  readonly generated: number;
}

/** The token loop. Tokens that a stop string swallows were generated all the same and are counted. */
async function writeText(
  session: ModelSession,
  request: GenerateRequest,
  prompt: readonly Token[],
  signal: AbortSignal,
  emit: (event: GenerateEvent) => void,
): Promise<Ending> {
  const { stop, maxTokens, temperature, seed, avoidLoops } = request;
  const { model, sequence, format } = session;
  const decoder = new TokenDecoder((ids) => model.detokenize(ids as Token[], true), prompt);
  const reader = new StopReader(stop);
  let waiting: Token[] = [];
  let generated = 0;
  let written = '';
  const say = ({ text, tokens }: CompletionPiece) => {
    if (text !== '' || tokens.length > 0) emit({ event: 'text', text, tokens: [...tokens] });
  };

  session.setThreads(session.threads.generation);
  const dry = avoidLoops === true && { dryRepeatPenalty: noLoops };
  const grammar = await grammarOf(session, request);
  const options = {
    ...{ ...sampling, temperature, seed: seed % seeds, ...dry },
    ...(grammar && { grammarEvaluationState: grammar }),
  };
  let reason: Ending['reason'] = 'end-of-turn';
  for await (const token of sequence.evaluate(prompt.slice(-1), options)) {
    if (signal.aborted) throw cancelled();
    if (format.endTokens.has(token)) break;
    generated += 1;
    waiting.push(token);
    const text = decoder.push(token);
    if (text !== null) {
      const piece = reader.push(text, waiting);
      waiting = [];
      say(piece);
      if (piece.stop !== null) return { reason: 'stop', stop: piece.stop, generated };
    }
    // The grammar allows white space without end after a document that is whole.
    written += text ?? '';
    if (grammar && isJson(written)) break;
    if (generated >= maxTokens) {
      reason = 'length';
      break;
    }
  }
  if (signal.aborted) throw cancelled();
  const last = reader.end(decoder.end(), waiting);
  say(last);
  return last.stop === null
    ? { reason, stop: null, generated }
    : { reason: 'stop', stop: last.stop, generated };
}

/** What holds the text to the request's schema, fresh for each completion. */
async function grammarOf(
  { library, model }: ModelSession,
  { jsonSchema }: GenerateRequest,
): Promise<LlamaGrammarEvaluationState | null> {
  if (!jsonSchema) return null;
  try {
    // The schema was made here or came over a checked channel; what the library does not know, it refuses.
    const schema = jsonSchema as Parameters<typeof model.llama.createGrammarForJsonSchema>[0];
    const grammar = await model.llama.createGrammarForJsonSchema(schema);
    return new library.LlamaGrammarEvaluationState({ model, grammar });
  } catch (error) {
    throw new PreflexorError('bad-input', 'This JSON schema cannot be turned into a grammar.', {
      cause: error,
    });
  }
}

function isJson(text: string): boolean {
  if (!/[}\]]\s*$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
