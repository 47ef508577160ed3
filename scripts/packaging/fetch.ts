// Where the files of the chosen packages are: in node_modules, as npm ci verified them, or, for another platform
// than this one, fetched by `npm pack` and held against the lock file.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../setup/errors.ts';
import { npm } from '../setup/npm.ts';
import { cache, repository } from '../setup/paths.ts';
import { run } from '../setup/processes.ts';
import { step } from '../setup/steps.ts';
import type { ChosenPackage } from './packages.ts';
import type { Target } from './targets.ts';

export interface PackageSource {
  readonly package: ChosenPackage;
  /** The folder that holds its package.json. */
  readonly from: string;
}

/** @throws SetupError where one cannot be had, or is not what the lock file says */
export async function obtainPackages(
  chosen: readonly ChosenPackage[],
  target: Target,
): Promise<PackageSource[]> {
  const sources: PackageSource[] = [];
  for (const one of chosen) {
    const installed = path.join(repository, one.folder);
    const from = (await isVersion(installed, one.version)) ? installed : await fetched(one, target);
    sources.push({ package: one, from });
  }
  return sources;
}

async function isVersion(folder: string, version: string): Promise<boolean> {
  const text = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { version?: string }).version === version;
}

async function fetched(one: ChosenPackage, target: Target): Promise<string> {
  const wanted = `${one.name}@${one.version}`;
  if (!one.native) {
    throw new SetupError(`${wanted} is not installed.`, 'Run npm ci, then try again.');
  }
  if (one.integrity === null) {
    throw new SetupError(
      `package-lock.json has no integrity for ${wanted}, so it cannot be verified here.`,
      `Package on ${target.name} itself, where npm ci installs it; or add what "npm view ${wanted} dist.integrity" prints to package-lock.json.`,
    );
  }
  const folder = path.join(cache, 'packages', `${one.name.replace('/', '+')}-${one.version}`);
  const { integrity } = one;
  await step(`Fetching ${wanted}`, existsSync(folder), () => fetchInto(folder, wanted, integrity));
  return folder;
}

async function fetchInto(folder: string, wanted: string, integrity: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    const packed = await npm(['pack', '--silent', '--pack-destination', partial, wanted], {
      cwd: repository,
    });
    const archive = (await readdir(partial)).find((name) => name.endsWith('.tgz'));
    if (packed.code !== 0 || archive === undefined) {
      throw new SetupError(
        `${wanted} could not be fetched:\n${packed.stderr.trim()}`,
        'Check the network connection and the registry that npm uses, then try again.',
      );
    }
    const file = path.join(partial, archive);
    if (!isIntact(await readFile(file), integrity)) {
      throw new SetupError(
        `${wanted} is not the package that package-lock.json names: its integrity differs.`,
        'Do not use it. Find out why the registry gives something else.',
      );
    }
    const unpacked = await run('tar', ['-xzf', archive], { cwd: partial });
    if (unpacked.code !== 0)
      throw new SetupError(`${archive} could not be unpacked.`, unpacked.stderr.trim());
    await rename(path.join(partial, 'package'), folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Whether bytes are what an entry of the lock file says: any one of its hashes, as npm has it (`sha512-…`). */
export function isIntact(bytes: Uint8Array, integrity: string): boolean {
  return integrity.split(/\s+/).some((one) => {
    const [, algorithm, expected] = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+=*)$/.exec(one) ?? [];
    if (algorithm === undefined || expected === undefined) return false;
    return createHash(algorithm).update(bytes).digest('base64') === expected;
  });
}
