// Citations in notes: completion, hover, definition and diagnostics, out of the folder's bibliographies.
// What is a citation is the notes' business, what is in a bibliography that of retrieval.
import path from 'node:path';
import { setImmediate as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  CompletionItemKind,
  DiagnosticSeverity,
  InsertTextFormat,
  MarkupKind,
  type CompletionItem,
  type CompletionList,
  type Connection,
  type Diagnostic,
  type Hover,
  type Location,
  type Position,
  type TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  bibliographiesOf,
  citationAt,
  citationPlaces,
  definedKeys,
  isCrossReference,
  openCitation,
} from '../notes/index.ts';
import type { Notes } from './documents.ts';
import type { Bibliography, BibliographyEntry, Retrieval } from './retrieval.ts';
import type { SettingsSource } from './settings.ts';
import { describeWork, oneLine, rankOf, shortCredit } from './works.ts';

/** More than a list shows; what is typed next narrows it down. */
const mostSuggestions = 100;
const mostDiagnostics = 500;
/** Typing has to pause this long before a note is checked. */
const checkDelayMs = 300;

export interface CitationParts {
  readonly connection: Connection;
  readonly documents: TextDocuments<TextDocument>;
  readonly notes: Notes;
  readonly retrieval: Retrieval;
  readonly settings: SettingsSource;
}

interface Work {
  readonly entry: BibliographyEntry;
  readonly bibliography: Bibliography;
  readonly root: string;
}

/** The bibliographies that a note draws on. */
interface Shelf {
  /** Those that its front matter names, or all of the folder where it names none that is there. */
  readonly own: readonly Work[];
  readonly all: readonly Work[];
}

export class Citations {
  readonly #parts: CitationParts;
  readonly #waiting = new Map<string, NodeJS.Timeout>();

