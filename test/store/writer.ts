// A process of its own that writes into a store until it is ended: what tests kill, and what they wait beside.
//   node writer.ts OPTIONS-JSON apply|rename|switch|optimise|hold
// Tells its parent each step that is done.
import { setTimeout as delay } from 'node:timers/promises';
import { openIndex, type StoreOptions } from '../../server/src/retrieval/store/index.ts';
import { changeOf, never, recordOf } from '../../server/src/retrieval/testing/examples.ts';
import { identityOf, targetOf, textsOf } from './support.ts';

const options = JSON.parse(process.argv[2] ?? '') as StoreOptions;
const job = process.argv[3] ?? '';

const names = ['a.md', 'b.md', 'c.md'];

async function run(): Promise<void> {
  if (job === 'switch') return switchAgainAndAgain();
  const index = await openIndex(options, identityOf());
  const store = targetOf(index);
  process.send?.('open');
  if (job === 'hold') {
    await index.exclusively(async () => {
      process.send?.('held');
      await delay(600_000);
    });
  }
  for (let n = 1; ; n += 1) {
    const documents = names.map((name) => (job === 'rename' ? `${n % 2 ? 'x' : 'y'}/${name}` : name));
    if (job === 'rename' && n > 1) {
      const to = (name: string) => recordOf(`${n % 2 ? 'x' : 'y'}/${name}`, 3);
      await store.rename(names.map((name) => ({ from: `${n % 2 ? 'y' : 'x'}/${name}`, to: to(name) })));
    } else await store.apply(documents.map((name) => changeOf(name, textsOf(name, n))));
    if (job === 'optimise') await store.optimise(never);
    process.send?.(`done ${n}`);
  }
}

async function switchAgainAndAgain(): Promise<void> {
  for (let n = 1; ; n += 1) {
    const index = await openIndex(options, identityOf(`embedder ${n}`));
    await index.building?.store.apply(names.map((name) => changeOf(name, textsOf(name, n))));
    await index.switchOver();
    await index.close();
    process.send?.(`done ${n}`);
  }
}

// The parent's end is ours.
process.on('disconnect', () => process.exit());
await run();
