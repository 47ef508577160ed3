// The index in the editor: which folders are indexed and how, what of their files changed, its state, and its
// actions. Which files count is worked out by retrieval; here only the editor is asked.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  DidChangeWatchedFilesNotification,
  type CancellationToken,
  type ClientCapabilities,
  type Connection,
  type DidChangeWatchedFilesParams,
  type Disposable,
  type FileSystemWatcher,
} from 'vscode-languageserver/node';
import type { z } from 'zod';
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import {
  indexNotification,
  type indexRequest,
  type indexStatusRequest,
  type IndexStatus,
  type whyNotIndexedRequest,
} from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { rootsMeant } from './passages.ts';
import { signalOf } from './reasoning.ts';
import type { IndexedFolder, Retrieval } from './retrieval.ts';
import type { SettingsSource } from './settings.ts';

/** States go out at most this often. */
const tellMs = 200;
const ignoreFiles = ['**/.gitignore', '**/.preflexorignore'];
const bibliographies = '**/*.bib';

export interface IndexingParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly retrieval: Retrieval;
  /** Hears that a bibliography has changed. */
  readonly onBibliography: () => void;
}

export class Indexing {
  readonly #parts: IndexingParts;
  readonly #teller: StatusTeller;
  readonly #forget: () => void;
  #capabilities: ClientCapabilities['workspace'] = undefined;
  #watching: { readonly key: string; readonly registered: Promise<Disposable> } | null = null;
  #folders: Promise<void> = Promise.resolve();

  readonly handlers: {
    'preflexor/index': Answer<typeof indexRequest>;
    'preflexor/indexStatus': Answer<typeof indexStatusRequest>;
    'preflexor/whyNotIndexed': Answer<typeof whyNotIndexedRequest>;
  };

