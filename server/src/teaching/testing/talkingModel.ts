// For the tests of this room: a model whose every completion is what a function says to the request.
import type { LanguageModel, LoadedModel } from '../../engine/index.ts';
import { cancelled } from '../../errors.ts';
import { preflexorMarkers, type GenerateEvent, type GenerateRequest } from '../../protocol/index.ts';

export class TalkingModel implements LanguageModel {
  readonly requests: GenerateRequest[] = [];
  readonly say: (request: GenerateRequest) => string;

  constructor(say: (request: GenerateRequest) => string) {
    this.say = say;
  }

  load(): Promise<LoadedModel> {
    return Promise.resolve({
      ...{
        file: '/models/talking.gguf',
        architecture: 'talking',
        parameters: 1,
        backend: 'cpu',
        fallback: null,
      },
      ...{
        contextTokens: 4096,
        trainedContextTokens: 4096,
        threads: { prompt: 1, generation: 1 },
        memoryBytes: 1,
      },
      identity: { id: 'talking', file: 'talking.gguf', sha256: '0'.repeat(64) },
      adapter: null,
      markers: preflexorMarkers,
    });
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.requests.push(request);
    const said = this.say(request);
    await Promise.resolve();
    if (signal.aborted) throw cancelled();
    const places = request.stop.map((stop) => ({ stop, at: said.indexOf(stop) })).filter(({ at }) => at >= 0);
    const [end] = places.sort((one, other) => one.at - other.at);
    yield { event: 'text', text: end ? said.slice(0, end.at) : said, tokens: [1] };
    yield {
      event: 'end',
      reason: end ? 'stop' : 'end-of-turn',
      stop: end?.stop ?? null,
      tokens: { prompt: 1, reused: 0, generated: 1 },
      seconds: 0,
    };
  }

  tokenize(text: string): Promise<number[]> {
    return Promise.resolve(text.split(' ').map((_, index) => index));
  }
}
