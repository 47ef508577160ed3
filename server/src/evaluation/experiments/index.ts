// The experiments by name.
export { benchmark } from './benchmark.ts';
export { choicesOf, iterations } from './iterations.ts';
export { methods } from './methods.ts';
export { models } from './models.ts';
export { reflections } from './reflections.ts';
export { structure } from './structure.ts';
