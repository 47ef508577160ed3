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
import type { Engine, LanguageModel, ModelStore } from '../engine/index.ts';
import { PreflexorError, sentence } from '../errors.ts';
import {
  requests,
  serverCommands,
  statusNotification,
  type RequestMethod,
  type Settings,
} from '../protocol/index.ts';
import { createAdapters } from './adapters.ts';
import { BlockReader } from './blocks.ts';
import { Citations } from './citations.ts';
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
  lineText,
  rewriteKind,
} from './features.ts';
import { createGraph } from './graph.ts';
import { createHistory } from './history.ts';
import { Indexing } from './indexing.ts';
import { createKeeping } from './keeping.ts';
import { ServerKeys } from './keys.ts';
import { createModelRequests } from './models.ts';
import { createPairs } from './pairs.ts';
import { createPassages } from './passages.ts';
import { createReasoning, signalOf } from './reasoning.ts';
import { createReasoningMany, queueTeller } from './reasoningMany.ts';
import { knownCitations } from '../library/index.ts';
import { createReviews } from './reviews.ts';
import { createTrainingRuns } from './trainingRuns.ts';
import type { Retrieval } from './retrieval.ts';
import { SettingsSource } from './settings.ts';
import { createTeaching, type TeachingHooks } from './teaching.ts';
import type { TeachingWorker } from '../teaching/index.ts';
import type { AdapterShelf } from '../training/index.ts';
import {
  adapterForNote,
  RunQueue,
  runOfBlock,
  Stores,
  workspacePrompts,
  type ForgettingAdapters,
  type Services,
} from '../workflow/index.ts';

export interface ServerOptions {
  /** Where models, the device id and caches live. */
  readonly home: string;
  readonly version: string;
  /** Makes the engine that the settings ask for; called again when they change. @param key of the model server
   * @param adapter an adapter's id or `base`; null: the one that is in use */
  readonly createEngine: (settings: Settings, key: string | null, adapter: string | null) => Engine;
  readonly createCritic: (settings: Settings, key: string | null) => Engine;
  /** The critic as a run asks it: the model itself as long as it has no adapter. */
  readonly criticFor: (settings: Settings, model: Engine, critic: Engine) => LanguageModel;
  /** The folder with the built-in prompts. */
  readonly promptsFolder: string;
  readonly models: ModelStore;
  readonly retrieval: Retrieval;
  /** Marked when a note that they were trained on is forgotten. */
  readonly adapters: ForgettingAdapters;
  /** The adapters of this machine. */
  readonly shelf: AdapterShelf;
  readonly createTeaching: (hooks: TeachingHooks) => TeachingWorker;
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
  const queue: RunQueue = new RunQueue(queueTeller(connection, () => queue));
  const stores = new Stores(options.home, options.now, options.retrieval);
  const { retrieval } = options;
  const serverKeys = new ServerKeys();
  const engines = new EngineHolder(settings, options.createEngine, serverKeys, (status) => {
    void connection.sendNotification(statusNotification.method, status);
  });
  // The status that editors show is the reasoner's.
  const critics = new EngineHolder(settings, options.createCritic, serverKeys, () => undefined, criticKeys);
  const services: Omit<Services, 'model' | 'critic'> = {
    ...{ stores, now: options.now, random: options.random, version: options.version },
    grounding: retrieval,
    knownCitations: (root, signal) => knownCitations(retrieval, root, signal),
    prompts: (root, set) => workspacePrompts(options.promptsFolder, root, set),
  };
  const inUse = () => options.shelf.registry.inUse();
  const reasoning = createReasoning({
    ...{ connection, notes, queue, settings, services },
    engines: async (note, own) => {
      const model = await engines.forRun(adapterForNote(note, own['adapters.forNotes']), await inUse());
      return { model, critic: options.criticFor(await settings.for(), model, await critics.get()) };
    },
  });
  const teaching = createTeaching({
    ...{ connection, notes, settings, stores, now: options.now },
    create: options.createTeaching,
    makeRoom: async () => {
      // What the writer waits for is not broken off for it.
      if (queue.size > 0) return;
      await Promise.all([engines.unload(), critics.unload()]);
    },
  });
  const adapters = createAdapters({
    ...{ connection, notes, queue, settings, services, models: options.models, shelf: options.shelf },
    engineInUse: async () => await engines.forRun(null, await inUse()),
    createEngine: (own, adapter) => options.createEngine(own, serverKeys.for(own), adapter),
    answered: (adapter) => teaching.answered(adapter),
  });
  const many = createReasoningMany({ connection, notes, queue, reasoning });
  const decisions = createDecisions({
    ...{ notes, settings, stores },
    knownCitations: (root, signal) => knownCitations(retrieval, root, signal),
  });
  const reviews = createReviews({
    ...{ connection, documents, notes, settings, stores },
    onLenses: () => {
      refreshLenses(connection);
    },
  });
  const history = createHistory({ notes, stores, isRunning: (run) => reasoning.isRunning(run) });
  const passages = createPassages({ notes, settings, stores, retrieval });
  const pairs = createPairs({ connection, notes, settings, stores, retrieval, now: options.now });
  const graph = createGraph({ notes, stores, retrieval, now: options.now });
  const citations = new Citations({ connection, documents, notes, retrieval, settings });
  const indexing = new Indexing({
    connection,
    notes,
    settings,
    retrieval,
    onBibliography: () => {
      citations.refresh();
    },
  });
  const handlers = {
    ...decisions.handlers,
    ...history,
    ...passages.handlers,
    ...pairs.handlers,
    ...graph.handlers,
    ...createTrainingRuns({ notes, now: options.now }),
    ...createKeeping({ notes, settings, stores, ...options }),
    ...indexing.handlers,
    ...teaching.handlers,
    ...adapters.handlers,
    'preflexor/review': (params) => reviews.review(params),
    ...createModelRequests({
      ...{ connection, engines, critics, settings, serverKeys },
      models: options.models,
    }),
    'preflexor/reason': (params, token) =>
      reasoning.reason(
        params,
        connection.window.attachWorkDoneProgress(params.workDoneToken),
        signalOf(token),
      ),
    'preflexor/reasonMany': (params, token) =>
      many.reasonMany(
        params,
        connection.window.attachWorkDoneProgress(params.workDoneToken),
        signalOf(token),
      ),
    'preflexor/queue': (params) => many.queue(params),
    'preflexor/answerNow': ({ run }) => Promise.resolve({ hurried: reasoning.answerNow(run) }),
    'preflexor/stop': () => Promise.resolve({ stopped: queue.stopAll() }),
  } satisfies { [M in (typeof requests)[number] as M['method']]: Handler<M> };

