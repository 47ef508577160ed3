// A process that indexes a folder and ends itself by SIGKILL at its n-th step; see ../indexing/kill.test.ts.
// Steps lie between the system calls of the store and the cache, and before and after each call of the embedder.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FileVectorCache, type VectorCache } from '../indexing/index.ts';
import { FileStore, type Step } from './fileStore.ts';
import { HashEmbedder } from './hashEmbedder.ts';
import { index, testParts } from './workspace.ts';

export const limits = { batchChunks: 8, textsPerCall: 2, filesAhead: 3, bytesAhead: 10_000 };

/** The parts of an index in `home`, which are the same in the killed process and in the one that goes on. */
export function durableParts(folder: string, home: string, step: Step) {
  const embedder: HashEmbedder = new HashEmbedder({
    before: (texts) => {
      step();
      // What an embedder was asked for counts as embedded, even if the process ends before it answers.
      appendFileSync(join(home, 'embedded.jsonl'), texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
      step();
    },
  });
  const cache = new FileVectorCache({ folder: join(home, 'vectors'), embedder: 'hash', dimensions: 8 });
  const stepping: VectorCache = {
    find: (hashes) => cache.find(hashes),
    keep: async (vectors) => {
      step();
      await cache.keep(vectors);
      step();
    },
  };
  return testParts(folder, {
    store: new FileStore(join(home, 'index'), step),
    cache: stepping,
    embedder,
    limits,
  });
}

const [folder = '', home = '', killAt = ''] = process.argv.slice(2);
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  let steps = 0;
  const parts = durableParts(folder, home, () => {
    steps += 1;
    if (steps === Number(killAt)) process.kill(process.pid, 'SIGKILL');
  });
  await index(parts);
}
