// preflexor adapters: list, use, import, export, compare.
import { resolve } from 'node:path';
import type { AdapterRecord } from '../protocol/index.ts';
import {
  exportAdapter,
  noAdapter,
  scoreRecords,
  type PairScore,
  type StoredAdapter,
} from '../training/index.ts';
import { createShelf } from '../composition.ts';
import type { Context } from './context.ts';
import { lossesOf } from './score.ts';
import {
  findModel,
  pairsToScore,
  withTrainingTools,
  type LossOptions,
  type PairsOptions,
  type TrainingTools,
} from './training.ts';

export async function listAdaptersCommand({ home, output }: Context): Promise<void> {
  const { registry } = createShelf(home);
  const listed = await Promise.all(
    (await registry.list()).map(async (adapter) => shown(adapter, await isActive(adapter))),
  );
  async function isActive({ record }: StoredAdapter): Promise<boolean> {
    return (await registry.activeFor(record.base.sha256)) === record.id;
  }
  output.result(listed, listed.map(readable).join('\n') || 'No adapters.');
}

/** A registry record with where its files are. */
function shown({ record, gguf, peft }: StoredAdapter, active: boolean) {
  return { ...record, active, files: { gguf, peft } };
}

function readable({ id, base, origin, active, verdict }: AdapterRecord & { active: boolean }): string {
  const from =
    origin.kind === 'imported'
      ? `imported from ${origin.from}`
      : `${origin.steps} steps of ${origin.run.parameters.loss} on ${origin.run.pairs.records} pairs` +
        (origin.heldout ? `, held out: ${heldout(origin.heldout)}` : '');
  const judged = verdict ? (verdict.offered ? '; offered by the gate' : '; kept by the gate') : '';
  return `${active ? '*' : ' '} ${id}  ${base.id}  ${from}${judged}`;
}

function heldout({ accuracy, margin }: { accuracy: number | null; margin: number | null }): string {
  return `accuracy ${accuracy?.toFixed(2) ?? '–'}, margin ${margin?.toFixed(3) ?? '–'}`;
}

/** Puts an adapter into use on its base model; `base` takes the model's adapter out of use. */
export async function useAdapterCommand(id: string, context: Context): Promise<void> {
  const { registry } = createShelf(context.home);
  if (id === noAdapter) {
    const model = await findModel(context);
    await registry.useNone(model.identity.sha256);
    context.output.result(
      { active: null, base: model.identity },
      `${model.identity.id} runs without adapter.`,
    );
    return;
  }
  const adapter = await registry.use(id);
  context.output.result(shown(adapter, true), `${id} is in use on ${adapter.record.base.id}.`);
}

export async function importAdapterCommand(path: string, context: Context): Promise<void> {
  const shelf = createShelf(context.home);
  try {
    const adapter = await shelf.import(path, await findModel(context), context.signal);
    const { id } = adapter.record;
    context.output.result(shown(adapter, false), `${id}: use it with --adapter ${id}.`);
  } finally {
    await shelf.dispose();
  }
}

export async function exportAdapterCommand(
  id: string,
  { to }: { to: string },
  { home, output, signal }: Context,
): Promise<void> {
  const adapter = await createShelf(home).registry.get(id);
  const files = await exportAdapter(adapter, resolve(to), signal);
  output.result({ id, ...files }, `${files.peft} holds ${id} for PEFT, and as adapter.gguf.`);
}

export type CompareOptions = PairsOptions & LossOptions & { readonly pairs: string };

/** Scores the same pairs under two adapters (or `base`). */
export async function compareAdaptersCommand(
  a: string,
  b: string,
  options: CompareOptions,
  context: Context,
): Promise<void> {
  const { output } = context;
  const compared = await withTrainingTools(context, async (tools) => {
    const { records } = await pairsToScore(options.pairs, options, 'orpo', tools, context);
    const [one, other] = [await summaryOf(a), await summaryOf(b)];
    return { pairs: records.length, a: { id: a, ...one }, b: { id: b, ...other } };

    async function summaryOf(spec: string) {
      output.progress(`Scoring with ${spec}`);
      return summary(await scoresWith(spec, records, options, tools, context), options.beta ?? 0.1);
    }
  });
  const line = ({ id, accuracy, margin, losses }: (typeof compared)['a']) =>
    `${id}: accuracy ${accuracy.toFixed(2)}, margin ${margin.toFixed(4)}, orpo ${losses['orpo']?.toFixed(4) ?? '–'}`;
  output.result(compared, [line(compared.a), line(compared.b)].join('\n'));
}

async function scoresWith(
  spec: string,
  records: Parameters<typeof scoreRecords>[1]['records'],
  options: LossOptions,
  tools: TrainingTools,
  { signal }: Context,
): Promise<PairScore[]> {
  const adapter = await tools.choose(spec);
  const task = {
    model: tools.model.file,
    adapter: adapter && (await adapter.peft(signal)),
    reference: null,
    records,
    losses: lossesOf(options),
    threads: tools.threads,
  };
  const scores: PairScore[] = [];
  for await (const score of scoreRecords(tools.trainer, task, tools.scratch, signal)) scores.push(score);
  return scores;
}

/** Means over pairs. Accuracy: share whose chosen answer is the likelier one per token; margin: β times by how much. */
function summary(scores: readonly PairScore[], beta: number) {
  const margins = scores.map(({ chosen, rejected }) => (chosen?.mean ?? NaN) - (rejected?.mean ?? NaN));
  const names = Object.keys(scores[0]?.losses ?? {}) as (keyof PairScore['losses'])[];
  return {
    accuracy: mean(margins.map((margin) => (margin > 0 ? 1 : 0))),
    margin: beta * mean(margins),
    losses: Object.fromEntries(
      names.map((name) => [name, mean(scores.map(({ losses }) => losses[name] ?? NaN))]),
    ),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
