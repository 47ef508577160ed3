// The models that pairs are checked with, opened only where a check asks for them.
import { withTokenizer } from '../composition.ts';
import { PreflexorError } from '../errors.ts';
import type { EmbedTexts } from '../preferences/index.ts';
import { logged, settingsOf, withLibrary } from './context.ts';
import type { WithCheckPorts } from './pairs.ts';

export const withCheckPorts: WithCheckPorts = async (context, root, { embed, maxTokens }, work) => {
  const settings = settingsOf(context.options);
  return await withLibrary(context, root, settings, async (library) => {
    const embedTexts: EmbedTexts = (texts, signal) => library.embed(root, texts, signal);
    const hasEmbedder = embed === 'always' || (embed === 'where-there-is-one' && (await isThere(embedTexts)));
    const ports = {
      embed: hasEmbedder ? embedTexts : null,
      onCompared: (done: number, total: number): void => {
        context.output.progress(`Looking for near-duplicates: ${done} of ${total} pairs`);
      },
    };
    if (maxTokens === null) return await work({ ...ports, tokens: null });
    const onLog = (text: string): void => {
      logged(context, text);
    };
    return await withTokenizer(settings, context.home, onLog, async (tokenizer) =>
      work({
        ...ports,
        tokens: {
          limit: maxTokens,
          count: (texts, signal) =>
            Promise.all(texts.map(async (text) => (await tokenizer.tokenize(text, signal)).length)),
        },
      }),
    );
  });

  async function isThere(embedTexts: EmbedTexts): Promise<boolean> {
    try {
      // Asks which model it is, and embeds nothing.
      await embedTexts([], context.signal);
      return true;
    } catch (error) {
      if (!PreflexorError.is(error, 'no-model')) throw error;
      context.output.say('Near-duplicates are not looked for: there is no embedding model here.');
      return false;
    }
  }
};
