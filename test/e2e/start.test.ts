// `npm start`, as a person types it, in a checkout where everything is prepared.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { npm } from '../../scripts/setup/npm.ts';
import { repository, testHome } from '../../scripts/setup/paths.ts';
import type { RunResult } from '../../scripts/setup/processes.ts';

async function temporaryFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-start-'));
  test.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

const home = { PREFLEXOR_HOME: process.env['PREFLEXOR_HOME'] ?? testHome };

async function start(
  test: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<RunResult> {
  const data = await temporaryFolder(test);
  return npm(['start', '--', '--check', '--data', data, ...args], {
    cwd: repository,
    env: { ...process.env, ...home, ...env },
  });
}

/** Starts the editor for good, in a process group like that of a terminal; gives its address. */
async function startForGood(test: TestContext): Promise<{ npm: ChildProcess; address: string }> {
  const folder = await temporaryFolder(test);
  await writeFile(path.join(folder, 'note.md'), '# A note\n');
  const data = await temporaryFolder(test);
  const child = spawn('npm', ['start', '--', '--browser', '--no-open', '--data', data, folder], {
    cwd: repository,
    env: { ...process.env, ...home },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  for (;;) {
    const address = /Open (http:\S+) in your browser/.exec(output)?.[1];
    if (address) return { npm: child, address };
    assert.equal(child.exitCode, null, output);
    await delay(50);
  }
}

/** Resolves when nobody answers at an address any more. */
async function silent(address: string): Promise<void> {
  for (;;) {
    const answer = await fetch(new URL('healthz', address), { signal: AbortSignal.timeout(1000) }).catch(
      () => undefined,
    );
    if (!answer) return;
    await delay(100);
  }
}

describe('given a checkout where everything is prepared', { timeout: 5 * 60_000 }, () => {
  it('when npm start runs for the second time then it prints the address and what to do, and touches no network', async (test) => {
    const log = path.join(await temporaryFolder(test), 'network.log');
    const guard = pathToFileURL(path.join(repository, 'test/support/noNetwork.mjs')).href;
    const nowhere = 'http://127.0.0.1:9';
    await start(test, []);
    const { code, stdout, stderr } = await start(test, [], {
      NODE_OPTIONS: `--import=${guard}`,
      PREFLEXOR_NETWORK_LOG: log,
      npm_config_offline: 'true',
      http_proxy: nowhere,
      https_proxy: nowhere,
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      PIP_NO_INDEX: '1',
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Open http:\/\/127\.0\.0\.1:\d+\/ in your browser\.$/m);
    assert.match(stdout, /^Then open welcome\.md, .* press (Ctrl|Cmd)\+Alt\+R/m);
    assert.doesNotMatch(stdout, /Building|Installing|Getting/);
    const touched = await readFile(log, 'utf8').catch(() => '');
    assert.equal(touched, '');
  });

  it('when the guard itself is tried then it notices and refuses', async (test) => {
    const log = path.join(await temporaryFolder(test), 'network.log');
    const guard = pathToFileURL(path.join(repository, 'test/support/noNetwork.mjs')).href;
    const tries = spawn(
      process.execPath,
      [`--import=${guard}`, '-e', "fetch('http://192.0.2.1:80/').catch(() => process.exit(7))"],
      { env: { ...process.env, PREFLEXOR_NETWORK_LOG: log } },
    );
    const code = await new Promise((resolve) => tries.once('exit', resolve));
    assert.equal(code, 7);
    assert.match(await readFile(log, 'utf8'), /connect 192\.0\.2\.1:80/);
  });

  it('when the folder does not exist then it says so in a sentence', async (test) => {
    const { code, stderr } = await start(test, ['/no/such/folder']);
    assert.equal(code, 1);
    assert.match(stderr, /\/no\/such\/folder does not exist\.\nName the folder/);
    assert.doesNotMatch(stderr, /\bat .*\.ts:/);
  });

  it('when an option is wrong then the usage is shown', async (test) => {
    const { code, stderr } = await start(test, ['--colour']);
    assert.notEqual(code, 0);
    assert.match(stderr, /--colour[\s\S]*npm start -- FOLDER/);
  });

  it('when Ctrl+C is pressed then the editor ends as well', async (test) => {
    const { npm: child, address } = await startForGood(test);
    assert.ok(child.pid);
    process.kill(-child.pid, 'SIGINT');
    await silent(address);
  });

  it('when npm is ended or killed then the editor ends as well', async (test) => {
    const signals = process.platform === 'linux' ? (['SIGTERM', 'SIGKILL'] as const) : (['SIGTERM'] as const);
    for (const signal of signals) {
      const { npm: child, address } = await startForGood(test);
      child.kill(signal);
      await silent(address);
    }
  });
});
