// The language server with retrieval in memory and a model that replays a script: the entry point of tests that
// look at passages, index and citations over a real connection. Everything else is the server that is shipped.
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { createShelf, promptsFolder } from '../../server/src/composition.ts';
import { ModelStore } from '../../server/src/engine/index.ts';
import { startServer } from '../../server/src/lsp/server.ts';
import { applicationHome } from '../../server/src/state/index.ts';
import { createTeachingWorker } from '../../server/src/teachingComposition.ts';
import { MemoryRetrieval } from './memoryRetrieval.ts';
import { ScriptedEngine } from './scriptedModel.ts';

/** How long each file takes, so that a test can come in between. */
const fileMs = Number(process.env['PREFLEXOR_TEST_FILE_MS'] ?? 0);
const script = JSON.parse(process.env['PREFLEXOR_TEST_SCRIPT'] ?? '[]') as string[];

const home = applicationHome();
const shelf = createShelf(home);
startServer(createConnection(ProposedFeatures.all), {
  home,
  version: '0.0.0-test',
  now: Date.now,
  random: Math.random,
  models: new ModelStore({ home }),
  createEngine: () => new ScriptedEngine(script),
  createCritic: () => new ScriptedEngine([]),
  criticFor: (_settings, model) => model,
  promptsFolder: promptsFolder(),
  ...{ shelf, adapters: shelf.registry },
  createTeaching: (hooks) => createTeachingWorker(home, hooks),
  retrieval: new MemoryRetrieval(() => new Promise((resolve) => setTimeout(resolve, fileMs))),
});
