// Measures an adapter for the gate: how it predicts held-out pairs, the thinking marker, and text that it should have
// left alone. By the trainer's scorer, in full precision, on the very token ids that training has.
import type { ChatTokenizer, FoundModel } from '../../engine/index.ts';
import { throwIfCancelled } from '../../errors.ts';
import type { TrainerRecord } from '../../protocol/index.ts';
import {
  beginningToken,
  noMask,
  perplexities,
  prepareRecords,
  scoreRecords,
  type PairScore,
  type PairsFile,
  type SideScores,
  type Trainer,
} from '../../training/index.ts';
import type { BeforeAfter, GateMeasurements, PairMeans } from './verdict.ts';

export interface UntouchedText {
  readonly name: string;
  readonly text: string;
}

export interface MeasureTask {
  readonly phase: 1 | 2;
  readonly model: FoundModel;
  /** Longest context of the model, in tokens. */
  readonly trainedContext: number;
  /** PEFT folders: what is judged, and what it started from (null: the base model). */
  readonly adapter: string;
  readonly baseline: string | null;
  readonly heldout: PairsFile;
  readonly texts: readonly UntouchedText[];
  readonly threads: number;
}

export interface MeasurePorts {
  readonly trainer: Trainer;
  readonly withTokenizer: <T>(work: (tokenizer: ChatTokenizer) => Promise<T>) => Promise<T>;
  /** A folder for the trainer's configurations. */
  readonly scratch: string;
}

/** Tokens of each text that are read, from its start; and at once. */
const textTokens = 1024;
const window = 512;

interface Prepared {
  readonly wholes: readonly TrainerRecord[];
  readonly answers: readonly TrainerRecord[];
  readonly markers: readonly TrainerRecord[];
  readonly texts: readonly { readonly file: string; readonly tokens: readonly number[] }[];
}

/** @throws PreflexorError `bad-input` (no held-out pair can be used), `trainer-failed`, `locked`, `cancelled` */
export async function measure(
  task: MeasureTask,
  ports: MeasurePorts,
  signal: AbortSignal,
): Promise<GateMeasurements> {
  const { wholes, answers, markers, texts } = await ports.withTokenizer((tokenizer) =>
    prepare(task, tokenizer, signal),
  );
  const { model, adapter, baseline, threads, phase } = task;
  const records = [...wholes, ...answers, ...markers];
  const scores: PairScore[] = [];
  const scoring = { model: model.file, adapter, reference: baseline, records, threads };
  for await (const score of scoreRecords(ports.trainer, scoring, ports.scratch, signal)) scores.push(score);
  const [of, to] = [wholes.length, wholes.length + answers.length];
  return {
    phase,
    wholes: scores.slice(0, of).flatMap(pairOf),
    answers: scores.slice(of, to).flatMap(pairOf),
    adoption: scores.slice(to).map(({ chosen, reference }) => ({
      before: Math.exp(reference.chosen?.sum ?? -Infinity),
      after: Math.exp(chosen?.sum ?? -Infinity),
    })),
    perplexity: await perplexity(texts, task, ports, signal),
  };
}

async function prepare(
  { heldout, texts, trainedContext }: MeasureTask,
  tokenizer: ChatTokenizer,
  signal: AbortSignal,
): Promise<Prepared> {
  const limits = { maxLength: trainedContext, maxPromptLength: Math.floor(trainedContext / 2) };
  const options = { ...limits, seed: 0, loss: 'orpo' } as const;
  const records = async (kind: 'none' | 'answer-only') =>
    (await prepareRecords(heldout, tokenizer, { ...options, mask: { ...noMask, kind } }, signal)).records;
  const [wholes, answers] = [await records('none'), await records('answer-only')];
  const { markers: profile } = await tokenizer.load(signal);
  const markers: TrainerRecord[] = [];
  for (const { prompt } of heldout.pairs) {
    const chat = await tokenizer.tokenizeChat(
      { messages: [...prompt], completions: [profile.thinking.start] },
      signal,
    );
    throwIfCancelled(signal);
    const marker = chat.completions[0]?.tokens ?? [];
    if (marker.length > 0) markers.push({ prompt: chat.prompt, chosen: marker });
  }
  const tokens: { file: string; tokens: number[] }[] = [];
  for (const { name, text } of texts) {
    const read = (await tokenizer.tokenize(text.trim(), signal)).slice(0, textTokens);
    if (read.length > 1) tokens.push({ file: name, tokens: read });
  }
  return { wholes, answers, markers, texts: tokens };
}

function pairOf({ chosen, rejected, reference }: PairScore): BeforeAfter<PairMeans>[] {
  const [before, after] = [meansOf(reference), meansOf({ chosen, rejected })];
  return before && after ? [{ before, after }] : [];
}

function meansOf({ chosen, rejected }: SideScores): PairMeans | null {
  const [one, other] = [chosen?.mean ?? null, rejected?.mean ?? null];
  return one === null || other === null ? null : { chosen: one, rejected: other };
}

/** Always beside the base model: what two phases cost together counts. */
async function perplexity(
  texts: Prepared['texts'],
  { model, adapter, threads }: MeasureTask,
  { trainer, scratch }: MeasurePorts,
  signal: AbortSignal,
): Promise<BeforeAfter<number>[]> {
  if (texts.length === 0) return [];
  const beginning = await beginningToken(model.file, signal);
  const of = (folder: string | null) =>
    perplexities(
      trainer,
      texts,
      { model: model.file, adapter: folder, threads, window, beginning },
      scratch,
      signal,
    );
  const before = await of(null);
  const after = await of(adapter);
  return before.flatMap((text, at) => {
    const other = after[at];
    return other ? [{ before: text.perplexity, after: other.perplexity }] : [];
  });
}
