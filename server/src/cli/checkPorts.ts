// The models that pairs are checked with, opened only where a check asks for them.
import { createEmbedder, withTokenizer } from '../composition.ts';
import type { EmbedTexts } from '../preferences/index.ts';
import { logged, settingsOf } from './context.ts';
import type { WithCheckPorts } from './pairs.ts';

export const withCheckPorts: WithCheckPorts = async (context, _root, { embed, maxTokens }, work) => {
  const settings = settingsOf(context.options);
  const onLog = (text: string): void => {
    logged(context, text);
  };
  const embedder = embed ? createEmbedder(settings, context.home, { onLog, compute: context.compute }) : null;
  const embedTexts: EmbedTexts | null = embedder
    ? (texts, signal) => embedder.embed(texts, 'passage', signal)
    : null;
  try {
    if (maxTokens === null) return await work({ embed: embedTexts, tokens: null });
    return await withTokenizer(settings, context.home, onLog, async (tokenizer) =>
      work({
        embed: embedTexts,
        tokens: {
          limit: maxTokens,
          count: (texts, signal) =>
            Promise.all(texts.map(async (text) => (await tokenizer.tokenize(text, signal)).length)),
        },
      }),
    );
  } finally {
    await embedder?.dispose();
  }
};
