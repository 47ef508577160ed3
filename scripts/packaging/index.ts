// From a checkout to a package: builds, decides which packages of others go in, lays everything out in a
// folder of its own, and lets vsce make the file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build, isBuilt } from '../setup/build.ts';
import { cache, dist, repository } from '../setup/paths.ts';
import { step } from '../setup/steps.ts';
import { obtainPackages } from './fetch.ts';
import { choosePackages, readLock } from './packages.ts';
import { reachedPackages } from './reach.ts';
import { layOut } from './stage.ts';
import { targetNamed } from './targets.ts';
import { obtainTrainer } from './trainer.ts';
import { installVsce, isVsceInstalled, makeVsix, vsceName } from './vsce.ts';

export { hostTarget, targetNamed } from './targets.ts';

export interface PackageWishes {
  /** VS Code's name of the platform, `linux-x64` for instance. */
  readonly target: string;
  /** A folder with the trainer for that platform; null: it is built here. */
  readonly trainer: string | null;
  /** The folder that the package goes to. */
  readonly out: string;
}

/** What esbuild.mjs left about the bundles. */
export interface BuiltModules {
  /** Files of others that are in the bundles, relative to the checkout. */
  readonly bundled: readonly string[];
  /** Modules that the bundles import when they run. */
  readonly external: readonly string[];
}

/**
 * Makes the package and gives its path.
 * @throws SetupError where the platform is not supported, something is missing, or is not what the lock file says
 */
export async function packageExtension(wishes: PackageWishes): Promise<string> {
  const target = targetNamed(wishes.target);
  await step('Building', isBuilt(), build);
  const modules = JSON.parse(await readFile(path.join(dist, 'modules.json'), 'utf8')) as BuiltModules;
  const lock = await readLock(repository);
  const reached = await reachedPackages(repository, modules.external);
  const chosen = choosePackages(lock, reached, target);
  const trainer = await obtainTrainer(target, wishes.trainer);
  const sources = await obtainPackages(chosen, target);
  await step(`Installing ${vsceName} (once)`, isVsceInstalled(), installVsce);

  const stage = path.join(cache, 'package', target.name);
  await layOut({ stage, target, trainer, sources, bundled: modules.bundled });
  let file = '';
  await step(`Packing for ${target.name}`, false, async () => {
    file = await makeVsix(stage, target.name, wishes.out);
  });
  return file;
}
