// A language client for tests: starts the built language server as an editor would and keeps the documents
// itself. It speaks the protocol over a real connection and knows nothing about how the server is made.
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  ApplyWorkspaceEditRequest,
  CancellationTokenSource,
  ConfigurationRequest,
  createMessageConnection,
  DidChangeConfigurationNotification,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  InitializedNotification,
  InitializeRequest,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type ApplyWorkspaceEditParams,
  type ApplyWorkspaceEditResult,
  type CancellationToken,
  type ClientCapabilities,
  type InitializeResult,
  type MessageConnection,
  type OptionalVersionedTextDocumentIdentifier,
  type ProgressToken,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { dist, testHome } from '../../scripts/setup/paths.ts';

export interface LspOptions {
  /** Workspace folders (paths); none: a client that opened a single file. */
  readonly folders?: readonly string[];
  /** The section `preflexor` of the settings, nested as an editor sends it. */
  readonly settings?: unknown;
  /** false: the client can't be asked for its settings and sends them on its own. */
  readonly canPullSettings?: boolean;
  /** Other sections of the settings, by their full names: `files.exclude`. */
  readonly editorSettings?: Readonly<Record<string, unknown>>;
  readonly capabilities?: ClientCapabilities;
  /** The server's entry point; else the one that is built. */
  readonly entry?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A notification of the server's own, in the order of arrival. */
export interface Received {
  readonly method: string;
  readonly params: unknown;
}

const patience = 30_000;

const usualCapabilities: ClientCapabilities = {
  workspace: {
    applyEdit: true,
    configuration: true,
    workspaceFolders: true,
    workspaceEdit: { documentChanges: true },
    didChangeConfiguration: { dynamicRegistration: true },
    didChangeWatchedFiles: { dynamicRegistration: true, relativePatternSupport: true },
    codeLens: { refreshSupport: true },
    foldingRange: { refreshSupport: true },
  },
  window: { workDoneProgress: true, showMessage: {} },
  textDocument: {
    codeAction: {
      codeActionLiteralSupport: { codeActionKind: { valueSet: ['refactor', 'refactor.rewrite'] } },
    },
    documentSymbol: { hierarchicalDocumentSymbolSupport: true },
    hover: { contentFormat: ['markdown', 'plaintext'] },
    foldingRange: { lineFoldingOnly: true },
  },
};

export class LspClient {
  /** For what has no method of its own here. */
  readonly connection: MessageConnection;
  readonly process: ChildProcessWithoutNullStreams;
  /** Everything that the server sent unasked, `$/progress` included. */
  readonly received: Received[] = [];
  /** Every `workspace/applyEdit` that the server asked for, and what it was told. */
  readonly edits: { readonly params: ApplyWorkspaceEditParams; readonly result: ApplyWorkspaceEditResult }[] =
    [];
  /** Set it to refuse edits, as an editor does whose note was changed or is read-only. */
  refuseEdits: string | undefined;
  /** Called before an edit is applied: whatever a person does at the worst moment. */
  beforeEdit: (() => void | Promise<void>) | undefined;
  #settings: unknown;
  readonly #editorSettings: Readonly<Record<string, unknown>>;
  /** Everything that the server asked for and that has no method of its own here: registrations, refreshes. */
  readonly asked: Received[] = [];
  #initialized: InitializeResult | undefined;
  #stderr = '';
  readonly #documents = new Map<string, TextDocument>();
  readonly #gone: Promise<number | null>;

  private constructor(child: ChildProcessWithoutNullStreams, { settings, editorSettings }: LspOptions) {
    this.process = child;
    this.#settings = settings ?? {};
    this.#editorSettings = editorSettings ?? {};
    this.#gone = new Promise((resolve) => child.once('exit', resolve));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    child.stdin.on('error', () => undefined); // The server may be gone before us.
    this.connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    this.#listen();
    this.connection.listen();
  }

  /** Starts `dist/languageServer.js --stdio` and goes through the handshake. */
  static async start(options: LspOptions = {}): Promise<LspClient> {
    const entry = options.entry ?? path.join(dist, 'languageServer.js');
    const child = spawn(process.execPath, [entry, '--stdio'], {
      env: {
        ...process.env,
        PREFLEXOR_HOME: process.env['PREFLEXOR_HOME'] ?? testHome,
        ...options.env,
      },
    });
    const client = new LspClient(child, options);
    try {
      await client.#handshake(options);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`The server did not start.\n${client.#stderr}`, { cause: error });
    }
    return client;
  }

