import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { dependenciesMatch, pathFirst } from './bootstrap.mjs';

type Packages = Record<string, { version?: string; optional?: boolean }>;

/** A checkout with a lock file and what npm wrote when it installed. */
async function checkout(test: TestContext, locked: Packages, installed?: Packages): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-bootstrap-'));
  test.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }));
  if (installed) {
    await mkdir(path.join(folder, 'node_modules'));
    await writeFile(
      path.join(folder, 'node_modules', '.package-lock.json'),
      JSON.stringify({ packages: installed }),
    );
  }
  return folder;
}

const root = { version: '0.1.0' };
const zod = { version: '4.6.7' };

describe('given a lock file', () => {
  it('when nothing is installed then the packages do not match', async (test) => {
    assert.equal(dependenciesMatch(await checkout(test, { '': root, 'node_modules/zod': zod })), false);
  });

  it('when all is installed as locked then they match', async (test) => {
    const folder = await checkout(test, { '': root, 'node_modules/zod': zod }, { 'node_modules/zod': zod });
    assert.equal(dependenciesMatch(folder), true);
  });

  it('when an optional package of another system is not installed then they match', async (test) => {
    const folder = await checkout(
      test,
      { '': root, 'node_modules/zod': zod, 'node_modules/only-mac': { version: '1.0.0', optional: true } },
      { 'node_modules/zod': zod },
    );
    assert.equal(dependenciesMatch(folder), true);
  });

  it('when a package has another version then they do not match', async (test) => {
    const folder = await checkout(
      test,
      { '': root, 'node_modules/zod': zod },
      { 'node_modules/zod': { version: '4.0.0' } },
    );
    assert.equal(dependenciesMatch(folder), false);
  });

  it('when a package is missing, or one is left over, then they do not match', async (test) => {
    const missing = await checkout(test, { '': root, 'node_modules/zod': zod }, {});
    assert.equal(dependenciesMatch(missing), false);
    const leftOver = await checkout(test, { '': root }, { 'node_modules/zod': zod });
    assert.equal(dependenciesMatch(leftOver), false);
  });

  it('when the installation was broken off and its record is half written then they do not match', async (test) => {
    const folder = await checkout(test, { '': root }, {});
    await writeFile(path.join(folder, 'node_modules', '.package-lock.json'), '{"packages": {"node_mod');
    assert.equal(dependenciesMatch(folder), false);
  });
});

describe('given an environment', () => {
  it('when a folder goes first on the path then it keeps the name that the system uses', () => {
    const both = ['first', 'second'].join(path.delimiter);
    assert.deepEqual(pathFirst({ Path: 'second', HOME: 'h' }, 'first'), { Path: both, HOME: 'h' });
    assert.deepEqual(pathFirst({}, 'first'), { PATH: 'first' });
  });
});
