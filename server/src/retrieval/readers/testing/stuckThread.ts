// A reader thread that misbehaves on command, by the name of the file: it never answers, holds its event loop, runs out
// of memory, throws, or ends. Any other file it reads.
import { parentPort } from 'node:worker_threads';
import type { ToThread } from '../threadMessages.ts';

const behaviours: Readonly<Record<string, () => void>> = {
  'silent.md': () => {},
  'busy.md': () => {
    for (;;);
  },
  'hungry.md': () => {
    const held: number[][] = [];
    for (;;) held.push(new Array<number>(1e5).fill(held.length));
  },
  'broken.md': () => {
    throw new Error('broken on purpose');
  },
  'gone.md': () => process.exit(3),
};

parentPort?.on('message', (message: ToThread) => {
  if (message.type !== 'read') return;
  const behave = behaviours[message.path];
  if (behave) behave();
  else
    parentPort?.postMessage({
      type: 'done',
      id: message.id,
      result: { refusal: { code: 'empty', reason: '' } },
    });
});
