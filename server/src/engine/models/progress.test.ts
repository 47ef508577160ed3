import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DownloadProgress } from '../../protocol/index.ts';
import { paced } from './progress.ts';

test('given many events, when they are paced, then the first, the last and one in each span are passed on', () => {
  let now = 0;
  const seen: DownloadProgress[] = [];
  const report = paced(
    (event) => seen.push(event),
    100,
    () => now,
  );
  for (; now <= 1000; now += 10) report({ event: 'progress', received: now, total: 1005 });
  report({ event: 'progress', received: 1005, total: 1005 });
  report({ event: 'verifying', received: 0, total: 1005 });
  const received = seen.map((event) => event.received);
  assert.deepEqual(received, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1005, 0]);
});
