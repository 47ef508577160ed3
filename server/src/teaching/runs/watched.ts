// The watch list of a run while it goes on, worked out of its files as `teach` does it itself. Pure.
import type { GateVerdict, WatchEntry, WatchFinding } from '../../protocol/index.ts';
import { diversityOf } from '../dataset/figures.ts';
import { watchDataset, watchHeldout, watchVerdict } from '../watch.ts';
import type { Leg } from './leg.ts';

/** @param reported what the run's report says; it alone knows of how many notes there are */
export function watchedIn(
  legs: readonly Leg[],
  gates: readonly GateVerdict[],
  reported: readonly WatchFinding[],
): WatchEntry[] {
  const entries: WatchEntry[] = [];
  for (const leg of legs) {
    const { phase, refresh, log } = leg;
    if (phase === null) continue;
    const add = (findings: readonly WatchFinding[]): void => {
      entries.push(...findings.map((finding) => ({ ...finding, refresh })));
    };
    const first = legs.find((one) => one.phase === phase);
    const data = datasetOf(leg);
    if (data) add(watchDataset(data, phase, first ? datasetOf(first) : null).filter(isKnown));
    const looks = log.lines.flatMap((line) =>
      line.event === 'eval'
        ? [{ step: line.step, loss: line.loss, accuracy: line['rewards/accuracies'] }]
        : [],
    );
    add(watchHeldout(looks, phase));
  }
  return [
    ...entries,
    ...gates.flatMap(watchVerdict).map((finding) => ({ ...finding, refresh: null })),
    ...reported.filter(({ name }) => name === 'coverage').map((finding) => ({ ...finding, refresh: null })),
  ];
}

function datasetOf({ samples }: Leg): Parameters<typeof watchDataset>[0] | null {
  const lines = samples?.lines ?? [];
  return lines.length === 0 ? null : { samples: lines, diversity: diversityOf(lines, []) };
}

/** The notes that samples could have come from are not in the files. */
function isKnown({ name }: WatchFinding): boolean {
  return name !== 'coverage';
}
