// The language server over any connection: which request is answered by what. Holds no logic of its own.
import {
  CodeActionKind,
  CodeLensRefreshRequest,
  DidChangeConfigurationNotification,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
  type CancellationToken,
  type Connection,
  type InitializeResult,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { z } from 'zod';
import type { Engine, ModelStore } from '../engine/index.ts';
import { PreflexorError, sentence } from '../errors.ts';
import {
  requests,
  serverCommands,
  statusNotification,
  type RequestMethod,
  type Settings,
} from '../protocol/index.ts';
import { BlockReader } from './blocks.ts';
import { createCommands } from './commands.ts';
import { createDecisions } from './decisions.ts';
import { Notes } from './documents.ts';
import { criticKeys, EngineHolder } from './engine.ts';
import { decodeParams, responseError } from './errors.ts';
import {
  blockAt,
  codeActions,
  codeLenses,
  documentSymbols,
  foldingRanges,
  hoverText,
  rewriteKind,
} from './features.ts';
import { createModelRequests } from './models.ts';
import { createReasoning, signalOf } from './reasoning.ts';
import { RunQueue } from './runs.ts';
import { SettingsSource } from './settings.ts';
import { runOfBlock, Stores, workspacePrompts } from '../workflow/index.ts';

export interface ServerOptions {
  /** Where models, the device id and caches live. */
  readonly home: string;
  readonly version: string;
  /** Makes the engine that the settings ask for; called again when they change. */
  readonly createEngine: (settings: Settings) => Engine;
  /** null: the model is its own critic. */
  readonly createCritic: (settings: Settings) => Engine | null;
  /** The folder with the built-in prompts. */
  readonly promptsFolder: string;
  readonly models: ModelStore;
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** What answers one custom request. */
export type Handler<M extends RequestMethod> = (
  params: z.infer<M['params']>,
  token: CancellationToken,
) => Promise<z.infer<M['result']>>;

/** Serves the connection until it ends. */
export function startServer(connection: Connection, options: ServerOptions): void {
  const documents = new TextDocuments(TextDocument);
  const blocks = new BlockReader();
  const settings = new SettingsSource(connection);
  const notes = new Notes(connection, documents, options.home);
  const queue = new RunQueue();
  const stores = new Stores(options.home, options.now);
  const engines = new EngineHolder(settings, options.createEngine, (status) => {
    void connection.sendNotification(statusNotification.method, status);
  });
  // The status that editors show is the reasoner's.
  const critics = new EngineHolder<Engine | null>(
    settings,
    options.createCritic,
    () => undefined,
    criticKeys,
  );
  const reasoning = createReasoning({
    connection,
    notes,
    queue,
    settings,
    engines: async () => {
      const model = await engines.get();
      return { model, critic: (await critics.get()) ?? model };
    },
    services: {
      ...{ stores, now: options.now, random: options.random, version: options.version },
      grounding: null,
      prompts: (root, set) => workspacePrompts(options.promptsFolder, root, set),
    },
  });
  const decisions = createDecisions({ notes, settings, stores });
  const handlers = {
    ...decisions.handlers,
    ...createModelRequests({ connection, engines, critics, settings, models: options.models }),
    'preflexor/reason': (params, token) =>
      reasoning.reason(
        params,
        connection.window.attachWorkDoneProgress(params.workDoneToken),
        signalOf(token),
      ),
    'preflexor/answerNow': ({ run }) => Promise.resolve({ hurried: reasoning.answerNow(run) }),
    'preflexor/stop': () => Promise.resolve({ stopped: queue.stopAll() }),
  } satisfies { [M in (typeof requests)[number] as M['method']]: Handler<M> };

  let canPull = false;
  connection.onInitialize((params): InitializeResult => {
    canPull = params.capabilities.workspace?.configuration === true;
    const initial: unknown = params.initializationOptions;
    settings.initialize(canPull, initial);
    notes.setFolders((params.workspaceFolders ?? []).map((folder) => folder.uri));
    return {
      serverInfo: { name: 'PRefLexOR', version: options.version },
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
        foldingRangeProvider: true,
        codeLensProvider: { resolveProvider: false },
        codeActionProvider: { codeActionKinds: [CodeActionKind.RefactorRewrite, rewriteKind] },
        documentSymbolProvider: { label: 'PRefLexOR' },
        hoverProvider: true,
        executeCommandProvider: { commands: Object.values(serverCommands), workDoneProgress: true },
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  });
  connection.onInitialized(() => {
    if (canPull)
      void connection.client.register(DidChangeConfigurationNotification.type, { section: 'preflexor' });
    connection.workspace.onDidChangeWorkspaceFolders(() => {
      void connection.workspace.getWorkspaceFolders().then((folders) => {
        notes.setFolders((folders ?? []).map((folder) => folder.uri));
      });
    });
  });
  connection.onDidChangeConfiguration(({ settings: pushed }) => {
    settings.didChange(pushed);
    // Lenses can be switched on and off; a client that can't be told asks again with the next change.
    connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined);
  });

  const onDocument = <P extends { textDocument: { uri: string } }, R>(
    answer: (document: TextDocument, params: P) => R,
  ): ((params: P) => R | null) => {
    return (params) => {
      const document = documents.get(params.textDocument.uri);
      return document ? answer(document, params) : null;
    };
  };
  connection.onFoldingRanges(onDocument((document) => foldingRanges(document, blocks)));
  connection.onDocumentSymbol(onDocument((document) => documentSymbols(document, blocks)));
  connection.onCodeAction(onDocument((document, { range }) => codeActions(document, range, blocks)));
  connection.onCodeLens(async ({ textDocument }) => {
    const wanted = (await settings.for(textDocument.uri))['codeLens.enabled'];
    const document = documents.get(textDocument.uri);
    return wanted && document ? codeLenses(document, blocks) : null;
  });
  connection.onHover(async ({ textDocument, position }) => {
    const document = documents.get(textDocument.uri);
    const block = document && blockAt(document, position, blocks);
    if (!block) return null;
    const run = textDocument.uri.startsWith('file:')
      ? await runOfBlock(stores, (await notes.note(textDocument.uri)).root, block.id)
      : null;
    return hoverText(block, run);
  });

  for (const { method, params: schema } of requests) {
    const handler = handlers[method] as Handler<RequestMethod>;
    connection.onRequest(method, async (params: unknown, token: CancellationToken) => {
      try {
        return await handler(decodeParams(method, schema, params), token);
      } catch (error) {
        return logged(connection, method, error);
      }
    });
  }
  const commands = createCommands({ connection, reasoning, decisions });
  connection.onExecuteCommand(async ({ command, arguments: args }, token) => {
    try {
      return await commands(command, args?.[0], token);
    } catch (error) {
      // Any editor can run these, and few show a failed command by themselves.
      if (!PreflexorError.is(error, 'cancelled')) connection.window.showErrorMessage(sentence(error));
      return logged(connection, command, error);
    }
  });
  connection.onShutdown(async () => {
    queue.stopAll();
    await Promise.all([engines.dispose(), critics.dispose()]);
  });
  documents.listen(connection);
  connection.listen();
}

function logged(connection: Connection, what: string, error: unknown): ResponseError<unknown> {
  const failure = responseError(error);
  if (PreflexorError.is(error)) connection.console.info(`${what}: ${failure.message}`);
  else
    connection.console.error(
      `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  return failure;
}
