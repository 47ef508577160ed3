// How busy the processor was between two looks at its clocks: the same on every system. Pure.

/** Milliseconds that a core spent, as `os.cpus()` counts them. */
export interface CoreTimes {
  readonly user: number;
  readonly nice: number;
  readonly sys: number;
  readonly idle: number;
  readonly irq: number;
}

/**
 * Share of the time that the cores were at work, 0 to 1; null: it can't be said. What runs at low priority counts as
 * nothing: it makes way, as teaching itself does.
 */
export function busyShare(before: readonly CoreTimes[], after: readonly CoreTimes[]): number | null {
  if (before.length !== after.length) return null;
  let busy = 0;
  let all = 0;
  for (const [core, end] of after.entries()) {
    const begin = before[core];
    if (!begin) return null;
    const of = (name: keyof CoreTimes) => end[name] - begin[name];
    const working = of('user') + of('sys') + of('irq');
    busy += working;
    all += working + of('nice') + of('idle');
  }
  // A clock that was set back, or a machine that slept.
  return all > 0 && busy >= 0 && busy <= all ? busy / all : null;
}
