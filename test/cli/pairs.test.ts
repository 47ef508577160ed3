// preflexor pairs from a file and back: a huge and hostile file is taken in line by line, checked, written out, and
// forgotten. Needs no model.
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';
import { PairProblem, PreferencePair } from '../../server/src/protocol/index.ts';
import { preflexor } from './support.ts';

const Imported = z.object({
  imported: z.number(),
  known: z.number(),
  refused: z.array(z.object({ line: z.number().nullable(), reason: z.string() })),
});
const Checked = z.object({
  pairs: z.number(),
  counts: z.record(z.string(), z.number()),
  problems: z.array(PairProblem),
});

const good = 2000;
const markup = '<img src=x onerror=alert(1)> [run](command:workbench.action.quit)';

function pairOf(question: string, chosen: string, rejected: string): string {
  const turn = (role: string, content: string) => [{ role, content }];
  return JSON.stringify({
    prompt: turn('user', question),
    chosen: turn('assistant', chosen),
    rejected: turn('assistant', rejected),
  });
}

async function world(t: TestContext) {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'preflexor pairs Žofie '));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // Without a home of models no near-duplicates are looked for.
  const env = { PREFLEXOR_HOME: join(folder, 'home') };
  async function command<T>(schema: z.ZodType<T>, ...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await preflexor(
      [...args, '--json', '--workspace', folder, '--offline'],
      { env },
    );
    assert.equal(code, 0, stderr);
    return schema.parse(JSON.parse(stdout));
  }
  return { folder, command };
}

/** A file of 80 MB: good lines, a line that is nothing but long, and lines that mean harm. */
async function write(file: string): Promise<void> {
  const stream = createWriteStream(file);
  for (let n = 0; n < good; n += 1)
    stream.write(`${pairOf(`What is ${n}?`, `${n} is the number after ${n - 1}.`, `No idea about ${n}.`)}\n`);
  stream.write('{"prompt":"');
  for (let n = 0; n < 80; n += 1) stream.write('x'.repeat(1e6));
  stream.write('"}\n');
  stream.write('{"__proto__":{"polluted":true},"prompt":"a","chosen":"b","rejected":"c"}\n');
  stream.write(`${pairOf('May this run?', markup, 'No.')}\n`);
  stream.write('{"id":"../../etc/passwd","prompt":"Where?","chosen":"Here.","rejected":"There."}\n');
  stream.write('{"prompt":"torn\n');
  stream.end();
  await finished(stream);
}

test('given a huge file with hostile lines, when it is imported, checked and exported, then what is a pair goes through as text and the rest is named by its line', async (t) => {
  const { folder, command } = await world(t);
  const file = join(folder, 'from elsewhere.jsonl');
  await write(file);
  const { imported, refused } = await command(Imported, 'pairs', 'import', file);
  assert.deepEqual(
    refused.map(({ line }) => line),
    [good + 1, good + 5],
  );
  assert.match(refused[0]?.reason ?? '', /longer than/);
  assert.equal(imported, good + 3);
  assert.equal((await command(Imported, 'pairs', 'import', file)).known, good + 3);

  const pairs = await command(z.array(PreferencePair), 'pairs', 'list');
  assert.equal(pairs.length, good + 3);
  assert.ok(pairs.some(({ chosen }) => chosen === markup));
  assert.ok(pairs.every(({ id }) => /^[0-9a-zA-Z-]+$/.test(id)));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);

  const checked = await command(Checked, 'pairs', 'check');
  assert.equal(checked.pairs, good + 3);
  assert.ok(checked.problems.every(({ code, message }) => code.length > 0 && message.length > 0));

  const out = join(folder, 'out.jsonl');
  await command(z.unknown(), 'pairs', 'export', out, '--split', 'all');
  const lines = (await readFile(out, 'utf8')).trim().split('\n');
  assert.equal(lines.length, good + 3);
  assert.ok(lines.some((line) => line.includes('onerror')));
});
