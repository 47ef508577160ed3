// The entry of the extension-host suite, in the form that VS Code and @vscode/test-electron expect: a module
// whose `run()` rejects when a test fails. It is bundled to CommonJS; see scripts/testing/extensionHost.ts.
import { writeFileSync } from 'node:fs';
import { format } from 'node:util';
import Mocha from 'mocha';
import { suiteMark } from './mark.ts';

interface Results {
  passed: number;
  failures: string[];
  skips: string[];
}

export async function run(): Promise<void> {
  Mocha.reporters.Base.consoleLog = (...parts: unknown[]) => {
    for (const line of format(...parts).split('\n')) console.log(suiteMark + line);
  };
  const mocha = new Mocha({ ui: 'bdd', timeout: 120_000, color: false });
  // Makes describe, it and the hooks global, as mocha does before it loads a file.
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  await import('./activation.ts');
  await import('./annotations.ts');
  await import('./passages.ts');
  await import('./reasoning.ts');
  const results = await runTests(mocha);
  const file = process.env['PREFLEXOR_TEST_RESULTS'];
  if (file) writeFileSync(file, JSON.stringify(results));
  if (results.failures.length > 0) throw new Error(`${String(results.failures.length)} failed`);
}

function runTests(mocha: Mocha): Promise<Results> {
  const results: Results = { passed: 0, failures: [], skips: [] };
  return new Promise((resolve) => {
    mocha
      .run(() => {
        resolve(results);
      })
      .on('pass', () => (results.passed += 1))
      .on('fail', (test, error: Error) => {
        results.failures.push(`${test.fullTitle()}: ${error.message.split('\n')[0] ?? ''}`);
      })
      // Mocha knows no reasons, so nothing may be skipped here.
      .on('pending', (test) => results.failures.push(`${test.fullTitle()}: skipped without a reason`));
  });
}
