// The critic that is the reasoner itself, without its adapter. As long as the reasoner has none, the two are one, and
// share a cache; the model is loaded a second time only when they differ (its weights are mapped once all the same).
import type { GenerateEvent, GenerateRequest } from '../protocol/index.ts';
import type { LanguageModel, LoadedModel } from './languageModel.ts';

/**
 * @param reasoner the model that writes, with or without an adapter
 * @param base the same model without one; not touched while the reasoner has none
 */
export function criticBeside(reasoner: LanguageModel, base: LanguageModel): LanguageModel {
  const choose = async (signal: AbortSignal): Promise<LanguageModel> =>
    (await reasoner.load(signal)).adapter === null ? reasoner : base;
  return {
    async load(signal, onWait): Promise<LoadedModel> {
      return await (await choose(signal)).load(signal, onWait);
    },
    async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
      yield* (await choose(signal)).generate(request, signal);
    },
    tokenize: (text, signal) => reasoner.tokenize(text, signal),
  };
}
