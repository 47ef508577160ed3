// Which packages of others our bundles need when they run: followed from import to import with esbuild, so that
// nothing has to be listed by hand. What is native is not followed; packages.ts adds it by platform.
import { build } from 'esbuild';

/** Imported by packages of others inside `try`, for services and drawing that this extension never asks for. */
const neverAsked = ['openai', '@huggingface/transformers', '@napi-rs/canvas', 'electron'];
const native = ['@node-llama-cpp/*', '@lancedb/lancedb-*', '@reflink/reflink-*'];

/**
 * The folders of all packages that the modules lead to, relative to `root` and sorted.
 * @param specifiers as they are written in an import
 */
export async function reachedPackages(root: string, specifiers: readonly string[]): Promise<string[]> {
  const { metafile } = await build({
    stdin: {
      contents: specifiers.map((specifier) => `import ${JSON.stringify(specifier)};`).join('\n'),
      resolveDir: root,
    },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'nowhere',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    external: [...native, ...neverAsked],
    loader: { '.node': 'empty' },
  });
  const folders = Object.keys(metafile.inputs).map(packageFolder);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** `node_modules/a/node_modules/@b/c` for a file in there; undefined for one that belongs to no package. */
export function packageFolder(file: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}
