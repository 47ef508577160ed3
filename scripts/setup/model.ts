// The small language model that is there from the start. The command line knows where it comes from and
// checks it; this only asks for it. Knows neither addresses nor hashes.
import path from 'node:path';
import { SetupError } from './errors.ts';
import { dist, repository } from './paths.ts';
import { run } from './processes.ts';

export const smallModel = 'smollm2-135m-instruct';
const cli = path.join(dist, 'cli.js');

interface Listing {
  readonly id: string;
  readonly file: string;
  readonly installed: boolean;
}

/** The model's file when it is here and verified. */
export async function installedModel(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const result = await run(process.execPath, [cli, 'models', 'list', '--json'], { cwd: repository, env });
  if (result.code !== 0) {
    throw new SetupError(
      `The list of models could not be read:\n${(result.stderr || result.stdout).trim()}`,
      'Run `node dist/cli.js doctor`: it says what is wrong.',
    );
  }
  const models = JSON.parse(result.stdout) as Listing[];
  return models.find((model) => model.id === smallModel && model.installed)?.file;
}

/** Downloads the model, its progress shown on the terminal. Resolves to its file. */
export async function getModel(env: NodeJS.ProcessEnv): Promise<string> {
  const result = await run(process.execPath, [cli, 'models', 'get', smallModel], {
    cwd: repository,
    env,
    show: true,
  });
  const file = result.code === 0 ? await installedModel(env) : undefined;
  if (file) return file;
  throw new SetupError(
    'The small language model could not be fetched; the reason is above.',
    'What has arrived is kept: the same command goes on from there. With a GGUF file of your own, run `node dist/cli.js models add FILE` and choose it in the editor.',
  );
}
