// Writes a stored adapter where other tools find it: a PEFT folder with the GGUF file beside it.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PreflexorError } from '../../errors.ts';
import { makeFolders, writeDurably } from '../../state/index.ts';
import { peftConfigName, readPeftFolder, writePeftFolder } from './peftFolder.ts';
import type { AdapterFiles, StoredAdapter } from './registry.ts';

/**
 * Writes `adapter_config.json` and `adapter_model.safetensors` into `folder`, and `adapter.gguf` beside them.
 * @throws PreflexorError `bad-input` when an adapter is there already; `disk-full`, `read-only`
 */
export async function exportAdapter(
  { record, gguf, peft }: StoredAdapter,
  folder: string,
  signal: AbortSignal,
): Promise<AdapterFiles> {
  if ((await stat(join(folder, peftConfigName)).catch(() => null)) !== null) {
    throw new PreflexorError('bad-input', `${folder} holds an adapter already.`, {
      remedy: 'Choose another folder.',
    });
  }
  const adapter = await readPeftFolder(peft, signal);
  await makeFolders(folder);
  const target = join(folder, 'adapter.gguf');
  await writeDurably(target, await readFile(gguf));
  await writePeftFolder(folder, { ...adapter, baseName: adapter.baseName ?? record.base.id });
  return { gguf: target, peft: folder };
}
