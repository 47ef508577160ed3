// When teaching may start by itself, and when it may go on. Pure: clock, power and load come in, and what comes out is
// a yes, or a no with the reason as the writer reads it.
import type { TeachingMode } from '../../protocol/index.ts';
import type { Power } from './power.ts';
import { isWithin, type DayWindow } from './dayWindow.ts';

/** What the writer wishes. */
export interface TeachingWishes {
  readonly mode: TeachingMode;
  /** New pairs that are worth a run. */
  readonly newPairs: number;
  /** null: at any time of the day. */
  readonly window: DayWindow | null;
  /** How long nobody must have written. */
  readonly idleMinutes: number;
  readonly onBattery: boolean;
}

export interface Surroundings {
  /** By the clock on the wall. */
  readonly now: Date;
  readonly power: Power;
  /** Milliseconds since somebody wrote. Below 0, the clock was set back: nobody knows. */
  readonly idleMs: number;
  /** 0 to 1; null: not known. */
  readonly busyShare: number | null;
}

/** What came before. */
export interface Past {
  readonly newPairs: number;
  /** Milliseconds since the last attempt broke off, and how many did in a row; null: none did. */
  readonly broken: { readonly ago: number; readonly times: number } | null;
}

export type Permission = { readonly granted: true } | { readonly granted: false; readonly says: string };

const granted: Permission = { granted: true };
/** A machine on which something else works is not idle. */
const mostBusy = 0.3;
const pauseAfterBreakMs = 6 * 3_600_000;
const mostBreaks = 3;

/** Whether a run may begin that nobody asked for. */
export function mayStart(wishes: TeachingWishes, around: Surroundings, past: Past): Permission {
  if (wishes.mode === 'off') return no('Teaching is switched off.');
  if (wishes.mode === 'manual') return no(`${pairsText(past.newPairs)} to learn from. Teach Now starts it.`);
  if (past.newPairs < wishes.newPairs)
    return no(`${pairsText(past.newPairs)}; teaching starts with ${wishes.newPairs}.`);
  const mended = mayTryAgain(past);
  if (!mended.granted) return mended;
  const allowed = mayGoOn(wishes, around);
  if (!allowed.granted) return allowed;
  return isIdle(wishes, around);
}

/** Whether a run that was begun so may go on. The writer's own work it makes way for in other ways. */
export function mayGoOn(wishes: TeachingWishes, { now, power }: Surroundings): Permission {
  if (wishes.mode !== 'automatic') return no('Teaching starts on command only.');
  if (wishes.window && !isWithin(wishes.window, now))
    return no(`Teaching waits for its time, ${wishes.window.text}.`);
  if (wishes.onBattery || power === 'plugged-in') return granted;
  return no(
    power === 'battery'
      ? 'Teaching waits until the machine is plugged in.'
      : 'Teaching waits, as this machine does not say whether it is plugged in.',
  );
}

/** Whether a run that was held may be taken up again. */
export function mayResume(wishes: TeachingWishes, around: Surroundings): Permission {
  const allowed = mayGoOn(wishes, around);
  return allowed.granted ? isIdle(wishes, around) : allowed;
}

/** After a break: later, and not for ever. A clock that was set back counts as just now. */
export function mayTryAgain({ broken }: Pick<Past, 'broken'>): Permission {
  if (!broken) return granted;
  if (broken.times >= mostBreaks)
    return no(`Teaching broke off ${broken.times} times in a row; Teach Now tries again.`);
  return broken.ago >= pauseAfterBreakMs
    ? granted
    : no('Teaching broke off; it is tried again in some hours.');
}

function isIdle({ idleMinutes }: TeachingWishes, { idleMs, busyShare }: Surroundings): Permission {
  if (idleMs < idleMinutes * 60_000) return no('Teaching waits until you have not written for a while.');
  if (busyShare === null) return no('Teaching waits until it is known how busy the machine is.');
  return busyShare <= mostBusy ? granted : no('Teaching waits, as the machine is busy with something else.');
}

function no(says: string): Permission {
  return { granted: false, says };
}

export function pairsText(count: number): string {
  return count === 1 ? '1 new pair' : `${count} new pairs`;
}
