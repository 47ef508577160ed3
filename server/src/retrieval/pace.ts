// Lets other work of the event loop in between: readers call this in their loops.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfCancelled } from '../errors.ts';

/** How long the event loop is held at most, in milliseconds, as far as one step allows. */
const longestHold = 15;

/** Waits for the event loop when it was held long enough. */
export type Pace = () => Promise<void> | undefined;

/**
 * @param signal looked at on each call
 * @throws PreflexorError `cancelled`, from the function it gives
 */
export function newPace(signal: AbortSignal): Pace {
  let since = performance.now();
  return () => {
    throwIfCancelled(signal);
    if (performance.now() - since < longestHold) return undefined;
    return nextTurn().then(() => {
      throwIfCancelled(signal);
      since = performance.now();
    });
  };
}
