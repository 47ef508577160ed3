// preflexor export-job: a run that another machine is to do, as a folder.
import { resolve } from 'node:path';
import { jobScripts } from '../composition.ts';
import { catalogue, type FoundModel } from '../engine/index.ts';
import type { TrainingJob } from '../protocol/index.ts';
import { prepareJob, writeJob } from '../training/index.ts';
import { programVersion } from '../version.ts';
import type { Context } from './context.ts';
import { wishesOf, type PlanOptions } from './train.ts';
import { sayCounts, withTrainingTools } from './training.ts';

export interface ExportJobOptions extends PlanOptions {
  readonly pairs: string;
  readonly checks: number;
}

export async function exportJobCommand(
  folder: string,
  options: ExportJobOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const target = resolve(folder);
  await withTrainingTools(context, async (tools) => {
    const { pairs, heldout = null, checks } = options;
    const prepared = await prepareJob(
      {
        ...{ pairs: resolve(pairs), heldout: heldout === null ? null : resolve(heldout), checks },
        ...{ wishes: wishesOf(options, context), model: tools.model, shape: tools.shape },
        base: baseOf(tools.model),
        adapter: await tools.choose(context.options.adapter),
        reference: await tools.choose(options.reference),
        threads: tools.threads,
      },
      {
        ...{ trainer: tools.trainer, withTokenizer: tools.withTokenizer, registry: tools.shelf.registry },
        ...{ now: Date.now, version: programVersion },
      },
      tools.scratch,
      signal,
    );
    const { job } = prepared;
    for (const counts of [job.pairs, job.heldout]) if (counts) sayCounts(counts, context);
    const files = await writeJob(target, prepared, jobScripts(), signal);
    output.result(
      { folder: target, files, job },
      `${job.pairs.records} pairs, ${job.pairs.tokens} tokens. The job is in ${target}: its README.md says how to run it.`,
    );
  });
}

/** Where the catalogue has the very file of a model from. */
function baseOf({ identity }: FoundModel): TrainingJob['base'] {
  const entry = catalogue.find(({ sha256 }) => sha256 !== null && sha256 === identity.sha256);
  for (const source of entry?.sources ?? []) {
    if (source.kind !== 'hugging-face') continue;
    const { repository, revision, path } = source;
    return { repository, revision, file: path };
  }
  return null;
}
