// Builds dist/ when what it is made of has changed.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './errors.ts';
import { cache, dist, repository } from './paths.ts';
import { run } from './processes.ts';
import { hashOf, isStamped, stamp } from './stamps.ts';

const stampFile = path.join(cache, 'stamps', 'build.json');
const sources = ['client', 'server', 'webview', 'esbuild.mjs', 'package.json', 'package-lock.json'];
const results = ['client.cjs', 'languageServer.js', 'cli.js', 'engineHost.js'];

function identity(): Record<string, string> {
  return { sources: hashOf(repository, sources, (name) => name.endsWith('.test.ts')), node: process.version };
}

export function isBuilt(): boolean {
  return results.every((file) => existsSync(path.join(dist, file))) && isStamped(stampFile, identity());
}

export async function build(): Promise<void> {
  if (isBuilt()) return;
  // Taken before the build: what is changed meanwhile makes the next start build again.
  const before = identity();
  const result = await run(process.execPath, ['esbuild.mjs'], { cwd: repository });
  if (result.code !== 0) {
    throw new SetupError(
      `The sources could not be built:\n${(result.stderr || result.stdout).trim()}`,
      'In a fresh clone this should not happen: report it. After changes of your own, fix the error above.',
    );
  }
  stamp(stampFile, before);
}
