import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/faultyDisk.ts';
import { runOf } from '../../../test/support/ledgerExamples.ts';
import { decodeSettings, type Settings } from '../protocol/index.ts';
import { workspacePlaces } from '../state/index.ts';
import { planDecision, recordDecision } from './decide.ts';
import { workspacePairs } from './pairs.ts';
import { planPick, planRating, recordPick } from './pick.ts';
import { Stores } from './stores.ts';

const never = new AbortController().signal;
const secret = 'The lattice is a secret.';
const block = `<!-- preflexor k3v9q2 begin -->
> [!answer]+ Suggestion
> Because.
<!-- preflexor k3v9q2 end -->
`;
const iteration = runOf('01JDF3Z0000000000000000000').iterations[0];

/** Makes every kind of decision on a note, and gives what the ledger holds then. */
async function decideOn(
  t: TestContext,
  { text, record = true, off = false }: { text: string; record?: boolean; off?: boolean },
): Promise<{ lines: string; pairs: number; accepted: string }> {
  const root = temporaryFolder(t);
  const file = path.join(root, 'notes', 'a.md');
  await mkdir(path.dirname(file));
  await writeFile(file, text);
  if (off) await writeFile(path.join(root, '.preflexor-off'), '');
  const stores = new Stores(path.join(root, '.home'), Date.now);
  assert.ok(iteration);
  await stores.runs(root).save(
    runOf('01JDF3Z0000000000000000000', {
      ...{ block: 'k3v9q2', paragraph: secret, question: secret },
      iterations: [iteration, { ...iteration, index: 1, answer: 'Otherwise.' }],
      note: { path: 'notes/a.md', hash: 'h', range: { start: 0, end: 10 } },
    }),
  );
  const settings: Settings = decodeSettings({ preferences: { record } }).settings;
  const note = { root, file, text };
  const choice = { block: 'k3v9q2', iteration: 1 };
  await recordPick(stores, root, await planPick(note, choice, settings, stores, new Set(), never));
  const rating = { segment: 'answer', value: 'up' } as const;
  await recordDecision(stores, root, await planRating(note, choice, rating, settings, stores));
  const reject = { block: 'k3v9q2', as: 'reject', reason: secret } as const;
  await recordDecision(stores, root, (await planDecision(note, reject, settings, stores)).entry);
  const accept = { block: 'k3v9q2', as: 'accept' } as const;
  const planned = await planDecision(note, accept, settings, stores);
  await recordDecision(stores, root, planned.entry);
  const { ledger } = workspacePlaces(root);
  const [name = ''] = await readdir(ledger);
  const { pairs } = await workspacePairs({ root, now: Date.now(), record: true }, stores, never);
  return {
    lines: await readFile(path.join(ledger, name), 'utf8'),
    pairs: pairs.length,
    accepted: planned.edits.map((edit) => edit.text).join(''),
  };
}

const note = `${secret}\n\n${block}`;

test('given recording, when the writer decides, then the ledger keeps the texts and pairs follow', async (t) => {
  const { lines, pairs } = await decideOn(t, { text: note });
  assert.match(lines, /The lattice is a secret/);
  assert.ok(pairs > 0);
});

for (const [how, given] of Object.entries({
  'front matter': { text: `---\npreflexor: off\n---\n\n${note}` },
  'a file in a folder above': { text: note, off: true },
  'the setting': { text: note, record: false },
})) {
  test(`given recording that is off by ${how}, when the writer decides, then it is carried out, the ledger keeps that they did and no text, and no pair follows`, async (t) => {
    const { lines, pairs, accepted } = await decideOn(t, given);
    assert.match(accepted, /Because/);
    assert.deepEqual(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { kind: string; recording: string }).kind),
      ['pick', 'rate', 'reject', 'accept'],
    );
    assert.doesNotMatch(lines, /secret|Because|Otherwise/);
    assert.equal(pairs, 0);
  });
}
