// Only the extension-host suite: `npm run test:extension` in the editor in the browser, and
// `npm run test:electron` in a desktop VS Code, which @vscode/test-electron downloads.
import { explain } from './setup/errors.ts';
import { runElectronSuite, runExtensionSuite } from './testing/extensionHost.ts';
import { Preparation } from './testing/prepare.ts';
import { lastLine } from './testing/results.ts';

const electron = process.argv.includes('--electron');

try {
  const preparation = new Preparation();
  const obstacle = await preparation.obstacle(
    electron ? ['build', 'model'] : ['build', 'model', 'code-server', 'chromium'],
  );
  if (obstacle !== undefined) throw new Error(obstacle);
  const suite = electron ? runElectronSuite : runExtensionSuite;
  const results = await suite(preparation.environment());
  for (const line of results.failures) console.error(line);
  console.log(lastLine(results));
  process.exitCode = results.failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
