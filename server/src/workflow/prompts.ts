// The prompts of a workspace: the built-in ones of a set, with the workspace's own files in place of some.
import { join } from 'node:path';
import { PreflexorError } from '../errors.ts';
import type { Settings } from '../protocol/index.ts';
import {
  promptSet,
  templateNames,
  type PromptFiles,
  type PromptLayer,
  type PromptSet,
} from '../reasoning/index.ts';
import { isMissing, nodeFileSystem, workspacePlaces, type FileSystem } from '../state/index.ts';

const fileNames = [...templateNames.map((name) => `${name}.md`), 'set.yaml'];

/** A prompt is a page or two; a larger file is something else. */
const mostBytes = 100_000;

/**
 * Reads the prompts that a workspace uses.
 * @param builtIn the folder that holds `common` and a folder for each set
 * @throws PreflexorError `bad-input` that names a file of the workspace and what is wrong in it
 */
export async function workspacePrompts(
  builtIn: string,
  root: string,
  set: Settings['reasoning.promptSet'],
  fileSystem: FileSystem = nodeFileSystem,
): Promise<PromptSet> {
  const folders = [join(builtIn, 'common'), join(builtIn, set), workspacePlaces(root).prompts];
  const layers: PromptLayer[] = [];
  for (const place of folders) layers.push({ place, files: await filesOf(place, fileSystem) });
  return promptSet(layers);
}

async function filesOf(folder: string, fileSystem: FileSystem): Promise<PromptFiles> {
  const files: Record<string, string> = {};
  for (const name of fileNames) {
    const file = join(folder, name);
    try {
      const text = await fileSystem.readFile(file, 'utf8');
      if (text.length > mostBytes) {
        throw new PreflexorError('bad-input', `The prompt ${file} is too long.`, {
          remedy: `Keep it under ${mostBytes.toLocaleString('en')} characters.`,
        });
      }
      files[name] = text;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return files;
}
