// The plainest embedding loop over node-llama-cpp, in a process of its own: what bench/embedding.ts compares with.
//   forked with the arguments FILE THREADS; sent an array of texts, it embeds them one by one
import { getLlama } from 'node-llama-cpp';

/** Seconds for all texts. */
export type BareEmbeddingResult = number;

const [file = '', threads = '1'] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createEmbeddingContext({ contextSize: 257, threads: Number(threads) });

async function run(texts: readonly string[]): Promise<BareEmbeddingResult> {
  const started = performance.now();
  for (const text of texts) {
    const { vector } = await context.getEmbeddingFor(text);
    if (vector.length === 0) throw new Error('Nothing was embedded.');
  }
  return (performance.now() - started) / 1000;
}

process.on('message', (texts: readonly string[]) => {
  void run(texts).then((seconds) => process.send?.(seconds));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
