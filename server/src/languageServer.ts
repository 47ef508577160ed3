// The language server's door: makes the connection and wires the parts. `--stdio`, `--node-ipc`, `--socket=PORT`.
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import {
  createComputeBudget,
  createCritic,
  createEngine,
  createShelf,
  criticFor,
  promptsFolder,
  type EngineOptions,
} from './composition.ts';
import { createLibrary } from './libraryComposition.ts';
import { ModelStore } from './engine/index.ts';
import { startServer } from './lsp/server.ts';
import { applicationHome } from './state/index.ts';
import { createTeachingWorker } from './teachingComposition.ts';
import { programVersion } from './version.ts';

const connection = createConnection(ProposedFeatures.all);
const home = applicationHome();
const compute = createComputeBudget(home);

const onLog = (line: string): void => {
  connection.console.log(line);
};
const engineOptions: EngineOptions = { adapter: null, compute, onLog };

const shelf = createShelf(home);

startServer(connection, {
  home,
  version: programVersion,
  now: Date.now,
  random: Math.random,
  models: new ModelStore({ home }),
  ...{ shelf, adapters: shelf.registry },
  retrieval: createLibrary(home, { compute, onLog, holder: 'the editor' }),
  createEngine: (settings, key, adapter) =>
    createEngine(settings, home, { ...engineOptions, key, adapter, shelf }),
  createCritic: (settings, key) => createCritic(settings, home, { ...engineOptions, key }),
  criticFor,
  promptsFolder: promptsFolder(),
  createTeaching: (hooks) => createTeachingWorker(home, hooks),
});
