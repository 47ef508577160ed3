// The curation board's requests: pages of pairs, one pair with its history, changes, and where a pair came from. One
// book for each folder; what it tells of goes out as preflexor/didChangePairs.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Connection } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { PreflexorError, sentence } from '../errors.ts';
import {
  pairsNotification,
  type curateRequest,
  type LedgerRecord,
  type PairDetail,
  type pairRequest,
  type pairsRequest,
  type PreferencePair,
  type undoCurationRequest,
} from '../protocol/index.ts';
import { PairBook, type PairsRequest, type Stores } from '../workflow/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { rootsMeant } from './passages.ts';
import { signalOf } from './reasoning.ts';
import type { Retrieval } from './retrieval.ts';
import type { SettingsSource } from './settings.ts';

/** A page that does not say how long it is to be. */
const usualPage = 100;
/** Passages of the notes that a search by meaning looks at. */
const placesByMeaning = 60;
const pauseMs = 1000;
const mostNoteBytes = 20_000_000;

export interface PairsParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly stores: Stores;
  readonly retrieval: Retrieval;
  readonly now: () => number;
}

export interface Pairs {
  readonly handlers: {
    'preflexor/pairs': Answer<typeof pairsRequest>;
    'preflexor/pair': Answer<typeof pairRequest>;
    'preflexor/curate': Answer<typeof curateRequest>;
    'preflexor/undoCuration': Answer<typeof undoCurationRequest>;
  };
  dispose(): void;
}

export function createPairs(parts: PairsParts): Pairs {
  const { connection, notes, settings, stores, retrieval, now } = parts;
  const books = new Map<string, PairBook>();

  function bookOf(root: string): PairBook {
    const known =
      books.get(root) ??
      new PairBook({
        ...{ stores, now },
        searchNotes: async (text, signal) => {
          const options = { k: placesByMeaning, filter: {} };
          return (await retrieval.search(root, text, options, signal)).passages;
        },
        embed: async (texts, signal) => {
          if (!(await settings.for(pathToFileURL(root).href))['retrieval.enabled'])
            throw new PreflexorError('no-model', 'Notes and papers are not searched here.');
          return await retrieval.embed(root, texts, signal);
        },
        changed: (counts) => {
          const folder = pathToFileURL(root).href;
          void connection.sendNotification(pairsNotification.method, { folder, counts });
        },
      });
    books.set(root, known);
    return known;
  }

  async function meant(uri: string | undefined): Promise<{ book: PairBook; request: PairsRequest }> {
    const [root = ''] = await rootsMeant(notes, uri);
    const record = (await settings.for(pathToFileURL(root).href))['preferences.record'];
    return { book: bookOf(root), request: { root, now: now(), record } };
  }

  /** Writers decide several times in a row: the pairs are derived anew when they pause. */
  const waiting = new Map<string, NodeJS.Timeout>();
  const listening = stores.onDecision((root) => {
    const book = books.get(root);
    if (!book) return;
    book.invalidate();
    clearTimeout(waiting.get(root));
    waiting.set(
      root,
      setTimeout(() => {
        void look(root, book);
      }, pauseMs),
    );
  });

  /** Asks for nothing but that the pairs are up to date: the book then tells who shows them. */
  async function look(root: string, book: PairBook): Promise<void> {
    waiting.delete(root);
    try {
      const { request } = await meant(pathToFileURL(path.join(root, 'any')).href);
      const nothing = { filter: {}, order: 'newest', offset: 0, limit: 0 } as const;
      await book.page(request, nothing, new AbortController().signal);
    } catch (error) {
      if (!PreflexorError.is(error, 'cancelled'))
        connection.console.info(`The pairs of ${root} could not be derived: ${sentence(error)}`);
    }
  }

  return {
    handlers: {
      'preflexor/pairs': async (params, token) => {
        const {
          textDocument,
          filter = {},
          order = 'newest',
          offset = 0,
          limit = usualPage,
          refresh,
        } = params;
        const { book, request } = await meant(textDocument?.uri);
        if (refresh === true) book.invalidate();
        return await book.page(request, { filter, order, offset, limit }, signalOf(token));
      },
      'preflexor/pair': async ({ textDocument, pair }, token) => {
        const { book, request } = await meant(textDocument?.uri);
        const { about, ...detail } = await book.detail(request, pair, signalOf(token));
        return { ...detail, place: await placeOf(notes, request.root, detail.pair, about) };
      },
      'preflexor/curate': async ({ textDocument, pairs, action }, token) => {
        const { book, request } = await meant(textDocument?.uri);
        return await book.curate(request, pairs, action, signalOf(token));
      },
      'preflexor/undoCuration': async ({ textDocument }, token) => {
        const { book, request } = await meant(textDocument?.uri);
        return await book.undo(request, signalOf(token));
      },
    },
    dispose: () => {
      listening();
      for (const timer of waiting.values()) clearTimeout(timer);
      for (const book of books.values()) book.dispose();
    },
  };
}

/** Where the pair's texts stand in its note now, else where its decision was made. */
export async function placeOf(
  notes: Notes,
  root: string,
  { note }: Pick<PreferencePair, 'note'>,
  about: LedgerRecord | null,
): Promise<PairDetail['place']> {
  if (!note) return null;
  const file = path.resolve(root, note.path);
  const below = path.relative(root, file);
  // An imported pair may name anything.
  if (below === '' || below.split(path.sep)[0] === '..' || path.isAbsolute(below)) return null;
  const uri = pathToFileURL(file).href;
  const text = notes.textOf(uri) ?? (await textOf(file));
  if (text === null) return null;
  const wanted = [
    about ? `preflexor ${about.block} begin` : '',
    ...[about?.texts.result, about?.texts.paragraph, about?.texts.offered],
  ];
  const document = TextDocument.create(uri, 'markdown', 0, text);
  for (const words of wanted) {
    const start = words?.trim() ? text.indexOf(words) : -1;
    if (start < 0) continue;
    const end = start + (words?.length ?? 0);
    return { uri, range: { start: document.positionAt(start), end: document.positionAt(end) } };
  }
  const start = document.positionAt(note.range.start);
  return { uri, range: { start, end: start } };
}

async function textOf(file: string): Promise<string | null> {
  try {
    const { size } = await stat(file);
    return size > mostNoteBytes ? null : await readFile(file, 'utf8');
  } catch {
    // Moved or deleted since: there is no place to go to.
    return null;
  }
}
