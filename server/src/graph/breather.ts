// Lets others have their turn within long loops.
import { setImmediate as turn } from 'node:timers/promises';

/** Longest stretch of work without a turn for others, in milliseconds. */
const longest = 20;

/** A function to be awaited within a loop: most calls cost nothing, one lets others run when it is time. */
export function createBreather(now: () => number = performance.now.bind(performance)): () => Promise<void> {
  let since = now();
  return async () => {
    if (now() - since < longest) return;
    await turn();
    since = now();
  };
}
