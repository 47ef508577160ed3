// Which packages go into the package for a platform, by the lock file: what is reached, and of what is native only
// that platform's. Pure but for reading the lock file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../setup/errors.ts';
import type { Target } from './targets.ts';

export interface LockEntry {
  readonly version: string;
  /** `sha512-…`; absent where the lock file was made without sight of the package. */
  readonly integrity?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Entries by folder, as in `node_modules/a/node_modules/b`. */
export type Lock = Readonly<Record<string, LockEntry>>;

export interface ChosenPackage {
  /** Where it lies in the checkout, and below dist/ in the package. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly integrity: string | null;
  /** Made for one platform: a checkout on another one does not hold it. */
  readonly native: boolean;
}

/** Without its native part this does not even start. */
const mustBeNative = ['node_modules/@lancedb/lancedb', 'node_modules/node-llama-cpp'];

export async function readLock(root: string): Promise<Lock> {
  const text = await readFile(path.join(root, 'package-lock.json'), 'utf8');
  return (JSON.parse(text) as { packages: Lock }).packages;
}

/**
 * @param reached folders of the packages that are needed everywhere
 * @throws SetupError where a library that has to be there does not exist for the platform
 */
export function choosePackages(lock: Lock, reached: readonly string[], target: Target): ChosenPackage[] {
  const chosen = new Map<string, ChosenPackage>();
  for (const folder of reached) {
    chosen.set(folder, chosenFrom(lock, folder, false));
    const natives = nativesOf(lock, folder, target);
    if (natives.length === 0 && mustBeNative.includes(folder)) {
      const { name, version } = chosenFrom(lock, folder, false);
      throw new SetupError(
        `${name} ${version} does not exist for ${target.name}.`,
        'Nothing can be packaged for this platform until it does.',
      );
    }
    for (const native of natives) chosen.set(native, chosenFrom(lock, native, true));
  }
  return [...chosen.values()];
}

/** Folders of the native packages that a package takes on the platform. */
function nativesOf(lock: Lock, folder: string, target: Target): string[] {
  const names = Object.keys(lock[folder]?.optionalDependencies ?? {});
  return names
    .map((name) => `node_modules/${name}`)
    .filter((native) => {
      const entry = lock[native];
      if (entry?.os === undefined) return false;
      const [, engine] = /^node_modules\/@node-llama-cpp\/(.+)$/.exec(native) ?? [];
      // By name: some of them also install on processors that they only cross-compile for.
      if (engine !== undefined) return target.engines.includes(engine);
      return (
        entry.os.includes(target.os) &&
        (entry.cpu?.includes(target.cpu) ?? true) &&
        (target.libc === null || isFor(target.libc, native, entry))
      );
    });
}

/** Entries that were written by hand name no C library: there the package's name tells. */
function isFor(libc: string, folder: string, entry: LockEntry): boolean {
  return entry.libc?.includes(libc) ?? !folder.endsWith('-musl');
}

function chosenFrom(lock: Lock, folder: string, native: boolean): ChosenPackage {
  const entry = lock[folder];
  const name = /node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(folder)?.[1];
  if (entry === undefined || name === undefined) {
    throw new SetupError(`${folder} is not in package-lock.json.`, 'Run npm ci, then try again.');
  }
  return { folder, name, version: entry.version, integrity: entry.integrity ?? null, native };
}
