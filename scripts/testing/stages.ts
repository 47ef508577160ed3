// The stages of `npm test`, in the order in which they run: what is quick and tells most comes first.
import path from 'node:path';
import { smallEmbedder, smallModel, type SmallModel } from '../setup/model.ts';
import { cache, repository, testHome } from '../setup/paths.ts';
import { filesUnder } from '../setup/stamps.ts';
import { runExtensionSuite } from './extensionHost.ts';
import { runNodeTests } from './nodeTests.ts';
import { together, type Results } from './results.ts';
import { check } from './tools.ts';

/** What has to be there before a stage can run. */
export type Need =
  'build' | 'model' | 'embedder' | 'code-server' | 'chromium' | 'object-store' | 'llama-server';

export interface Stage {
  readonly name: string;
  readonly about: string;
  readonly needs: readonly Need[];
  /** Not part of `npm test`. */
  readonly onlyByName?: boolean;
  readonly run: (env: NodeJS.ProcessEnv) => Promise<Results>;
}

const models: readonly Need[] = ['build', 'model', 'embedder'];
const workbench: readonly Need[] = [...models, 'code-server', 'chromium'];

export const stages: readonly Stage[] = [
  {
    name: 'lint',
    about: 'eslint, prettier, and the TypeScript compiler over every tsconfig.json',
    needs: [],
    run: () => inPairs([...eslint(), prettier, ...compilations()]),
  },
  {
    name: 'types',
    about: 'the TypeScript compiler alone',
    needs: [],
    onlyByName: true,
    run: () => inPairs(compilations()),
  },
  { name: 'manifest', about: 'package.json and docs against the declarations', needs: [], run: manifest },
  {
    name: 'unit',
    about: 'tests beside the code, without a model',
    needs: [],
    run: (env) =>
      runNodeTests({
        folders: ['server', 'client', 'webview', 'scripts', 'syntaxes', 'test/unit'],
        ...{ concurrency: 2, minutes: 5, shared: true, env },
      }),
  },
  {
    name: 'store',
    about: 'the index store: real LanceDB, in a folder and in an S3-compatible store',
    needs: ['object-store'],
    run: nodeTests(['test/store'], 2, 10),
  },
  {
    name: 'webview',
    about: 'the views in Chromium',
    needs: ['build', 'chromium'],
    run: nodeTests(['test/webview'], 2, 5),
  },
  {
    name: 'model',
    about: `the engine on ${smallModel} and ${smallEmbedder}`,
    needs: models,
    run: nodeTests(['test/model'], 2, 10),
  },
  {
    name: 'server',
    about: 'the language server over a real connection',
    needs: models,
    run: nodeTests(['test/server'], 2, 10),
  },
  { name: 'cli', about: 'the command line', needs: models, run: nodeTests(['test/cli'], 2, 10) },
  {
    name: 'native',
    about: 'the trainer: C++ tests, its figures against the reference values, and teaching in the editor',
    needs: models,
    run: native,
  },
  {
    name: 'extension',
    about: 'the extension in an extension host',
    needs: workbench,
    run: runExtensionSuite,
  },
  {
    name: 'e2e',
    about: 'the whole way in a real workbench',
    needs: workbench,
    run: nodeTests(['test/e2e'], 1, 10),
  },
  {
    name: 'package',
    about: "the extension's package: made, installed, and used as a writer would",
    needs: workbench,
    onlyByName: true,
    run: nodeTests(['test/package'], 1, 30),
  },
  {
    name: 'writer',
    about:
      'a writer decides about ten paragraphs, and an adapter earns its place, in a real workbench: a quarter of an hour',
    needs: workbench,
    onlyByName: true,
    run: writer,
  },
  {
    name: 'peer',
    about: 'the engine behind a real OpenAI-compatible server, llama-server',
    needs: ['build', 'model', 'llama-server'],
    onlyByName: true,
    run: nodeTests(['test/peer'], 1, 20),
  },
];

function nodeTests(
  folders: readonly string[],
  concurrency: number,
  minutes: number,
): (env: NodeJS.ProcessEnv) => Promise<Results> {
  return (env) => runNodeTests({ folders, concurrency, minutes, env });
}

/** In two halves, as it works on one core. */
function eslint(): (() => Promise<Results>)[] {
  const halves = { 'eslint server': ['server'], 'eslint, all else': ['.', '--ignore-pattern', 'server/**'] };
  return Object.entries(halves).map(
    ([name, what]) =>
      () =>
        check(name, 'node_modules/eslint/bin/eslint.js', ['--max-warnings=0', ...what]),
  );
}
const prettier = (): Promise<Results> =>
  check('prettier', 'node_modules/prettier/bin/prettier.cjs', ['--check', '.']);

/** By the compiler in Go, which is five times as fast; eslint needs the one in JavaScript. */
function compilations(): (() => Promise<Results>)[] {
  const projects = ['bench', 'client', 'server', 'syntaxes', 'webview', 'test']
    .flatMap((folder) => filesUnder(repository, folder))
    .filter((file) => file.endsWith('/tsconfig.json') && !file.startsWith('test/fixtures/'));
  return ['tsconfig.json', ...projects.sort()].map(
    (project) => () => check(`tsc -p ${project}`, 'node_modules/typescript-native/bin/tsc', ['-p', project]),
  );
}

/** Two at a time: each works on one core. What takes longest comes first. */
async function inPairs(checks: readonly (() => Promise<Results>)[]): Promise<Results> {
  const waiting = [...checks];
  const results: Results[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await next());
  };
  await Promise.all([work(), work()]);
  return together(results);
}

async function manifest(): Promise<Results> {
  return check('package.json is generated from the declarations', 'scripts/generateManifest.ts', ['--check']);
}

async function native(env: NodeJS.ProcessEnv): Promise<Results> {
  const built = await check('the trainer builds and its C++ tests pass', 'scripts/buildNative.mjs', [
    '--tests',
  ]);
  if (built.failures.length > 0) return built;
  return together([built, await nodeTests(['test/native'], 2, 10)(env)]);
}

/** With the trainer, which is there already where `native` ran. */
async function writer(env: NodeJS.ProcessEnv): Promise<Results> {
  const built = await check('the trainer builds', 'scripts/buildNative.mjs', []);
  if (built.failures.length > 0) return built;
  return together([built, await nodeTests(['test/writer'], 1, 30)(env)]);
}

/** The environment of every stage: a home of the tests' own, and the models that were verified. */
export function testEnvironment(files: Readonly<Partial<Record<SmallModel, string>>>): NodeJS.ProcessEnv {
  const { [smallModel]: model, [smallEmbedder]: embedder } = files;
  return {
    ...process.env,
    PREFLEXOR_HOME: testHome,
    // Nearly every test file is a process of its own, and they load the same modules.
    NODE_COMPILE_CACHE: path.join(cache, 'compile'),
    ...(model !== undefined && { PREFLEXOR_TEST_MODEL: model }),
    ...(embedder !== undefined && { PREFLEXOR_TEST_EMBEDDER: embedder }),
  };
}
