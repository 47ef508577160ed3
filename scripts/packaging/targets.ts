// The platforms that a package is made for, and what differs between them. Only names; looks at nothing.
import { SetupError } from '../setup/errors.ts';

export interface Target {
  /** VS Code's name of the platform; the trainer's folder bears it too. */
  readonly name: string;
  /** As Node and npm call them. */
  readonly os: NodeJS.Platform;
  readonly cpu: string;
  /** On Linux: what VS Code itself needs there. */
  readonly libc: 'glibc' | null;
  /** Packages of @node-llama-cpp: the processor first, and a GPU where its package is small enough. */
  readonly engines: readonly string[];
  readonly trainer: TrainerFiles;
}

export interface TrainerFiles {
  readonly program: string;
  /** OpenBLAS, beside the program: without it training works, slower. */
  readonly blas: string;
}

/** The licence of OpenBLAS, which has to stay with it. */
export const blasLicence = 'OpenBLAS-LICENSE.txt';

const linux = { os: 'linux', libc: 'glibc' } as const;
const unix = (ending: string): TrainerFiles => ({
  program: 'preflexor-trainer',
  blas: `libscipy_openblas.${ending}`,
});

/**
 * CUDA is left out: its two packages alone are larger than everything else together (docs/decisions/0016). Vulkan
 * serves the same cards.
 */
export const targets: readonly Target[] = [
  {
    ...linux,
    name: 'linux-x64',
    cpu: 'x64',
    engines: ['linux-x64', 'linux-x64-vulkan'],
    trainer: unix('so'),
  },
  { ...linux, name: 'linux-arm64', cpu: 'arm64', engines: ['linux-arm64'], trainer: unix('so') },
  {
    name: 'darwin-arm64',
    os: 'darwin',
    cpu: 'arm64',
    libc: null,
    engines: ['mac-arm64-metal'],
    trainer: unix('dylib'),
  },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', libc: null, engines: ['mac-x64'], trainer: unix('dylib') },
  {
    name: 'win32-x64',
    os: 'win32',
    cpu: 'x64',
    libc: null,
    engines: ['win-x64', 'win-x64-vulkan'],
    trainer: { program: 'preflexor-trainer.exe', blas: 'libscipy_openblas.dll' },
  },
];

/** VS Code's name of the platform that this runs on. */
export function hostTarget(): string {
  return `${process.platform}-${process.arch}`;
}

/** @throws SetupError for a platform that no package is made for */
export function targetNamed(name: string): Target {
  const target = targets.find((candidate) => candidate.name === name);
  if (target !== undefined) return target;
  throw new SetupError(
    `No package is made for ${name}.`,
    `Known are ${targets.map((candidate) => candidate.name).join(', ')}.`,
  );
}
