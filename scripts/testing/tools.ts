// Checks by a tool that says yes or no: each run counts as one test.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../setup/paths.ts';
import { run } from '../setup/processes.ts';
import { failure, type Results } from './results.ts';

/** Runs a JavaScript tool under the pinned Node. `file` is relative to the checkout. */
export async function check(name: string, file: string, args: readonly string[]): Promise<Results> {
  const tool = path.join(repository, file);
  if (!existsSync(tool)) return failure(`${name}: ${file} is missing`);
  const result = await run(process.execPath, [tool, ...args], { cwd: repository });
  console.log(`${result.code === 0 ? '✔' : '✖'} ${name}`);
  if (result.code === 0) return { passed: 1, failures: [], skips: [] };
  console.log(indent(`${result.stdout}${result.stderr}`));
  return failure(`${name}: exit code ${String(result.code)}`);
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '  ');
}
