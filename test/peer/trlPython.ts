// The Python that has TRL and what it trains with, in a virtual environment that is made once (.cache/trl, 6 GB).
// PREFLEXOR_TRL_PYTHON names another one.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export const trlPackages = [
  'torch==2.8.0',
  'transformers==5.24.0',
  'trl==1.16.0',
  'peft==0.21.0',
  'accelerate',
  'gguf',
];

/** The interpreter's path. @throws when the packages can't be had */
export async function trlPython(): Promise<string> {
  const given = process.env['PREFLEXOR_TRL_PYTHON'];
  if (given) return given;
  const environment = path.join(import.meta.dirname, '..', '..', '.cache', 'trl');
  const python = path.join(environment, 'bin', 'python');
  const marker = path.join(environment, '.complete');
  if (existsSync(marker)) return python;
  await rm(environment, { recursive: true, force: true });
  await mkdir(path.dirname(environment), { recursive: true });
  run('python3', ['-m', 'venv', environment]);
  run(python, ['-m', 'pip', 'install', '--quiet', ...trlPackages]);
  await writeFile(`${marker}.partial`, trlPackages.join('\n'));
  await rename(`${marker}.partial`, marker);
  return python;
}

function run(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed.`);
}
