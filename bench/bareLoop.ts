// The plainest loop over node-llama-cpp, in a process of its own: what bench/generation.ts compares the engine with.
//   forked with the arguments FILE CONTEXT-TOKENS THREADS, where THREADS may be "default"
import { getLlama, type Token } from 'node-llama-cpp';

/** What the parent asks for, and what it gets: times in milliseconds, processor time in seconds. */
export interface BareRequest {
  readonly prompt: string;
  readonly maxTokens: number;
  /** Writing ends after this time at the latest: too many threads on a busy machine can take minutes. */
  readonly limitMs: number;
}
export interface BareResult {
  readonly promptTokens: number;
  readonly generated: number;
  readonly firstMs: number;
  readonly restMs: number;
  readonly wallSeconds: number;
  readonly processorSeconds: number;
}

const [file = '', contextTokens = '', threads = 'default'] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({
  contextSize: Number(contextTokens),
  ...(threads === 'default' ? {} : { threads: Number(threads) }),
});
const sequence = context.getSequence();

async function run({ prompt, maxTokens, limitMs }: BareRequest): Promise<BareResult> {
  await sequence.clearHistory();
  const used = process.cpuUsage();
  const started = performance.now();
  const promptTokens = model.tokenize(prompt, true);
  const answer: Token[] = [];
  let first = 0;
  let text = '';
  for await (const token of sequence.evaluate(promptTokens, { temperature: 0 })) {
    text += model.detokenize([token], false, answer);
    answer.push(token);
    if (answer.length === 1) first = performance.now();
    if (answer.length >= maxTokens || performance.now() - first > limitMs) break;
  }
  const ended = performance.now();
  const { user, system } = process.cpuUsage(used);
  if (text === '') throw new Error('Nothing was generated.');
  return {
    promptTokens: promptTokens.length,
    generated: answer.length,
    firstMs: first - started,
    restMs: ended - first,
    wallSeconds: (ended - started) / 1000,
    processorSeconds: (user + system) / 1e6,
  };
}

process.on('message', (request: BareRequest) => {
  void run(request).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