  let canPull = false;
  connection.onInitialize((params): InitializeResult => {
    canPull = params.capabilities.workspace?.configuration === true;
    const initial: unknown = params.initializationOptions;
    settings.initialize(canPull, initial);
    indexing.initialize(params.capabilities.workspace);
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
        completionProvider: { triggerCharacters: ['@'] },
        definitionProvider: true,
        executeCommandProvider: { commands: Object.values(serverCommands), workDoneProgress: true },
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  });
  connection.onInitialized(() => {
    if (canPull) {
      const section = ['preflexor', 'files.exclude', 'search.exclude'];
      void connection.client.register(DidChangeConfigurationNotification.type, { section });
    }
    connection.workspace.onDidChangeWorkspaceFolders(() => {
      void connection.workspace.getWorkspaceFolders().then((folders) => {
        notes.setFolders((folders ?? []).map((folder) => folder.uri));
        indexing.refresh();
      });
    });
    indexing.refresh();
    teaching.begin();
  });
  connection.onDidChangeConfiguration(({ settings: pushed }) => {
    settings.didChange(pushed);
    // Lenses can be switched on and off.
    refreshLenses(connection);
    indexing.refresh();
    citations.refresh();
  });
  connection.onDidChangeWatchedFiles((params) => {
    indexing.filesChanged(params);
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
    return wanted && document ? [...reviews.lenses(document), ...codeLenses(document, blocks)] : null;
  });
  connection.onCompletion(async ({ textDocument, position }, token) => {
    const document = documents.get(textDocument.uri);
    return document ? await citations.complete(document, position, signalOf(token)) : null;
  });
  connection.onDefinition(async ({ textDocument, position }, token) => {
    const document = documents.get(textDocument.uri);
    return document ? await citations.definition(document, position, signalOf(token)) : null;
  });
  connection.onHover(async ({ textDocument: { uri }, position }, token) => {
    const document = documents.get(uri);
    if (!document) return null;
    const work = await citations.hover(document, position, signalOf(token));
    const block = blockAt(document, position, blocks);
    if (work || !block) return work;
    const root = uri.startsWith('file:') ? (await notes.note(uri)).root : null;
    const answer = block.sections.find(({ kind }) => kind === 'answer')?.text;
    const run = root === null ? null : await runOfBlock(stores, root, block.id, answer);
    if (root === null || !run) return hoverText(block, null);
    const line = { number: position.line, text: lineText(document, position.line) };
    const behind = await passages
      .behindLine(root, run, block, line, signalOf(token))
      .catch((error: unknown) => {
        // The provenance is worth showing without them.
        connection.console.info(`The passages behind ${block.id}: ${sentence(error)}`);
        return [];
      });
    return hoverText(block, run, behind);
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
  const commands = createCommands({ connection, reasoning, many, decisions, reviews });
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
    citations.dispose();
    indexing.dispose();
    pairs.dispose();
    graph.dispose();
    await teaching.dispose();
    await Promise.all([
      ...[engines.dispose(), critics.dispose(), retrieval.dispose()],
      options.shelf.dispose(),
    ]);
  });
  // Runs of a note that is closed let others by until it is open again.
  documents.onDidOpen(() => {
    queue.wake();
  });
  documents.onDidClose(() => {
    queue.wake();
  });
  documents.onDidChangeContent(() => {
    teaching.wrote();
  });
  documents.listen(connection);
  connection.listen();
}

/** A client that can't be told asks for them again with the next change. */
function refreshLenses(connection: Connection): void {
  connection.sendRequest(CodeLensRefreshRequest.type).catch(() => undefined);
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
