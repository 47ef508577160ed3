// Embeds at once, with vectors as wide as a real model's: for measuring what carrying them costs.
import { reply, runFakeHost } from './fakeHost.ts';

const dimensions = 384;

runFakeHost({
  loadEncoder: ({ request, load }) => {
    reply({
      is: 'encoder-loaded',
      request,
      encoder: {
        ...{ file: load.file, architecture: 'fake', backend: load.gpu, fallback: null },
        ...{ dimensions, maxTokens: load.maxTokens, cores: 1, memoryBytes: 1000 },
      },
    });
  },
  embed: ({ request, embed: { texts } }) => {
    const vectors = new Float32Array(texts.length * dimensions).fill(1);
    reply({ is: 'embedded', request, vectors, tokens: texts.length, seconds: 0.001 });
  },
});