  async #handshake(options: LspOptions): Promise<void> {
    const canPull = options.canPullSettings ?? true;
    const folders = (options.folders ?? []).map((folder) => ({
      uri: uriOf(folder),
      name: path.basename(folder),
    }));
    const capabilities = { ...usualCapabilities, ...options.capabilities };
    this.#initialized = await this.connection.sendRequest(InitializeRequest.type, {
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      rootUri: null, // Required by the protocol, replaced by the folders below.
      processId: process.pid,
      workspaceFolders: folders.length > 0 ? folders : null,
      capabilities: { ...capabilities, workspace: { ...capabilities.workspace, configuration: canPull } },
      ...(canPull ? {} : { initializationOptions: this.#settings }),
    });
    await this.connection.sendNotification(InitializedNotification.type, {});
  }

  #listen(): void {
    this.connection.onNotification((method: string, params: unknown) => {
      this.received.push({ method, params });
    });
    this.connection.onUnhandledProgress((params) => {
      this.received.push({ method: '$/progress', params });
    });
    this.connection.onRequest(ConfigurationRequest.type, ({ items }) =>
      items.map(({ section = 'preflexor' }) =>
        section.startsWith('preflexor')
          ? at(this.#settings, section.split('.').slice(1))
          : (this.#editorSettings[section] ?? null),
      ),
    );
    this.connection.onRequest(ApplyWorkspaceEditRequest.type, (params) => this.#apply(params));
    // Registrations, progress tokens and refreshes: granted.
    this.connection.onRequest((method: string, params: unknown) => {
      this.asked.push({ method, params });
      return null;
    });
  }

  get initialized(): InitializeResult {
    assert.ok(this.#initialized, 'the handshake is not over');
    return this.#initialized;
  }

  // ——— documents ———

  /** Opens a file with what is on the disk, or with `text`. Gives its address. */
  async open(file: string, text?: string): Promise<string> {
    const content = text ?? (await readFile(file, 'utf8'));
    return this.openText(uriOf(file), content);
  }

  /** Opens a document that need not be a file (`untitled:…`). */
  async openText(uri: string, text: string): Promise<string> {
    const document = TextDocument.create(uri, 'markdown', 1, text);
    this.#documents.set(uri, document);
    await this.connection.sendNotification(DidOpenTextDocumentNotification.type, {
      textDocument: { uri, languageId: 'markdown', version: 1, text },
    });
    return uri;
  }

  async close(uri: string): Promise<void> {
    this.#documents.delete(uri);
    await this.connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  }

  /** Types: each edit is sent as an incremental change, with a version of its own. */
  async change(uri: string, ...edits: readonly TextEdit[]): Promise<void> {
    for (const { range, newText } of edits) {
      const document = this.#document(uri);
      const change = { range, text: newText };
      TextDocument.update(document, [change], document.version + 1);
      await this.connection.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument: { uri, version: document.version },
        contentChanges: [change],
      });
    }
  }

  /** Replaces the first occurrence of `found`, as a person would. */
  async replace(uri: string, found: string, newText: string): Promise<void> {
    const document = this.#document(uri);
    const start = document.getText().indexOf(found);
    assert.ok(start >= 0, `not in the document: ${found}`);
    const range = { start: document.positionAt(start), end: document.positionAt(start + found.length) };
    await this.change(uri, { range, newText });
  }

  text(uri: string): string {
    return this.#document(uri).getText();
  }

  version(uri: string): number {
    return this.#document(uri).version;
  }

  /** Where `found` begins. */
  positionOf(uri: string, found: string): { line: number; character: number } {
    const document = this.#document(uri);
    const start = document.getText().indexOf(found);
    assert.ok(start >= 0, `not in the document: ${found}`);
    return document.positionAt(start);
  }

  #document(uri: string): TextDocument {
    const document = this.#documents.get(uri);
    assert.ok(document, `not open: ${uri}`);
    return document;
  }

