// Progress events at a pace that a person can read and a connection can carry.
import type { DownloadProgress } from '../../protocol/index.ts';

export type OnProgress = (progress: DownloadProgress) => void;

/**
 * Passes on at most one event in `everyMs` milliseconds; the first and the last of each kind always, so that
 * what is shown ends at the truth.
 */
export function paced(
  onProgress: OnProgress,
  everyMs: number,
  now: () => number = () => performance.now(),
): OnProgress {
  let last: { event: DownloadProgress['event']; at: number } | null = null;
  return (progress) => {
    const complete = progress.received === progress.total;
    if (!complete && last?.event === progress.event && now() - last.at < everyMs) return;
    last = { event: progress.event, at: now() };
    onProgress(progress);
  };
}
