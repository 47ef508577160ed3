// `npm run package`: builds, and makes the extension's package (.vsix) for one platform.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from './bootstrap.mjs';
import { hostTarget, packageExtension } from './packaging/index.ts';
import { explain } from './setup/errors.ts';

const usage = `npm run package                    make preflexor-<target>-<version>.vsix for this machine
  -- --target TARGET               for another one: linux-x64, linux-arm64, darwin-arm64, win32-x64
  --trainer FOLDER                 take preflexor-trainer, its OpenBLAS and licence from there (built there)
  --out FOLDER                     where the package goes (default: the checkout)`;

async function main(): Promise<number> {
  const options = {
    target: { type: 'string' },
    trainer: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (values.help) {
    console.log(usage);
    return 0;
  }
  // npm runs us in the checkout; a relative folder is meant from where the person stands.
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const file = await packageExtension({
    target: values.target ?? hostTarget(),
    trainer: values.trainer === undefined ? null : path.resolve(from, values.trainer),
    out: values.out === undefined ? repository : path.resolve(from, values.out),
  });
  const { size } = await stat(file);
  console.log(`\n${file}, ${(size / 1e6).toFixed(1)} MB`);
  console.log(`Install it: code --install-extension ${path.basename(file)}`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\n${explain(error)}`);
  process.exitCode = 1;
}
// The channel to bootstrap.mjs would keep this process alive.
if (process.connected) process.disconnect();