  constructor(parts: IndexingParts) {
    this.#parts = parts;
    this.#teller = new StatusTeller(parts.connection);
    this.#forget = parts.retrieval.onStatus((status) => {
      this.#teller.push(status);
    });
    const { notes, retrieval } = parts;
    this.handlers = {
      'preflexor/index': (params, token) => this.#act(params, token),
      'preflexor/indexStatus': async ({ textDocument }) => {
        const roots = textDocument ? await rootsMeant(notes, textDocument.uri) : notes.folders;
        return { folders: roots.map((root) => retrieval.status(root)) };
      },
      'preflexor/whyNotIndexed': async ({ uri }, token) => {
        if (!uri.startsWith('file:'))
          throw new PreflexorError('bad-input', 'Only files on this machine are indexed.');
        const file = fileURLToPath(uri);
        const root = await notes.rootOf(file);
        return await retrieval.explain(root, relativeNotePath(root, file), signalOf(token));
      },
    };
  }

  /** @param capabilities what the editor can do */
  initialize(capabilities: ClientCapabilities['workspace']): void {
    this.#capabilities = capabilities;
  }

  /** Folders or settings are there or have changed. The last call counts. */
  refresh(): void {
    this.#folders = this.#folders
      .then(() => this.#tellFolders())
      .catch((error: unknown) => {
        this.#parts.connection.console.error(`The folders to be indexed are not known: ${sentence(error)}`);
      });
  }

  async #tellFolders(): Promise<void> {
    const folders = await Promise.all(this.#parts.notes.folders.map((root) => this.#folder(root)));
    this.#parts.retrieval.setFolders(folders);
    await this.#watch(folders);
  }

  async #folder(root: string): Promise<IndexedFolder> {
    const uri = pathToFileURL(root).href;
    const settings = await this.#parts.settings.for(uri);
    return { root, settings, editorExcludes: await this.#editorExcludes(uri) };
  }

  /** Globs that the editor's own settings switch on; one that depends on other files (`when`) does not count. */
  async #editorExcludes(scopeUri: string): Promise<string[]> {
    if (this.#capabilities?.configuration !== true) return [];
    const sections = ['files.exclude', 'search.exclude'].map((section) => ({ scopeUri, section }));
    const values: unknown = await this.#parts.connection.workspace.getConfiguration(sections);
    return (Array.isArray(values) ? values : []).flatMap((value: unknown) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([glob, isOn]) => (isOn === true ? [glob] : []))
        : [],
    );
  }

  /** Asks the editor to tell changes of the files that count. */
  async #watch(folders: readonly IndexedFolder[]): Promise<void> {
    const can = this.#capabilities?.didChangeWatchedFiles;
    if (can?.dynamicRegistration !== true) return;
    const watchers = folders.flatMap(({ root, settings }): FileSystemWatcher[] => {
      const globs = [...new Set([...settings['retrieval.include'], ...ignoreFiles, bibliographies])];
      const baseUri = pathToFileURL(root).href;
      return globs.map((pattern) => ({
        globPattern: can.relativePatternSupport === true ? { baseUri, pattern } : pattern,
      }));
    });
    const key = JSON.stringify(watchers);
    if (this.#watching?.key === key) return;
    (await this.#watching?.registered)?.dispose();
    const registered = this.#parts.connection.client.register(DidChangeWatchedFilesNotification.type, {
      watchers,
    });
    this.#watching = { key, registered };
    await registered;
  }

  /** What the editor saw change. */
  filesChanged({ changes }: DidChangeWatchedFilesParams): void {
    const changed = new Map<string, string[]>();
    for (const { uri } of changes) {
      if (!uri.startsWith('file:')) continue;
      const file = fileURLToPath(uri);
      const root = this.#parts.notes.folderOf(file);
      if (root === null) continue;
      const paths = changed.get(root) ?? [];
      paths.push(path.relative(root, file).split(path.sep).join('/'));
      changed.set(root, paths);
    }
    for (const [root, paths] of changed) this.#parts.retrieval.changed(root, paths);
    if (changes.some(({ uri }) => uri.toLowerCase().endsWith('.bib'))) this.#parts.onBibliography();
  }

  async #act(
    { textDocument, action, workDoneToken }: z.infer<(typeof indexRequest)['params']>,
    token: CancellationToken,
  ): Promise<z.infer<(typeof indexRequest)['result']>> {
    const { retrieval, notes, connection } = this.#parts;
    const roots = await rootsMeant(notes, textDocument?.uri);
    const signal = signalOf(token);
    if (action === 'pause') await Promise.all(roots.map((root) => retrieval.pause(root)));
    else if (action === 'resume') await Promise.all(roots.map((root) => retrieval.resume(root)));
    else {
      const progress = connection.window.attachWorkDoneProgress(workDoneToken);
      progress.begin(action === 'start' ? 'Indexing' : 'Rebuilding the index', 0, undefined, true);
      const forget = retrieval.onStatus((status) => {
        if (!roots.includes(status.root)) return;
        const { done, total } = status;
        progress.report(total === 0 ? 0 : Math.floor((done / total) * 100), progressText(status));
      });
      try {
        const options = { rebuild: action === 'rebuild' };
        await Promise.all(roots.map((root) => retrieval.index(root, options, signal)));
      } finally {
        forget();
        progress.done();
      }
    }
    throwIfCancelled(signal);
    return { folders: roots.map((root) => retrieval.status(root)) };
  }

  dispose(): void {
    this.#forget();
    this.#teller.dispose();
  }
}

function progressText({ state, done, total }: IndexStatus): string {
  return state === 'scanning' ? 'Looking for files' : `${done} of ${total} files`;
}

/** Sends the last state of each folder, the first one at once. */
class StatusTeller {
  readonly #connection: Connection;
  readonly #waiting = new Map<string, IndexStatus>();
  #timer: NodeJS.Timeout | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  push(status: IndexStatus): void {
    if (this.#timer === null) this.#send(status);
    else this.#waiting.set(status.root, status);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const statuses = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const one of statuses) this.#send(one);
    }, tellMs);
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
  }

  #send(status: IndexStatus): void {
    void this.#connection.sendNotification(indexNotification.method, status);
  }
}
