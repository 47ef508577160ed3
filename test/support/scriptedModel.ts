// A small real implementation of the model port: it writes what its script says, word by word, and keeps the rules
// that the port promises (stop strings, token budgets, abort). Each word with the space before it is one token.
import type { Engine, LanguageModel, LoadedModel } from '../../server/src/engine/languageModel.ts';
import { cancelled } from '../../server/src/errors.ts';
import {
  preflexorMarkers,
  type EngineStatus,
  type GenerateEvent,
  type GenerateRequest,
} from '../../server/src/protocol/index.ts';

function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

export class ScriptedModel implements LanguageModel {
  readonly requests: GenerateRequest[] = [];
  readonly #script: string[];
  readonly #onWord: (word: string) => void;

  /** @param script one completion for each request; `onWord` hears each word before it is given */
  constructor(script: readonly string[], onWord: (word: string) => void = () => undefined) {
    this.#script = [...script];
    this.#onWord = onWord;
  }

  load(
    signal: AbortSignal,
    onWait: (reason: string, fraction: number | null) => void = () => undefined,
  ): Promise<LoadedModel> {
    if (signal.aborted) return Promise.reject(cancelled());
    onWait('Loading the model', 0.5);
    return Promise.resolve({
      file: '/models/scripted.gguf',
      architecture: 'scripted',
      parameters: 1,
      backend: 'cpu',
      fallback: null,
      contextTokens: 4096,
      trainedContextTokens: 4096,
      threads: { prompt: 2, generation: 1 },
      memoryBytes: 1,
      identity: { id: 'scripted', file: 'scripted.gguf', sha256: '0'.repeat(64) },
      adapter: null,
      markers: preflexorMarkers,
    });
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.requests.push(request);
    const completion = this.#script.shift();
    if (completion === undefined) throw new Error('the script has no more completions');
    const ends = request.stop.flatMap((stop) =>
      completion.includes(stop) ? [completion.indexOf(stop)] : [],
    );
    const end = Math.min(completion.length, ...ends);
    const stop = request.stop.find((text) => completion.startsWith(text, end)) ?? null;
    const all = words(completion.slice(0, end));
    const given = all.slice(0, request.maxTokens);
    const prompt = words(request.messages.map((message) => message.text).join(' ') + request.prefix).length;
    yield { event: 'prompt', tokens: prompt, reused: 0 };
    for (const [index, word] of given.entries()) {
      this.#onWord(word);
      await Promise.resolve();
      if (signal.aborted) throw cancelled();
      yield { event: 'text', text: word, tokens: [index] };
    }
    yield {
      event: 'end',
      reason: given.length < all.length ? 'length' : stop === null ? 'end-of-turn' : 'stop',
      stop: given.length < all.length ? null : stop,
      tokens: { prompt, reused: 0, generated: given.length },
      seconds: 0,
    };
  }

  tokenize(text: string): Promise<number[]> {
    return Promise.resolve(words(text).map((_, index) => index));
  }
}

/** The scripted model with the life of an engine: it is always ready. */
export class ScriptedEngine extends ScriptedModel implements Engine {
  status(): EngineStatus {
    return {
      state: 'ready',
      model: 'scripted',
      fraction: null,
      backend: 'cpu',
      fallback: null,
      contextTokens: 4096,
      threads: { prompt: 2, generation: 1 },
      tokensPerSecond: null,
      memoryBytes: 1,
      error: null,
    };
  }

  onStatus(): () => void {
    return () => undefined;
  }

  unload(): Promise<void> {
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