  async #apply(params: ApplyWorkspaceEditParams): Promise<ApplyWorkspaceEditResult> {
    await this.beforeEdit?.();
    const failureReason = this.refuseEdits ?? this.#obstacle(params.edit);
    const result: ApplyWorkspaceEditResult =
      failureReason === undefined ? { applied: true } : { applied: false, failureReason };
    if (result.applied) {
      for (const { textDocument, edits } of documentEdits(params.edit))
        await this.#applyTo(textDocument.uri, edits);
    }
    this.edits.push({ params, result });
    return result;
  }

  /** What an editor would object: it does not have the document, or has another version of it. */
  #obstacle(edit: WorkspaceEdit): string | undefined {
    for (const { textDocument } of documentEdits(edit)) {
      const document = this.#documents.get(textDocument.uri);
      if (!document) return `not open: ${textDocument.uri}`;
      if (textDocument.version !== null && textDocument.version !== document.version) {
        return `version ${String(textDocument.version)} was meant, ${String(document.version)} is open`;
      }
    }
    return undefined;
  }

  /** One edit is one change of the document: the ranges all mean the text before it. */
  async #applyTo(uri: string, edits: readonly TextEdit[]): Promise<void> {
    const document = this.#document(uri);
    const fromTheEnd = [...edits].sort((left, right) => {
      const difference = document.offsetAt(right.range.start) - document.offsetAt(left.range.start);
      return difference || edits.indexOf(right) - edits.indexOf(left);
    });
    const contentChanges = fromTheEnd.map(({ range, newText }) => ({ range, text: newText }));
    TextDocument.update(document, contentChanges, document.version + 1);
    await this.connection.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version: document.version },
      contentChanges,
    });
  }

  // ——— asking and hearing ———

  /** Sends a request; `signal` cancels it with `$/cancelRequest`. */
  async request<R>(method: string, params: unknown, signal?: AbortSignal): Promise<R> {
    // A third argument that is undefined would be taken for a parameter by position.
    return signal
      ? this.connection.sendRequest<R>(method, params, cancellation(signal))
      : this.connection.sendRequest<R>(method, params);
  }

  /** Parameters of all notifications of one method so far. */
  notifications(method: string): unknown[] {
    return this.received.filter((one) => one.method === method).map((one) => one.params);
  }

  /** Values that came under a progress token so far. */
  progress(token: ProgressToken): unknown[] {
    return this.notifications('$/progress')
      .filter((params) => (params as { token: ProgressToken }).token === token)
      .map((params) => (params as { value: unknown }).value);
  }

  async configure(settings: unknown): Promise<void> {
    this.#settings = settings;
    await this.connection.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { preflexor: settings },
    });
  }

  /** Waits until `look` gives something, and says what was waited for when it never does. */
  async until<T>(what: string, look: () => T | undefined | false, timeout = patience): Promise<T> {
    const end = Date.now() + timeout;
    for (;;) {
      const seen = look();
      if (seen !== undefined && seen !== false) return seen;
      assert.ok(Date.now() < end, `waited ${String(timeout / 1000)} s for ${what}\n${this.#stderr}`);
      await delay(10);
    }
  }

  /** What the server wrote to stderr. */
  stderr(): string {
    return this.#stderr;
  }

  /** Ends the server as an editor does; gives its exit code. One that does not end is killed: code null. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const kill = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
      const answered = this.connection.sendRequest(ShutdownRequest.type).catch(() => undefined);
      // One that dies on the way never answers.
      await Promise.race([answered, this.#gone]);
      await this.connection.sendNotification(ExitNotification.type).catch(() => undefined);
      await this.#gone;
      clearTimeout(kill);
    }
    this.connection.dispose();
    return this.#gone;
  }
}

export function uriOf(file: string): string {
  return pathToFileURL(file).href;
}

interface DocumentEdit {
  readonly textDocument: OptionalVersionedTextDocumentIdentifier;
  readonly edits: readonly TextEdit[];
}

function documentEdits(edit: WorkspaceEdit): readonly DocumentEdit[] {
  const plain = Object.entries(edit.changes ?? {}).map(([uri, edits]) => ({
    textDocument: { uri, version: null },
    edits,
  }));
  const versioned = (edit.documentChanges ?? [])
    .filter((change) => 'textDocument' in change)
    .map(({ textDocument, edits }) => ({ textDocument, edits: edits.filter((one) => 'newText' in one) }));
  return [...plain, ...versioned];
}

function cancellation(signal: AbortSignal): CancellationToken {
  const source = new CancellationTokenSource();
  if (signal.aborted) source.cancel();
  signal.addEventListener('abort', () => {
    source.cancel();
  });
  return source.token;
}

function at(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (current, key) =>
      typeof current === 'object' && current !== null ? (current as Record<string, unknown>)[key] : undefined,
    value,
  );
}
