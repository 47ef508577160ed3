// Runs the extension-host suite (test/extension) in a real extension host: that of code-server, driven by
// Chromium, or that of a desktop VS Code by @vscode/test-electron where that can be downloaded.
// Both take the same module with a `run()` function.
import { build as bundle } from 'esbuild';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runTests } from '@vscode/test-electron';
import type { Page } from 'playwright-core';
import { suiteMark } from '../../test/extension/mark.ts';
import { Workbench } from '../../test/support/workbench.ts';
import { oldestVersion } from '../setup/desktop.ts';
import { cache, repository, testOutput } from '../setup/paths.ts';
import { failure, type Results } from './results.ts';

const bundled = path.join(cache, 'extension-tests', 'suite.cjs');
const resultsFile = path.join(testOutput, 'extension', 'results.json');
const notes = path.join(repository, 'test/fixtures/corpus/kanapy');
/** For everything together; a single test has its own limit in the suite. */
const patience = 8 * 60_000;

/** The suite as one CommonJS file; mocha stays outside, because it looks for its own files. */
async function bundleSuite(): Promise<void> {
  await bundle({
    absWorkingDir: repository,
    entryPoints: ['test/extension/suite.ts'],
    outfile: bundled,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  await rm(resultsFile, { force: true });
  await mkdir(path.dirname(resultsFile), { recursive: true });
}

/** Settings and environment that the suite counts on, whichever editor it runs in. */
function suiteEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PREFLEXOR_TEST_RESULTS: resultsFile };
}

export async function runExtensionSuite(env: NodeJS.ProcessEnv): Promise<Results> {
  await bundleSuite();
  let finish: (code: number) => void = () => undefined;
  const exit = new Promise<number>((resolve) => (finish = resolve));
  const workbench = await Workbench.start({
    folder: notes,
    name: 'extension',
    env: suiteEnvironment(env),
    linkExtension: false,
    // The driver is what hands the result of a suite over to the page.
    vscodeOptions: ['enable-smoke-test-driver'],
    query: (authority, folder) => suiteAddress(authority, folder),
    prepare: (page) => listen(page, finish),
  });
  try {
    const code = await within(patience, exit);
    return await complete(code);
  } finally {
    await workbench.screenshot('last');
    await workbench.close();
  }
}

function suiteAddress(authority: string, folder: string): string {
  const remote = (file: string): string => `vscode-remote://${authority}${file}`;
  const payload = [
    ['extensionDevelopmentPath', remote(repository.replace(/\/$/, ''))],
    ['extensionTestsPath', remote(bundled)],
  ];
  return `/?${new URLSearchParams({ folder, payload: JSON.stringify(payload) }).toString()}`;
}

async function listen(page: Page, finish: (code: number) => void): Promise<void> {
  // The workbench logs here as well: only what the suite printed is for the person.
  await page.exposeFunction('codeAutomationLog', (_kind: string, parts: readonly unknown[]) => {
    const text = parts.map(String).join(' ');
    if (text.startsWith(suiteMark)) console.log(text.slice(suiteMark.length));
  });
  await page.exposeFunction('codeAutomationExit', (code: number) => {
    finish(code);
  });
}

async function within(milliseconds: number, exit: Promise<number>): Promise<number | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  const code = await Promise.race([exit, late]);
  clearTimeout(timer);
  return code;
}

/** The counts come from the suite itself; how the host ended must agree with them. */
async function complete(code: number | undefined): Promise<Results> {
  if (code === undefined) return failure(`no result after ${String(patience / 60_000)} minutes`);
  const text = await readFile(resultsFile, 'utf8').catch(() => undefined);
  if (text === undefined) return failure(`the extension host ended with ${String(code)} and without results`);
  const results = JSON.parse(text) as Results;
  if (code === 0 || results.failures.length > 0) return results;
  return { ...results, failures: [`the extension host ended with ${String(code)}`] };
}

/** The same suite in a desktop VS Code of the oldest version that the extension supports. */
export async function runElectronSuite(env: NodeJS.ProcessEnv): Promise<Results> {
  await bundleSuite();
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-electron-'));
  try {
    await cp(notes, folder, { recursive: true });
    const code = await runTests({
      version: oldestVersion(),
      extensionDevelopmentPath: repository,
      extensionTestsPath: bundled,
      extensionTestsEnv: suiteEnvironment(env),
      launchArgs: [folder, '--disable-extensions'],
    });
    return await complete(code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