  constructor(parts: CitationParts) {
    this.#parts = parts;
    parts.documents.onDidChangeContent(({ document }) => {
      this.#checkSoon(document.uri);
    });
    parts.documents.onDidClose(({ document: { uri } }) => {
      clearTimeout(this.#waiting.get(uri));
      this.#waiting.delete(uri);
      void parts.connection.sendDiagnostics({ uri, diagnostics: [] });
    });
  }

  /** Checks every open note anew: settings or bibliographies have changed. */
  refresh(): void {
    for (const uri of this.#parts.documents.keys()) this.#checkSoon(uri);
  }

  dispose(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  /** Works for the key that is being typed; null where none is. */
  async complete(
    document: TextDocument,
    position: Position,
    signal: AbortSignal,
  ): Promise<CompletionList | null> {
    const open = openCitation(document.getText(), document.offsetAt(position));
    if (!open) return null;
    const { own } = await this.#shelf(document, signal);
    const ranked = own
      .flatMap((work) => {
        const rank = rankOf(work.entry, open.typed);
        return rank === null ? [] : [{ work, rank }];
      })
      .sort((a, b) => a.rank - b.rank || compare(a.work.entry.key, b.work.entry.key));
    const range = { start: document.positionAt(open.start), end: position };
    const items = ranked.slice(0, mostSuggestions).map(({ work, rank }): CompletionItem => {
      const { entry, bibliography } = work;
      return {
        label: entry.key,
        labelDetails: { description: shortCredit(entry) },
        kind: CompletionItemKind.Reference,
        detail: oneLine(entry),
        documentation: { kind: MarkupKind.PlainText, value: describeWork(entry, bibliography.path) },
        // Chosen and ordered here, by words of title and authors too, which the editor does not see.
        filterText: open.typed || entry.key,
        sortText: `${rank}${entry.key}`,
        insertTextFormat: InsertTextFormat.PlainText,
        textEdit: { range, newText: entry.key },
      };
    });
    return { isIncomplete: true, items };
  }

  /** What the bibliography says of the work under the cursor, in plain text; null where there is none. */
  async hover(document: TextDocument, position: Position, signal: AbortSignal): Promise<Hover | null> {
    const found = await this.#worksAt(document, position, signal);
    const [work] = found?.works ?? [];
    if (!found || !work) return null;
    return {
      contents: {
        kind: MarkupKind.PlainText,
        value: describeWork(work.entry, work.bibliography.path),
      },
      range: found.range,
    };
  }

  /** The entries of the work under the cursor. */
  async definition(document: TextDocument, position: Position, signal: AbortSignal): Promise<Location[]> {
    const found = await this.#worksAt(document, position, signal);
    return (found?.works ?? []).map(({ entry, bibliography, root }) => {
      const uri = pathToFileURL(path.join(root, bibliography.path)).href;
      const text = TextDocument.create(uri, 'bibtex', 0, bibliography.text);
      return { uri, range: { start: text.positionAt(entry.start), end: text.positionAt(entry.end) } };
    });
  }

  async #worksAt(document: TextDocument, position: Position, signal: AbortSignal) {
    const place = citationAt(document.getText(), document.offsetAt(position));
    if (!place) return null;
    const { own, all } = await this.#shelf(document, signal);
    const ofKey = ({ entry }: Work): boolean => entry.key === place.key;
    const works = own.some(ofKey) ? own.filter(ofKey) : all.filter(ofKey);
    return {
      works,
      range: { start: document.positionAt(place.start), end: document.positionAt(place.end) },
    };
  }

  async #shelf(document: TextDocument, signal: AbortSignal): Promise<Shelf> {
    if (!document.uri.startsWith('file:')) return { own: [], all: [] };
    const file = fileURLToPath(document.uri);
    const root = await this.#parts.notes.rootOf(file);
    const bibliographies = await this.#parts.retrieval.bibliographies(root, signal);
    const named = new Set(
      bibliographiesOf(document.getText()).flatMap((name) =>
        // Pandoc looks in the folder that it runs in, which is the note's own or the workspace's.
        [path.dirname(file), root].map((folder) => path.resolve(folder, name)),
      ),
    );
    const works = (some: readonly Bibliography[]): Work[] =>
      some.flatMap((bibliography) => bibliography.entries.map((entry) => ({ entry, bibliography, root })));
    const own = bibliographies.filter((bibliography) => named.has(path.resolve(root, bibliography.path)));
    return { own: works(own.length > 0 ? own : bibliographies), all: works(bibliographies) };
  }

  #checkSoon(uri: string): void {
    clearTimeout(this.#waiting.get(uri));
    this.#waiting.set(
      uri,
      setTimeout(() => {
        this.#waiting.delete(uri);
        void this.#check(uri).catch((error: unknown) => {
          this.#parts.connection.console.error(
            `The citations of ${uri} could not be checked: ${String(error)}`,
          );
        });
      }, checkDelayMs),
    );
  }

  async #check(uri: string): Promise<void> {
    const document = this.#parts.documents.get(uri);
    if (!document) return;
    const { version } = document;
    const diagnostics = await this.#unknownKeys(document);
    // Whoever typed meanwhile gets a check of what is there then.
    if (this.#parts.documents.get(uri)?.version === version)
      await this.#parts.connection.sendDiagnostics({ uri, version, diagnostics });
  }

  /** Nothing where the folder has no bibliography: then the keys belong to something that is not known here. */
  async #unknownKeys(document: TextDocument): Promise<Diagnostic[]> {
    const wanted = (await this.#parts.settings.for(document.uri))['citations.diagnostics'];
    if (!wanted) return [];
    const { all } = await this.#shelf(document, new AbortController().signal);
    if (all.length === 0) return [];
    const text = document.getText();
    const known = new Set([...all.map(({ entry }) => entry.key), ...definedKeys(text)]);
    const diagnostics: Diagnostic[] = [];
    for (const places of citationPlaces(text)) {
      for (const { key, start, end } of places) {
        if (known.has(key) || isCrossReference(key)) continue;
        diagnostics.push({
          range: { start: document.positionAt(start), end: document.positionAt(end) },
          severity: DiagnosticSeverity.Warning,
          source: 'PRefLexOR',
          code: 'unknown-citation',
          message: `No bibliography of this folder knows ${key}.`,
        });
      }
      if (diagnostics.length >= mostDiagnostics) break;
      await pause();
    }
    return diagnostics.slice(0, mostDiagnostics);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
