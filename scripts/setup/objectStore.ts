// An S3-compatible object store for the tests (moto, in Python), installed once into .cache/object-store.
// It keeps everything in memory and listens on 127.0.0.1 only.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SetupError } from './errors.ts';
import { cache } from './paths.ts';
import { findOnPath, freePort, keep, run } from './processes.ts';
import { isStamped, stamp } from './stamps.ts';

const requirement = 'moto[server]==5.2.5';
const folder = path.join(cache, 'object-store');
const stampFile = path.join(folder, 'installed.json');
const programs = path.join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
const server = path.join(programs, process.platform === 'win32' ? 'moto_server.exe' : 'moto_server');

export const objectStoreName = 'moto 5.2.5';

/** Python 3 on PATH, or undefined: then the tests that need the object store are left out. */
export function findPython(): string | undefined {
  return findOnPath(['python3', 'python']);
}

export function isObjectStoreInstalled(): boolean {
  return existsSync(server) && isStamped(stampFile, { requirement });
}

/** Installs it into a virtual environment of its own. Does nothing where there is no Python. */
export async function installObjectStore(): Promise<void> {
  const python = findPython();
  if (python === undefined || isObjectStoreInstalled()) return;
  await rm(folder, { recursive: true, force: true });
  await pythonStep(python, ['-m', 'venv', folder]);
  await pythonStep(path.join(programs, 'python'), [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
    requirement,
  ]);
  stamp(stampFile, { requirement });
}

async function pythonStep(python: string, args: readonly string[]): Promise<void> {
  const result = await run(python, args);
  if (result.code === 0) return;
  throw new SetupError(
    `The object store for the tests could not be installed (python ${args.slice(0, 3).join(' ')}):\n${(result.stderr || result.stdout).trim().split('\n').slice(-10).join('\n')}`,
    'Check the network connection and that Python can make virtual environments (Debian: apt-get install python3-venv), then try again.',
  );
}

export interface ObjectStore {
  readonly endpoint: string;
  /** Makes an empty bucket. */
  makeBucket(name: string): Promise<void>;
  end(): Promise<void>;
}

/** Starts the store. Throws when it does not answer within 30 seconds. */
export async function startObjectStore(): Promise<ObjectStore> {
  const port = await freePort(0);
  const endpoint = `http://127.0.0.1:${port}`;
  const kept = keep(server, ['-H', '127.0.0.1', '-p', String(port)]);
  const deadline = Date.now() + 30_000;
  while (!(await answers(endpoint))) {
    if (kept.isGone() || Date.now() > deadline) {
      await kept.end();
      throw new Error(`The object store did not start:\n${kept.output().slice(-2000)}`);
    }
    await delay(100);
  }
  return {
    endpoint,
    makeBucket: async (name) => {
      const { ok, status } = await fetch(`${endpoint}/${name}`, { method: 'PUT' });
      if (!ok) throw new Error(`The bucket ${name} could not be made: ${status}`);
    },
    end: () => kept.end(),
  };
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    ({ ok }) => ok,
    () => false,
  );
}
