// The trainer for a package: built here for this platform, or brought along for another one.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathFirst } from '../bootstrap.mjs';
import { SetupError } from '../setup/errors.ts';
import { repository } from '../setup/paths.ts';
import { run } from '../setup/processes.ts';
import { step } from '../setup/steps.ts';
import { blasLicence, hostTarget, type Target } from './targets.ts';

/**
 * The files that go beside each other into the package: the program, and OpenBLAS with its licence.
 * @param brought a folder that holds them; null: they are built here
 * @throws SetupError where the program is not there, or OpenBLAS without its licence
 */
export async function obtainTrainer(target: Target, brought: string | null): Promise<string[]> {
  if (brought !== null) return filesIn(brought, target);
  if (target.name !== hostTarget()) {
    throw new SetupError(
      `A package for ${target.name} needs a trainer for it.`,
      `Build it there with "npm run build:native", or here with "npm run build:native -- --target ${target.name}" (not for macOS), and name its folder with --trainer.`,
    );
  }
  await step('Building the trainer', false, buildHere);
  const folder = path.join(repository, 'native/build');
  const files = filesIn(folder, target);
  await step("Running the trainer's own check", false, () => checkHere(folder, target));
  return files;
}

async function buildHere(): Promise<void> {
  const script = path.join(repository, 'scripts/buildNative.mjs');
  const { code, stdout, stderr } = await run(process.execPath, [script], { cwd: repository });
  if (code === 0) return;
  throw new SetupError(
    `The trainer could not be built:\n${lastWords(stderr || stdout)}`,
    'It needs a C++17 compiler, CMake and git: native/README.md.',
  );
}

/** What fails its own check on the machine that built it would fail on a writer's. */
async function checkHere(folder: string, { engines, trainer }: Target): Promise<void> {
  const [engine = ''] = engines;
  const libraries = path.join(repository, 'node_modules/@node-llama-cpp', engine, 'bins', engine);
  // Windows looks for the libraries that a program is linked with along PATH.
  const env = pathFirst(process.env, libraries);
  const args = ['--self-test', libraries];
  const { code, stdout, stderr } = await run(path.join(folder, trainer.program), args, { env });
  if (code === 0) return;
  throw new SetupError(
    `The trainer fails its own check:\n${lastWords(stderr || stdout)}`,
    'Run "npm run build:native -- --tests" to see what is wrong.',
  );
}

function lastWords(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}

export function filesIn(folder: string, target: Target): string[] {
  const { program, blas } = target.trainer;
  const [programFile = '', blasFile = '', licenceFile = ''] = [program, blas, blasLicence].map((name) =>
    path.join(folder, name),
  );
  if (!existsSync(programFile)) {
    throw new SetupError(
      `${folder} holds no ${program}.`,
      'Name the folder that a build of the trainer left: native/build.',
    );
  }
  if (!existsSync(blasFile)) {
    console.error(`${folder} holds no ${blas}: training will work, two to three times slower.`);
    return [programFile];
  }
  if (!existsSync(licenceFile)) {
    throw new SetupError(
      `${folder} holds OpenBLAS without ${blasLicence}.`,
      'Its licence has to stay with it: run "npm run build:native" again there, which puts it beside.',
    );
  }
  return [programFile, blasFile, licenceFile];
}
