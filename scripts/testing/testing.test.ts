import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { runTestFiles } from './nodeTests.ts';
import { lastLine, report, type Results } from './results.ts';

/** Counts a test file with the given content, as `npm test` would. */
async function count(test: TestContext, content: string): Promise<Results> {
  const named = await files(test, [content]);
  return runTestFiles(named, { concurrency: 1, minutes: 1, env: process.env, show: false });
}

async function files(test: TestContext, contents: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-count-'));
  test.after(() => rm(folder, { recursive: true }));
  const names = contents.map((_content, at) => path.join(folder, `some${String(at)}.test.mjs`));
  for (const [at, name] of names.entries())
    await writeFile(name, `import { describe, it, test, before } from 'node:test';\n${contents[at] ?? ''}`);
  return names;
}

const passing = (passed: number): Results => ({ passed, failures: [], skips: [] });

describe('given a test file', () => {
  it('when tests lie in suites and in other tests then only those that test something count', async (test) => {
    const results = await count(
      test,
      `describe('a suite', () => { it('one', () => {}); it('two', () => {}); });
       test('outer', async (t) => { await t.test('three', () => {}); });`,
    );
    assert.deepEqual(results, passing(3));
  });

  it('when a test fails then it is named with the first line of why, once', async (test) => {
    const results = await count(
      test,
      `describe('a suite', () => { it('good', () => {}); it('bad', () => { throw new Error('because\\nmore'); }); });`,
    );
    assert.deepEqual(results, { passed: 1, failures: ['some0.test.mjs › bad: because'], skips: [] });
  });

  it('when a property fails then its seed and its counterexample are named', async (test) => {
    const library = import.meta.resolve('fast-check');
    const results = await count(
      test,
      `import fc from '${library}';
       it('small', () => { fc.assert(fc.property(fc.nat(), (n) => n < 5), { seed: 7 }); });`,
    );
    assert.equal(results.failures.length, 1);
    assert.match(results.failures[0] ?? '', /Property failed .*\{ seed: 7, .*Counterexample: \[5\]$/);
  });

  it('when a hook fails then that is a failure', async (test) => {
    const results = await count(
      test,
      `describe('a suite', () => { before(() => { throw new Error('no hook'); }); it('one', () => {}); });`,
    );
    assert.equal(results.passed, 0);
    assert.ok(results.failures.some((line) => line.includes('no hook')));
  });

  it('when a test is left out then it needs a reason', async (test) => {
    const results = await count(
      test,
      `it('said', { skip: 'no GPU here' }, () => {}); it('unsaid', { skip: true }, () => {}); it.todo('later');`,
    );
    assert.deepEqual(results, {
      passed: 0,
      failures: [
        'some0.test.mjs › unsaid: skipped without a reason',
        'some0.test.mjs › later: still to be done',
      ],
      skips: ['some0.test.mjs › said: no GPU here'],
    });
  });

  it('when it holds no test, or can not be loaded, then it fails', async (test) => {
    const empty = await count(test, '');
    assert.deepEqual(empty.failures, ['some0.test.mjs: holds no test']);
    const broken = await count(test, `throw new Error('broken');`);
    assert.equal(broken.passed, 0);
    assert.equal(broken.failures.length, 1);
  });

  it('when its process dies in the middle then it fails', async (test) => {
    const results = await count(test, `it('one', () => {}); it('two', () => { process.exit(0); });`);
    assert.ok(results.failures.length > 0, JSON.stringify(results));
  });
});

describe('given the results of stages', () => {
  const unit = { stage: 'unit', milliseconds: 1234, ...passing(7) };

  it('when nothing failed then the last line is two numbers', () => {
    assert.equal(report([unit]).split('\n').at(-1), '7 passed, 0 failed');
  });

  it('when some failed or were left out then they are named, and counted in the last line', () => {
    const e2e = { stage: 'e2e', milliseconds: 60_000, passed: 1, failures: ['a: x'], skips: ['b: no GPU'] };
    const lines = report([unit, e2e]).split('\n');
    assert.ok(lines.includes('  e2e: a: x'));
    assert.ok(lines.includes('  e2e: b: no GPU'));
    assert.equal(lines.at(-1), '8 passed, 1 failed, 1 skipped');
    assert.equal(lastLine(passing(0)), '0 passed, 0 failed');
  });
});

describe('given test files that share processes', () => {
  const shared = { concurrency: 2, minutes: 1, shared: true, env: process.env, show: false };

  it('when they run then all are counted, and what fails is named', async (test) => {
    const named = await files(test, [
      `describe('a suite', () => { it('one', () => {}); it('two', () => {}); });`,
      `it('three', () => {}); it('bad', () => { throw new Error('because'); });`,
      `it('four', async (t) => { await t.test('inner', () => {}); });`,
    ]);
    const results = await runTestFiles(named, shared);
    assert.deepEqual(results, { passed: 4, failures: ['some1.test.mjs › bad: because'], skips: [] });
  });

  it('when a process ends in the middle then that is a failure', async (test) => {
    const results = await runTestFiles(await files(test, [`it('one', () => { process.exit(0); });`]), shared);
    assert.equal(results.failures.length, 1);
  });

  it('when a file cannot be read then that is a failure', async (test) => {
    const results = await runTestFiles(
      await files(test, [`import 'nowhere';`, `it('one', () => {});`]),
      shared,
    );
    assert.equal(results.passed, 1);
    assert.equal(results.failures.length, 1);
  });
});
