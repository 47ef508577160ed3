// preflexor score: log-probabilities, references and all losses of preference pairs.
import { resolve } from 'node:path';
import { PreflexorError } from '../errors.ts';
import type { TrainerLoss } from '../protocol/index.ts';
import { scoreRecords, type PairScore } from '../training/index.ts';
import type { Context } from './context.ts';
import {
  pairsToScore,
  withTrainingTools,
  type DeviceOptions,
  type LossOptions,
  type PairsOptions,
} from './training.ts';

export interface ScoreOptions extends PairsOptions, LossOptions, DeviceOptions {
  readonly pairs: string;
  readonly reference?: string;
  readonly loss?: TrainerLoss;
  readonly gradient?: string;
}

export async function scoreCommand(options: ScoreOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const gradient = gradientOf(options, context);
  const scores = await withTrainingTools(
    context,
    async (tools) => {
      const adapter = await tools.choose(context.options.adapter);
      const reference = await tools.choose(options.reference);
      const { records, lines } = await pairsToScore(
        options.pairs,
        options,
        gradient?.loss ?? null,
        tools,
        context,
      );
      const task = {
        model: tools.model.file,
        adapter: adapter && (await adapter.peft(signal)),
        reference: reference && (await reference.peft(signal)),
        records,
        losses: lossesOf(options),
        threads: tools.threads,
        ...(gradient && { gradient }),
      };
      const found: ({ line: number } & PairScore)[] = [];
      for await (const score of scoreRecords(tools.trainer, task, tools.scratch, signal)) {
        found.push({ line: lines[found.length] ?? 0, ...score });
        output.progress(`Scored ${found.length} of ${records.length}`);
      }
      return found;
    },
    options.on,
  );
  output.result(scores, scores.map(readable).join('\n'));
}

function gradientOf(
  { loss, gradient }: ScoreOptions,
  { options }: Context,
): { loss: TrainerLoss; file: string } | undefined {
  if (loss === undefined && gradient === undefined) return undefined;
  if (loss === undefined || gradient === undefined || options.adapter === undefined) {
    throw new PreflexorError('bad-input', 'A gradient is that of one loss by the values of one adapter.', {
      remedy: 'Give --loss, --gradient and --adapter together.',
    });
  }
  return { loss, file: resolve(gradient) };
}

/** Only what was said: the golden values are the trainer's defaults. */
export function lossesOf({ beta, epsilon, gamma }: LossOptions) {
  return {
    ...(beta !== undefined && { beta }),
    ...(epsilon !== undefined && { epsilon }),
    ...(gamma !== undefined && { gamma }),
  };
}

function readable({ line, chosen, rejected, losses }: { line: number } & PairScore): string {
  const mean = (side: PairScore['chosen']) => side?.mean?.toFixed(4) ?? '–';
  const named = Object.entries(losses).map(([name, value]) => `${name} ${value?.toFixed(4) ?? '–'}`);
  return `line ${line}: chosen ${mean(chosen)}, rejected ${mean(rejected)} a token · ${named.join(' · ')}`;
}
