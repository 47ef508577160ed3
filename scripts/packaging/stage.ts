// Lays a package's contents out in a folder of its own: links instead of copies, so that it costs neither time nor
// disk. What is packed is what is named here; nothing else of the checkout gets in.
import { copyFile, link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { repository } from '../setup/paths.ts';
import { filesUnder } from '../setup/stamps.ts';
import type { PackageSource } from './fetch.ts';
import { isNeeded } from './files.ts';
import { packageFolder } from './reach.ts';
import type { Target } from './targets.ts';

export interface Contents {
  /** Emptied first. */
  readonly stage: string;
  readonly target: Target;
  readonly trainer: readonly string[];
  readonly sources: readonly PackageSource[];
  readonly bundled: readonly string[];
}

/** Folders and files of the checkout that are read by VS Code or shown to the writer. */
const own = ['README.md', 'LICENSE', 'media', 'syntaxes', 'docs', 'dist'];

export async function layOut({ stage, target, trainer, sources, bundled }: Contents): Promise<void> {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  for (const file of own.flatMap((entry) => filesUnder(repository, entry))) {
    if (isOwn(file)) await place(path.join(repository, file), path.join(stage, file));
  }
  // Below dist/, because vsce asks npm what belongs into a node_modules beside package.json, and npm knows
  // nothing of packages that are left out on purpose.
  const dist = path.join(stage, 'dist');
  for (const source of sources) {
    for (const file of filesUnder(source.from, '.')) {
      if (!isNeeded(source.package.name, file)) continue;
      await place(path.join(source.from, file), path.join(dist, source.package.folder, file));
    }
  }
  for (const file of trainer) {
    await place(file, path.join(dist, 'trainer', target.name, path.basename(file)));
  }
  await writeFile(path.join(dist, 'THIRD-PARTY-NOTICES.txt'), await notices(bundled));
  await writeFile(path.join(stage, 'package.json'), await packagedManifest());
}

function isOwn(file: string): boolean {
  return !/\.map$|\.test\.ts$|^dist\/modules\.json$|^docs\/decisions\//.test(file);
}

/** By link; by copy where the cache lies on another disk. */
async function place(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to));
}

/** package.json without what only a checkout needs. */
async function packagedManifest(): Promise<string> {
  const text = await readFile(path.join(repository, 'package.json'), 'utf8');
  const manifest = JSON.parse(text) as Record<string, unknown>;
  const idle = ['private', 'scripts', 'dependencies', 'devDependencies'];
  const needed = Object.fromEntries(Object.entries(manifest).filter(([key]) => !idle.includes(key)));
  return `${JSON.stringify(needed, undefined, 2)}\n`;
}

/** Names, versions and licences of what is inside the bundles: most licences ask to be passed on. */
async function notices(bundled: readonly string[]): Promise<string> {
  const folders = new Set(bundled.map(packageFolder).filter((folder) => folder !== undefined));
  const parts = ['Parts of the files in this folder come from these packages.'];
  for (const folder of [...folders].sort()) {
    const from = path.join(repository, folder);
    const text = await readFile(path.join(from, 'package.json'), 'utf8');
    const { name, version, license } = JSON.parse(text) as Record<string, unknown>;
    const names = (await readdir(from)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
    const licences = await Promise.all(names.map((file) => readFile(path.join(from, file), 'utf8')));
    const heading = `${String(name)} ${String(version)} (${typeof license === 'string' ? license : 'see below'})`;
    parts.push([heading, ...licences.map((licence) => licence.trim())].join('\n\n'));
  }
  return `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
