// preflexor models: list, get, add.
import { ModelStore } from '../engine/index.ts';
import type { DownloadProgress, ModelListing } from '../protocol/index.ts';
import type { Context } from './context.ts';
import { bytesText } from './output.ts';

export async function listModelsCommand(context: Context): Promise<void> {
  const models = await new ModelStore({ home: context.home }).listModels();
  context.output.result(models, models.map(listingText).join('\n'));
}

function listingText(model: ModelListing): string {
  const state = model.installed ? 'here' : model.fits ? 'fits' : 'too large for the free memory';
  const use = model.role.includes('embedder')
    ? 'embeds'
    : model.role.includes('reranker')
      ? 'ranks'
      : 'writes';
  const size = bytesText(model.bytes).padStart(8);
  return `${model.id.padEnd(26)} ${size}  ${use.padEnd(6)}  ${state.padEnd(8)}  ${model.license}`;
}

export async function getModelCommand(id: string, context: Context): Promise<void> {
  const { output, signal, options } = context;
  const model = await new ModelStore({ home: context.home }).getModel(id, {
    signal,
    offline: options.offline === true,
    onProgress: (step) => {
      if (output.json) output.line(step);
      else output.progress(progressText(id, step));
    },
  });
  if (!output.json) output.result(model, `${model.id} is here: ${model.file}`);
}

function progressText(id: string, { event, received, total }: DownloadProgress): string {
  if (event === 'verifying') return `${id}: checking its sha256`;
  if (event === 'unpacking') return `${id}: unpacking`;
  if (event === 'converting') return `${id}: making the GGUF file`;
  const share = total ? ` of ${bytesText(total)} (${Math.floor((received / total) * 100)} %)` : '';
  return `${id}: ${bytesText(received)}${share}`;
}

export async function addModelCommand(file: string, context: Context): Promise<void> {
  const model = await new ModelStore({ home: context.home }).addModel(file, { signal: context.signal });
  context.output.result(model, `${model.id}: ${howToUse(model)}`);
}

function howToUse({ id, role }: ModelListing): string {
  if (role.includes('embedder')) return `use it by the setting preflexor.retrieval.embedder.`;
  if (role.includes('reranker')) return `use it by the setting preflexor.retrieval.reranker.`;
  return `use it with --model ${id}.`;
}
