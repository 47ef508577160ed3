// Times short prompts and short generations on a loaded model with different numbers of threads.
// Leaves the sequence empty. What the times mean is threads.ts's business.
import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { throwIfCancelled } from '../../errors.ts';
import type { Meter } from './threads.ts';

const mostPromptTokens = 64;
const fewestPromptTokens = 8;
const mostGeneratedTokens = 6;
/** What one run should take, so that large models are not measured for minutes. */
const promptRunSeconds = 0.25;
const generationRunSeconds = 0.08;

const text = `A gradient of composition across an interface spreads the mismatch between two materials over a
distance, so that no single plane has to carry it. Whether that makes the joint stronger depends on how the
width of the gradient compares with the length over which a crack feels the stress at its tip.`;

export interface SpeedMeterParts {
  readonly sequence: LlamaContextSequence;
  readonly setThreads: (threads: number) => void;
  readonly cores: number;
  readonly signal: AbortSignal;
}

export interface SpeedMeter {
  readonly meter: Meter;
  /** Whether the threads got the processor time that they asked for: false when others were busy too. */
  readonly quiet: () => boolean;
}

/** Warms the model up (its file may not be in memory yet) and fits the length of the runs to its speed. */
export async function createSpeedMeter({
  sequence,
  setThreads,
  cores,
  signal,
}: SpeedMeterParts): Promise<SpeedMeter> {
  const tokens = sequence.model.tokenize(text);
  const first = tokens[0];
  if (first === undefined) throw new Error('The vocabulary has no token for ordinary text.');
  let processorSeconds = 0;
  let askedSeconds = 0;

  const prompt = async (count: number) => {
    const part: Token[] = Array.from({ length: count }, (_, at) => tokens[at % tokens.length] ?? first);
    await sequence.evaluateWithoutGeneratingNewTokens(part);
  };
  const generation = async (count: number) => {
    let generated = 0;
    for await (const token of sequence.evaluate([first], { temperature: 0, yieldEogToken: true })) {
      generated += token >= 0 ? 1 : 0;
      if (generated >= count) break;
    }
  };
  const timed = async (threads: number, work: () => Promise<void>) => {
    throwIfCancelled(signal);
    await sequence.clearHistory();
    setThreads(threads);
    const used = process.cpuUsage();
    const started = process.hrtime.bigint();
    await work();
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const { user, system } = process.cpuUsage(used);
    if (threads === cores) {
      processorSeconds += (user + system) / 1e6;
      askedSeconds += seconds * threads;
    }
    await sequence.clearHistory();
    return seconds;
  };

  await timed(cores, () => prompt(fewestPromptTokens));
  const promptSeconds = await timed(cores, () => prompt(fewestPromptTokens));
  const tokenSeconds = await timed(cores, () => generation(1));
  const fitted = (most: number, wanted: number, each: number) =>
    Math.min(most, Math.max(1, Math.floor(wanted / each)));
  const promptTokens = Math.max(
    fewestPromptTokens,
    fitted(mostPromptTokens, promptRunSeconds, promptSeconds / fewestPromptTokens),
  );
  const generatedTokens = fitted(mostGeneratedTokens, generationRunSeconds, tokenSeconds);
  processorSeconds = askedSeconds = 0;
  return {
    meter: (phase, threads) =>
      timed(threads, () => (phase === 'prompt' ? prompt(promptTokens) : generation(generatedTokens))),
    quiet: () => askedSeconds === 0 || processorSeconds / askedSeconds > 0.85,
  };
}
