// Where the trainer's program and the ggml libraries that it loads are. Looks at files only.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PreflexorError } from '../errors.ts';
import type { Gpu } from '../protocol/index.ts';

export interface TrainerPlace {
  readonly program: string;
  /** The folder of the @node-llama-cpp package that holds libggml. */
  readonly libraries: string;
  readonly device: 'cpu' | 'gpu';
}

/** What a run can compute on. */
export const trainerBackends = ['cpu', 'cuda', 'vulkan', 'metal'] as const satisfies readonly Gpu[];
export type TrainerBackend = (typeof trainerBackends)[number];

export interface TrainerSearch {
  /** The folder that holds package.json and node_modules. */
  readonly root: string;
  readonly platform?: NodeJS.Platform;
  readonly architecture?: string;
  /** Default: the processor. */
  readonly backend?: TrainerBackend;
  /** `PREFLEXOR_TRAINER` names another program. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** node-llama-cpp's name for the package of each platform that the trainer is built for. */
const platformPackages: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
};

/** The packages whose libraries also bring a GPU. */
const gpuPackages: Readonly<Record<string, Partial<Record<TrainerBackend, string>>>> = {
  'linux-x64': { cuda: 'linux-x64-cuda', vulkan: 'linux-x64-vulkan' },
  'darwin-arm64': { metal: 'mac-arm64-metal' },
};

/**
 * Finds the trainer: `PREFLEXOR_TRAINER`, else the packaged program, else the one that was built here.
 * @throws PreflexorError `trainer-failed` with how to build it
 */
export function findTrainer(search: TrainerSearch): TrainerPlace {
  const { root, environment = process.env } = search;
  const platform = `${search.platform ?? process.platform}-${search.architecture ?? process.arch}`;
  const cpuPackage = platformPackages[platform];
  if (cpuPackage === undefined) {
    throw new PreflexorError('trainer-failed', `Training does not run on ${platform} yet.`, {
      remedy: 'Train on Linux, macOS or Windows; adapters can be exported from there and imported here.',
    });
  }
  const wished = environment['PREFLEXOR_TRAINER'] || null;
  const places = [join(root, 'trainer', platform), join(root, 'native', 'build')].map((folder) =>
    join(folder, platform.startsWith('win32-') ? 'preflexor-trainer.exe' : 'preflexor-trainer'),
  );
  const program = (wished === null ? places : [wished]).find((place) => existsSync(place));
  if (program === undefined) {
    const where = wished === null ? 'here' : `at ${wished}`;
    throw new PreflexorError('trainer-failed', `The trainer has not been built ${where}.`, {
      remedy: 'Run "npm run build:native" in the folder of PRefLexOR; it needs a C++ compiler.',
    });
  }
  const backend = search.backend ?? 'cpu';
  const packageName = backend === 'cpu' ? cpuPackage : gpuPackages[platform]?.[backend];
  if (packageName === undefined) {
    throw new PreflexorError('trainer-failed', `The trainer has no ${backend} on ${platform}.`, {
      remedy: 'Train on the processor: leave the choice out.',
    });
  }
  const libraries = join(root, 'node_modules', '@node-llama-cpp', packageName, 'bins', packageName);
  if (!existsSync(libraries)) {
    throw new PreflexorError(
      'trainer-failed',
      `The libraries that the trainer needs are not at ${libraries}.`,
      {
        remedy: 'Run "npm ci" in the folder of PRefLexOR.',
      },
    );
  }
  return { program, libraries, device: backend === 'cpu' ? 'cpu' : 'gpu' };
}
