// The language server's door: makes the connection and wires the parts. `--stdio`, `--node-ipc`, `--socket=PORT`.
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { createEngine, withoutRetrieval } from './composition.ts';
import { ModelStore } from './engine/index.ts';
import { startServer } from './lsp/server.ts';
import { applicationHome } from './state/index.ts';
import { programVersion } from './version.ts';

const connection = createConnection(ProposedFeatures.all);
const home = applicationHome();

startServer(connection, {
  home,
  version: programVersion,
  now: Date.now,
  random: Math.random,
  models: new ModelStore({ home }),
  retrieval: withoutRetrieval(),
  createEngine: (settings) =>
    createEngine(settings, home, {
      adapter: null,
      onLog: (line) => {
        connection.console.log(line);
      },
    }),
});
