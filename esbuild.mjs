// Bundles the doors and the views into dist/. Type checking is its own step (`npm run types`).
// What finds its native libraries or its data by its own file layout stays outside.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { context, build } from 'esbuild';

const watch = process.argv.includes('--watch');
const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));

const common = {
  bundle: true,
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
  legalComments: 'linked',
  define: { PREFLEXOR_VERSION: JSON.stringify(version) },
};

/** Zod brings its messages in fifty languages, a quarter of what an extension host has to read at its start. */
const zodInEnglish = {
  name: 'zod-in-english',
  setup({ onResolve, onLoad }) {
    const namespace = zodInEnglish.name;
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer, resolveDir }) =>
      /[\\/]zod[\\/]/.test(importer) ? { path: resolveDir, namespace } : undefined,
    );
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: "export { default as en } from '../locales/en.js';",
      resolveDir: path,
    }));
  },
};

/** @type {import('esbuild').BuildOptions[]} */
const bundles = [
  {
    ...common,
    entryPoints: { client: 'client/src/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external: ['vscode'],
    // Activation is above all reading and running this one file.
    minify: true,
    plugins: [zodInEnglish],
  },
  {
    ...common,
    entryPoints: {
      languageServer: 'server/src/languageServer.ts',
      cli: 'server/src/cli.ts',
      engineHost: 'server/src/engine/llama/host.ts',
      readerThread: 'server/src/retrieval/readers/thread.ts',
    },
    outdir: 'dist',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['node-llama-cpp', '@lancedb/lancedb', 'apache-arrow', 'pdfjs-dist'],
    // Some dependencies are CommonJS and call require for Node's own modules.
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
  },
  {
    ...common,
    entryPoints: {
      board: 'webview/src/board/main.ts',
      graph: 'webview/src/graph/main.ts',
      iterations: 'webview/src/iterations/main.ts',
      pdf: 'webview/src/pdf/main.ts',
      training: 'webview/src/training/main.ts',
    },
    outdir: 'dist/webview',
    platform: 'browser',
    target: 'chrome120',
    format: 'iife',
    minify: true,
  },
];

await rm('dist', { recursive: true, force: true });
await mkdir('dist/webview', { recursive: true });
await cp('server/prompts', 'dist/prompts', { recursive: true });
await cp('server/texts', 'dist/texts', { recursive: true });
await cp('server/job', 'dist/job', { recursive: true });
await cp('node_modules/@vscode/codicons/dist/codicon.css', 'dist/webview/codicon.css');
await cp('node_modules/@vscode/codicons/dist/codicon.ttf', 'dist/webview/codicon.ttf');

// What pdf.js reads on demand: character maps for scripts that a PDF does not bring along, and standard fonts.
for (const folder of ['cmaps', 'standard_fonts']) {
  await cp(`node_modules/pdfjs-dist/${folder}`, `dist/webview/pdf/${folder}`, { recursive: true });
}

if (watch) {
  for (const options of bundles) await (await context(options)).watch();
} else {
  const results = await Promise.all(bundles.map((options) => build(options)));
  await writeFile('dist/modules.json', JSON.stringify(modules(results), undefined, 2));
}

/** What packaging has to know: the files of others that are bundled, and the modules that stay outside. */
function modules(results) {
  const inputs = results.flatMap(({ metafile }) => Object.entries(metafile.inputs));
  const imports = inputs.flatMap(([, { imports }]) => imports);
  const outside = imports.filter(({ external, path }) => external && !isBuiltin(path) && path !== 'vscode');
  return {
    bundled: [...new Set(inputs.map(([file]) => file))].filter(
      (file) => file.includes('node_modules/') && !file.startsWith(zodInEnglish.name),
    ),
    external: [...new Set(outside.map(({ path }) => path))].sort(),
  };
}
