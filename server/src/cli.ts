#!/usr/bin/env node
// The headless door. Everything it does is in cli/; here only the right Node is found.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const oldestNode = 22;
const major = Number(process.versions.node.split('.')[0]);

if (major >= oldestNode) {
  const { main } = await import('./cli/program.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  runUnderPinnedNode();
}

/** The npm package `node` pins a Node binary; an older one on PATH hands over to it. */
function runUnderPinnedNode(): void {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const pinned = fileURLToPath(new URL(`../node_modules/node/bin/${name}`, import.meta.url));
  if (!existsSync(pinned)) {
    process.stderr.write(
      `PRefLexOR needs Node ${oldestNode} or newer and this is ${process.versions.node}. ` +
        'Run "npm ci" in its folder, which brings one along, or install a newer Node.\n',
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(pinned, process.argv.slice(1), { stdio: 'inherit' });
  // The terminal sends SIGINT to both; waiting for the child keeps its exit code.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
