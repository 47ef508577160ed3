// The small models that are there from the start: one that writes, one that embeds. The command line knows where
// they come from and checks them; this only asks for them. Knows neither addresses nor hashes.
import path from 'node:path';
import { SetupError } from './errors.ts';
import { dist, repository } from './paths.ts';
import { run } from './processes.ts';

export const smallModel = 'smollm2-135m-instruct';
export const smallEmbedder = 'all-minilm-l6-v2';
const cli = path.join(dist, 'cli.js');

/** What the person at the terminal reads of each. */
export const smallModels = {
  [smallModel]: 'the small language model (98 MB, once)',
  [smallEmbedder]: 'the small embedding model (84 MB, once)',
} as const;
export type SmallModel = keyof typeof smallModels;

interface Listing {
  readonly id: string;
  readonly file: string;
  readonly installed: boolean;
}

/** The model's file when it is here and verified. */
export async function installedModel(id: SmallModel, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const result = await run(process.execPath, [cli, 'models', 'list', '--json'], { cwd: repository, env });
  if (result.code !== 0) {
    throw new SetupError(
      `The list of models could not be read:\n${(result.stderr || result.stdout).trim()}`,
      'Run `node dist/cli.js doctor`: it says what is wrong.',
    );
  }
  const models = JSON.parse(result.stdout) as Listing[];
  return models.find((model) => model.id === id && model.installed)?.file;
}

/** Downloads a model, its progress shown on the terminal. Resolves to its file. */
export async function getModel(id: SmallModel, env: NodeJS.ProcessEnv): Promise<string> {
  const result = await run(process.execPath, [cli, 'models', 'get', id], {
    cwd: repository,
    env,
    show: true,
  });
  const file = result.code === 0 ? await installedModel(id, env) : undefined;
  if (file) return file;
  throw new SetupError(
    `The model ${id} could not be fetched; the reason is above.`,
    'What has arrived is kept: the same command goes on from there. With a GGUF file of your own, run `node dist/cli.js models add FILE` and choose it in the editor.',
  );
}
