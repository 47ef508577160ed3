// The command line without a model: usage, exit codes, bad input.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lineOf, paper, preflexor } from './support.ts';

for (const [given, args] of [
  ['an unknown command', ['meditate']],
  ['an unknown option', ['doctor', '--loud']],
  ['a missing argument', ['reason', '--at', '3']],
  ['a missing place', ['reason', 'note.md']],
  ['a wrong number', ['reason', 'note.md', '--at', '3', '--seed', 'x']],
  ['a run without a folder', ['train', '--phase', '1', '--pairs', 'pairs.jsonl']],
  ['a weight without an anchor', ['train', '--phase', '1', '--estimate', '--anchor-weight', '3']],
  ['an unknown mask', ['score', '--pairs', 'pairs.jsonl', '--mask', 'everything']],
  ['a wrong choice', ['decide', 'note.md', '--block', 'abcdef', '--as', 'perhaps']],
] as const) {
  test(`given ${given}, when it is run, then usage is explained on stderr and the exit code is 2`, async () => {
    const { code, stdout, stderr } = await preflexor(args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /error:/);
  });
}

test('given --help, when it is run, then help comes on stdout with exit code 0', async () => {
  const { code, stdout } = await preflexor(['--help']);
  assert.equal(code, 0);
  for (const command of ['doctor', 'models', 'reason', 'generate', 'annotations', 'strip', 'decide']) {
    assert.match(stdout, new RegExp(`^  ${command}`, 'm'));
  }
});

test('given a note that is not there, when it is named, then a sentence says so and the exit code is 1', async () => {
  const { code, stderr } = await preflexor(['annotations', 'no-such-note.md']);
  assert.equal(code, 1);
  assert.match(stderr, /no-such-note\.md/);
});

for (const [given, words] of [
  ['front matter', 'title:'],
  ['a heading', '# Summary'],
] as const) {
  test(`given a place in ${given}, when it is to be reasoned about, then it is refused before any model is loaded`, async (t) => {
    const { note } = await paper(t);
    const at = lineOf(await readFile(note, 'utf8'), words);
    const home = { PREFLEXOR_HOME: join(note, '..', 'empty-home') };
    const { code, stderr } = await preflexor(['reason', note, '--at', at], { env: home });
    assert.equal(code, 1);
    assert.doesNotMatch(stderr, /model/i);
  });
}

test('given a home without models, when reasoning is asked for, then it says how to get one', async (t) => {
  const { note } = await paper(t);
  const at = lineOf(await readFile(note, 'utf8'), 'Texture in polycrystalline');
  const home = { PREFLEXOR_HOME: join(note, '..', 'empty-home') };
  const { code, stderr } = await preflexor(['reason', note, '--at', at], { env: home });
  assert.equal(code, 1);
  assert.match(stderr, /preflexor models get smollm2-135m-instruct/);
});

test('given a home without models, when doctor looks, then its report names that problem with its mend', async (t) => {
  const { folder } = await paper(t);
  const { code, stdout, stderr } = await preflexor(['doctor', '--json'], {
    env: { PREFLEXOR_HOME: join(folder, 'empty-home') },
  });
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as Record<string, unknown> & {
    problems: { what: string; fix: string }[];
  };
  for (const name of [
    'node',
    'platform',
    'cpu',
    'gpus',
    'backend',
    'memory',
    'models',
    'embedder',
    'trainer',
    'problems',
  ]) {
    assert.ok(Object.hasOwn(report, name), name);
  }
  assert.ok(report.problems.some(({ fix }) => fix.includes('models get smollm2-135m-instruct')));
  assert.ok(report.problems.some(({ fix }) => fix.includes('models get all-minilm-l6-v2')));
  assert.deepEqual(report['embedder'], { id: 'all-minilm-l6-v2', here: false });
});

test('given the catalogue, when it is listed, then each entry has the contract’s names', async (t) => {
  const { folder } = await paper(t);
  const { code, stdout } = await preflexor(['models', 'list', '--json'], {
    env: { PREFLEXOR_HOME: join(folder, 'empty-home') },
  });
  assert.equal(code, 0);
  const models = JSON.parse(stdout) as Record<string, unknown>[];
  const ids = models.map(({ id }) => id);
  assert.ok(ids.includes('smollm2-135m-instruct'));
  for (const model of models) {
    for (const name of ['id', 'file', 'bytes', 'sha256', 'license', 'role', 'fits', 'estimatedBytes']) {
      assert.ok(Object.hasOwn(model, name), name);
    }
  }
});

test('given --offline, when a model that is not here is asked for, then the network is not touched and it says so', async (t) => {
  const { folder } = await paper(t);
  const { code, stderr } = await preflexor(['models', 'get', 'smollm2-135m-instruct', '--offline'], {
    env: { PREFLEXOR_HOME: join(folder, 'empty-home') },
  });
  assert.equal(code, 1);
  assert.match(stderr, /offline/i);
});

test('given an unknown model, when it is asked for, then the known ones are named', async (t) => {
  const { folder } = await paper(t);
  const { code, stderr } = await preflexor(['models', 'get', 'gpt-9'], {
    env: { PREFLEXOR_HOME: join(folder, 'empty-home') },
  });
  assert.equal(code, 1);
  assert.match(stderr, /smollm2-135m-instruct/);
});

test('given a note without annotations, when it is stripped, then its very bytes come back', async (t) => {
  const { folder } = await paper(t);
  const note = join(folder, 'odd.md');
  const text = '\ufeffOne.\r\n\r\nTwo 😀\tno line end';
  await writeFile(note, text);
  const { stdout } = await preflexor(['strip', note]);
  assert.equal(stdout, text);
});

test('given neither a place nor a run to go on with, when reason is asked for, then it says what is needed', async (t) => {
  const { note } = await paper(t);
  const { code, stderr } = await preflexor(['reason', note]);
  assert.equal(code, 2);
  assert.match(stderr, /--at LINE.*--resume RUN/);
});

test('given a run that is not there, when it is to be gone on with, then a sentence says so', async (t) => {
  const { note } = await paper(t);
  const { code, stderr } = await preflexor(['reason', note, '--resume', '01JD3X7Q9V5T2M8K4N6P1R0WBC']);
  assert.equal(code, 1);
  assert.match(stderr, /no unfinished run 01JD3X7Q9V5T2M8K4N6P1R0WBC/);
});

test('given a prompt of the workspace with an unknown variable, when it is used, then file, name and mend are told', async (t) => {
  const { note, folder } = await paper(t);
  await mkdir(join(folder, '.preflexor', 'prompts'), { recursive: true });
  await writeFile(join(folder, '.preflexor', 'prompts', 'improve.md'), 'Again: {{mood}}');
  const { code, stderr } = await preflexor(['reason', note, '--at', '36']);
  assert.equal(code, 1);
  assert.match(stderr, /improve\.md can't be used: it has no variable \{\{mood\}\}.*feedback/s);
});
