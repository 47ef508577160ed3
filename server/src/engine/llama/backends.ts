// What a model can run on, in the order in which it is tried, and how that is said to a person.
// Pure: nothing is probed here.
import type { Gpu } from '../../protocol/index.ts';

/** `auto` is a wish, not something to run on. */
export type Backend = Exclude<Gpu, 'auto'>;

/** As in "No … was found" and "Running on …". */
export const backendNames: Record<Backend, string> = {
  cuda: 'NVIDIA GPU (CUDA)',
  metal: 'Apple GPU (Metal)',
  vulkan: 'Vulkan GPU',
  cpu: 'processor',
};

/** The GPU backends that a platform can have, best first. */
export function gpuBackends(platform: NodeJS.Platform): Exclude<Backend, 'cpu'>[] {
  return platform === 'darwin' ? ['metal'] : ['cuda', 'vulkan'];
}

/** What is tried for a setting, in order. A forced backend is not replaced by another. */
export function backendsFor(gpu: Gpu, platform: NodeJS.Platform): Backend[] {
  return gpu === 'auto' ? [...gpuBackends(platform), 'cpu'] : [gpu];
}

/** Why a backend was passed over: it is not there, or it was tried and failed. */
export interface PassedOver {
  readonly backend: Backend;
  /** Null: there is none on this machine. */
  readonly failure: string | null;
}

/**
 * The sentence for a model that runs on another backend than the best that one could wish for; null when there
 * is nothing to say. That there is no NVIDIA GPU is no news to somebody whose model runs on another GPU.
 */
export function fallbackSentence(passed: readonly PassedOver[], backend: Backend): string | null {
  const failures = passed.filter(({ failure }) => failure !== null);
  if (failures.length > 0) {
    const reasons = failures.map((each) => ` ${backendNames[each.backend]}: ${each.failure ?? ''}.`);
    return `Running on the ${backendNames[backend]}.${reasons.join('')}`;
  }
  if (backend !== 'cpu' || passed.length === 0) return null;
  const missing = passed.map((each) => backendNames[each.backend]).join(' or ');
  return `No ${missing} was found; running on the processor.`;
}
