// Writes what is generated: blocks of package.json and docs/settings.md, from the protocol's declarations.
// `--check` writes nothing and fails when what is there differs.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { manifest, settingsDocument } from './manifest.ts';

/** package.json with the generated blocks in it; what stands beside them stays as it is. */
export function withManifest(present: Record<string, unknown>): Record<string, unknown> {
  const generated = manifest();
  const own = Object.entries(present).filter(([key]) => !Object.hasOwn(generated, key));
  // Behind `main`, so that the manifest reads from what it is to what it needs.
  const place = own.findIndex(([key]) => key === 'main') + 1;
  return Object.fromEntries([...own.slice(0, place), ...Object.entries(generated), ...own.slice(place)]);
}

/** What differs from the declarations, one sentence each. */
export async function differences(root: string): Promise<string[]> {
  const present = await readManifest(root);
  const problems = Object.entries(manifest())
    .filter(([key, value]) => !isDeepStrictEqual(present[key], value))
    .map(([key]) => `package.json: "${key}" is not what the declarations say.`);
  const document = await readFile(join(root, 'docs/settings.md'), 'utf8').catch(() => '');
  if (document.replaceAll('\r\n', '\n') !== settingsDocument()) {
    problems.push('docs/settings.md is not what the declarations say.');
  }
  return problems;
}

async function readManifest(root: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
}

async function write(root: string): Promise<void> {
  const text = JSON.stringify(withManifest(await readManifest(root)), null, 2);
  await writeFile(join(root, 'package.json'), `${text}\n`);
  await writeFile(join(root, 'docs/settings.md'), settingsDocument());
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  if (process.argv.includes('--check')) {
    const problems = await differences(root);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) console.error('Run: npm run generate');
    process.exitCode = problems.length > 0 ? 1 : 0;
  } else {
    await write(root);
  }
}
