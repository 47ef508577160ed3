// vsce, Microsoft's packager. Installed when it is first needed, from a lock file of its own: its hundred packages
// are nothing that a person who starts or tests the extension should have to install.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { SetupError } from '../setup/errors.ts';
import { npm } from '../setup/npm.ts';
import { cache, repository } from '../setup/paths.ts';
import { run } from '../setup/processes.ts';
import { hashOf, isStamped, stamp } from '../setup/stamps.ts';

const declared = path.join(repository, 'scripts/packaging/vsce');
const folder = path.join(cache, 'vsce');
const program = path.join(folder, 'node_modules/@vscode/vsce/vsce');
const stampFile = path.join(folder, 'installed.json');

export const vsceName = 'vsce 4.1.0';

function identity(): Record<string, string> {
  return { lock: hashOf(declared, ['package.json', 'package-lock.json'], () => false) };
}

export function isVsceInstalled(): boolean {
  return existsSync(program) && isStamped(stampFile, identity());
}

export async function installVsce(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(path.join(declared, name), path.join(folder, name));
  }
  // Its install scripts only fetch what signing and publishing need.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, stdout, stderr } = await npm(args, { cwd: folder });
  if (code !== 0) {
    throw new SetupError(
      `${vsceName} could not be installed:\n${(stderr || stdout).trim()}`,
      'Check the network connection and the registry that npm uses, then try again.',
    );
  }
  stamp(stampFile, identity());
}

/** Packs a folder as it is; gives the package's path. */
export async function makeVsix(stage: string, target: string, out: string): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(stage, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  await mkdir(out, { recursive: true });
  const file = path.join(out, `${manifest.name}-${target}-${manifest.version}.vsix`);
  const args = [
    ...[program, 'package', '--no-dependencies', '--target', target, '--out', file],
    // Where the sources will be published is not decided yet; links in the README lead to files in the package.
    ...['--allow-missing-repository', '--no-rewrite-relative-links'],
  ];
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: stage });
  if (code === 0) return file;
  throw new SetupError(
    `The package could not be made:\n${(stderr || stdout).trim()}`,
    'vsce says above what it is missing.',
  );
}
