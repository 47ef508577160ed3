// preflexor adapters judge: the gate on an adapter that was trained by hand or elsewhere.
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { shippedText } from '../composition.ts';
import { PreflexorError } from '../errors.ts';
import { seedFor } from '../evaluation/index.ts';
import { measure, offerAdapter, verdictOn, type UntouchedText } from '../teaching/index.ts';
import { readPairsFile } from '../training/index.ts';
import type { Context } from './context.ts';
import { usualSeed } from './dataset.ts';
import { withTrainingTools } from './training.ts';

export interface JudgeOptions {
  readonly pairs: string;
  readonly phase: '1' | '2';
  readonly baseline?: string;
  readonly texts?: readonly string[];
}

/** Keeps the verdict with the adapter, and leaves the editor the offer; puts nothing into use. */
export async function judgeAdapterCommand(
  id: string,
  options: JudgeOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const phase = options.phase === '1' ? 1 : 2;
  const verdict = await withTrainingTools(context, async (tools) => {
    const { registry } = tools.shelf;
    const adapter = await tools.choose(id);
    const known = (await registry.find(id)) !== null;
    if (adapter === null || !known) {
      throw new PreflexorError('bad-input', `There is no adapter ${id}.`, {
        remedy: 'Take one of "preflexor adapters list"; one from elsewhere comes in by "adapters import".',
      });
    }
    const baseline = await tools.choose(options.baseline);
    output.progress('Measuring');
    const measured = await measure(
      {
        ...{ phase, model: tools.model, trainedContext: tools.shape.trainedContext, threads: tools.threads },
        adapter: await adapter.peft(signal),
        baseline: baseline && (await baseline.peft(signal)),
        heldout: await readPairsFile(options.pairs, signal),
        texts: await textsOf(options.texts ?? [shippedText()]),
      },
      tools,
      signal,
    );
    const seed = seedFor(context.options.seed ?? usualSeed, 'gate');
    const found = verdictOn(measured, seed, new Date().toISOString());
    await registry.judged(id, found);
    const { offered, why, time } = found;
    if (offered) await offerAdapter(context.home, { adapter: id, why, time, report: null });
    return found;
  });
  output.result({ adapter: id, ...verdict }, verdict.why);
}

async function textsOf(files: readonly string[]): Promise<UntouchedText[]> {
  const read = async (file: string): Promise<UntouchedText> => {
    try {
      return { name: basename(file), text: await readFile(resolve(file), 'utf8') };
    } catch (error) {
      throw new PreflexorError('bad-input', `The text ${file} can't be read.`, { cause: error });
    }
  };
  return await Promise.all(files.map(read));
}
