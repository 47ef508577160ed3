// A time of the day, `22:00-06:00`, which may go over midnight. Pure.

export interface DayWindow {
  /** As it was written. */
  readonly text: string;
  /** Minutes after midnight. */
  readonly from: number;
  readonly to: number;
}

/** null: none is meant. @param text as setting `teaching.window` allows it */
export function dayWindow(text: string): DayWindow | null {
  const [, from = '', to = ''] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  return from === '' ? null : { text, from: minutes(from), to: minutes(to) };
}

function minutes(time: string): number {
  const [hours = 0, rest = 0] = time.split(':').map(Number);
  return hours * 60 + rest;
}

/** By the clock on the wall. From a time to the same time is the whole day. */
export function isWithin({ from, to }: DayWindow, now: Date): boolean {
  const at = now.getHours() * 60 + now.getMinutes();
  if (from === to) return true;
  return from < to ? from <= at && at < to : at >= from || at < to;
}
