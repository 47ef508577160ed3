// The Python that reads our exports as the tools of the field do: a virtual environment of its own in .cache, made once.
// PREFLEXOR_PEER_PYTHON names another one. Only loaders are needed, so torch is not among it.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = join(import.meta.dirname, '..', '..', '.cache', 'peer-pairs');
const packages = ['datasets==5.0.0', 'transformers==5.24.0'];
/** Without what it trains with: its dataset functions alone are called. */
const withoutDependencies = ['trl==1.16.0'];

/** The interpreter's path. @throws what pip says, when the packages can't be had */
export async function pairsPython(): Promise<string> {
  const given = process.env['PREFLEXOR_PEER_PYTHON'];
  if (given) return given;
  const bin = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  const python = join(bin, process.platform === 'win32' ? 'python.exe' : 'python');
  const done = await run(python, ['-c', 'import datasets, transformers, trl']).then(
    () => true,
    () => false,
  );
  if (existsSync(python) && done) return python;
  await mkdir(folder, { recursive: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', ...packages], { maxBuffer: 1e8 });
  await run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', ...withoutDependencies], {
    maxBuffer: 1e8,
  });
  return python;
}

/** Runs a script of this folder and gives what it printed as JSON on its last line. */
export async function readByPython(script: string, args: readonly string[]): Promise<unknown> {
  const python = await pairsPython();
  const { stdout } = await run(python, [join(import.meta.dirname, script), ...args], {
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1' },
    maxBuffer: 1e8,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
}
