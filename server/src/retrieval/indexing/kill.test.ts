// What a kill at any moment leaves behind: an index that the next run finishes, and hardly anything to do again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { durableParts, limits } from '../testing/killedIndexer.ts';
import type { RecordingStore } from '../testing/recordingStore.ts';
import { index, put, testParts, workspace } from '../testing/workspace.ts';

const program = join(import.meta.dirname, '..', 'testing', 'killedIndexer.ts');

function paragraphs(name: string, count: number): string {
  return Array.from({ length: count }, (_none, at) => `${name}, paragraph ${at}.`).join('\n\n');
}

/** Short and long notes, equal texts, and a document that takes in another. */
function firstFiles(folder: string): void {
  for (let at = 0; at < 16; at += 1)
    put(folder, `notes/${at}.md`, `Same.\n\n${paragraphs(`note ${at}`, (at % 4) + 1)}`);
  put(folder, 'long.md', paragraphs('long', 30));
  put(folder, 'main.tex', 'Main.\n\n\\input{part.tex}');
  put(folder, 'part.tex', paragraphs('part', 3));
}

/** Moved, changed, removed and new files. */
function edits(folder: string): void {
  mkdirSync(join(folder, 'moved'));
  for (let at = 0; at < 5; at += 1)
    renameSync(join(folder, `notes/${at}.md`), join(folder, `moved/${at}.md`));
  for (let at = 5; at < 8; at += 1) rmSync(join(folder, `notes/${at}.md`));
  for (let at = 8; at < 12; at += 1) put(folder, `notes/${at}.md`, paragraphs(`changed ${at}`, 3));
  put(folder, 'long.md', paragraphs('longer', 25));
  put(folder, 'part.tex', paragraphs('another part', 2));
}

function contents(store: RecordingStore): unknown {
  return [...store.entries.values()].sort((a, b) => (a.record.path < b.record.path ? -1 : 1));
}

/** The texts that were embedded so far, one for each time. */
function embedded(home: string): string[] {
  const file = join(home, 'embedded.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

function killed(folder: string, home: string, at: number, compiled: string): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, folder, home, String(at)], {
      stdio: 'inherit',
      // A hundred processes of the same program: they need not compile it a hundred times.
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => resolve(signal));
  });
}

/** Moments from 1 to `last` from a seed, each once (a linear congruential generator: Numerical Recipes). */
function moments(seed: number, last: number, count: number): number[] {
  const chosen = new Set<number>();
  for (let state = seed; chosen.size < Math.min(count, last);) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    chosen.add(1 + (state % last));
  }
  return [...chosen];
}

/** How many steps an undisturbed run takes, from the state in `home`. */
async function stepsOf(t: TestContext, folder: string, home: string): Promise<number> {
  const copy = workspace(t);
  cpSync(home, copy, { recursive: true });
  let steps = 0;
  await index(durableParts(folder, copy, () => void (steps += 1)));
  return steps;
}

async function killEverywhere(t: TestContext, folder: string, home: string, seed: number): Promise<void> {
  const clean = testParts(folder);
  await index(clean);
  const before = embedded(home).length;
  const steps = await stepsOf(t, folder, home);
  assert.ok(steps > 50);
  const compiled = workspace(t);
  for (const at of moments(seed, steps, 50)) {
    const copy = workspace(t);
    cpSync(home, copy, { recursive: true });
    assert.equal(await killed(folder, copy, at, compiled), 'SIGKILL', `killed at step ${at}`);
    const parts = durableParts(folder, copy, () => {});
    await index(parts);
    assert.deepEqual(contents(parts.store), contents(clean.store), `killed at step ${at}`);
    const texts = embedded(copy).slice(before);
    const twice = texts.length - new Set(texts).size;
    assert.ok(twice <= limits.batchChunks, `killed at step ${at}: ${twice} texts were embedded twice`);
  }
}

test('given a first run that is killed at fifty moments, when run again, then the index is that of a clean run and at most a batch was embedded twice', async (t) => {
  const [folder, home] = [workspace(t), workspace(t)];
  firstFiles(folder);
  await killEverywhere(t, folder, home, 1);
});

test('given a later run that is killed at fifty moments, when run again, then the index is that of a clean run and at most a batch was embedded twice', async (t) => {
  const [folder, home] = [workspace(t), workspace(t)];
  firstFiles(folder);
  await index(durableParts(folder, home, () => {}));
  edits(folder);
  await killEverywhere(t, folder, home, 2);
});
