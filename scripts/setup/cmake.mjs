// CMake for whoever builds C++ here: the one on the PATH, or the Python package of that name in a git-ignored virtual
// environment. Plain JavaScript: the trainer's build runs before anything is built.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';

/** Whether a program can be run and ends well. */
export function runs(program, args) {
  const result = spawnSync(program, args, { stdio: 'ignore' });
  return result.error === undefined && result.status === 0;
}

/** CMake's file or name, or undefined where it can't be had. @param cache the folder that may hold its environment */
export function findCmake(cache) {
  if (runs('cmake', ['--version'])) return 'cmake';
  const environment = path.join(cache, 'cmake');
  const local = path.join(environment, 'bin/cmake');
  if (runs(local, ['--version'])) return local;
  console.error('CMake is not installed: taking the Python package "cmake" into .cache/cmake.');
  const python = ['python3', 'python'].find((name) => runs(name, ['-m', 'venv', '--help']));
  if (python === undefined) return undefined;
  rmSync(environment, { recursive: true, force: true });
  const made = runs(python, ['-m', 'venv', environment]);
  const install = ['-m', 'pip', 'install', '--quiet', 'cmake'];
  if (!made || !runs(path.join(environment, 'bin/python'), install)) return undefined;
  return runs(local, ['--version']) ? local : undefined;
}
