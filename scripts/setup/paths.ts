// Where things lie in a checkout. Everything that is made, and not kept in git, is under .cache/.
import path from 'node:path';
import { repository } from '../bootstrap.mjs';

export { repository };
export const cache = path.join(repository, '.cache');
export const dist = path.join(repository, 'dist');
export const samples = path.join(repository, 'samples');
export const testOutput = path.join(repository, 'test-output');
/** What the tests use as PREFLEXOR_HOME, so that a person's own models and settings stay out of it. */
export const testHome = path.join(cache, 'test-home');
