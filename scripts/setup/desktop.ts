// The desktop VS Code, where there is one that can take the extension from this folder.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './errors.ts';
import { repository } from './paths.ts';
import { findOnPath, run } from './processes.ts';

/** What was found: a usable `code`, or why the one that is there is of no use (undefined: there is none). */
export type Desktop = { readonly code: string } | { readonly unusable: string } | undefined;

export async function findDesktop(): Promise<Desktop> {
  const code = findOnPath(['code']);
  if (!code) return undefined;
  // In the terminal of a remote window, `code` talks to that window and can't load an extension from here.
  if (process.env['VSCODE_IPC_HOOK_CLI']) return { unusable: 'This is the terminal of a remote VS Code.' };
  if (process.platform === 'linux') {
    if (process.getuid?.() === 0) return { unusable: 'VS Code does not run as root.' };
    if (!process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY'])
      return { unusable: 'There is no display.' };
  }
  const result = await run(code, ['--version'], { timeout: 20_000 });
  const version = /^\d+\.\d+\.\d+/.exec(result.stdout)?.[0];
  if (!version) return { unusable: `\`${code} --version\` does not answer.` };
  const needed = oldestVersion();
  if (isOlder(version, needed)) {
    return {
      unusable: `VS Code ${version} is too old: PRefLexOR needs ${needed}. Update it to use it here.`,
    };
  }
  return { code };
}

/** Opens a window with the extension from this checkout; `code` returns at once. */
export async function openDesktop(code: string, folder: string): Promise<void> {
  const result = await run(code, ['--new-window', `--extensionDevelopmentPath=${repository}`, folder]);
  if (result.code !== 0) {
    throw new SetupError(
      `VS Code could not be opened: ${result.stderr.trim() || `exit code ${String(result.code)}`}`,
      'Use the browser instead: npm start -- --browser',
    );
  }
}

/** The oldest VS Code that the extension supports, as package.json says. */
export function oldestVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'));
  return (manifest as { engines: { vscode: string } }).engines.vscode.replace(/^\D+/, '');
}

/** Compares `1.138.0` and the like number by number. */
export function isOlder(version: string, needed: string): boolean {
  const [left, right] = [version, needed].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (const [index, number] of right.entries()) {
    const difference = (left[index] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
