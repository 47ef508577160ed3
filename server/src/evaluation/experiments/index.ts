// The experiments by name.
export { benchmark } from './benchmark.ts';
export { dataset } from './dataset.ts';
export { choicesOf, iterations } from './iterations.ts';
export { masking } from './masking.ts';
export { maskShare } from './maskShare.ts';
export { methods } from './methods.ts';
export { models } from './models.ts';
export { reflections } from './reflections.ts';
export { structure } from './structure.ts';
export { training } from './training.ts';
