// The Graph view's requests: a part of the knowledge graph, and where its links can be read. The graph is read once and
// again when the index or a decision has changed it.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import { GraphIndex, openGraph, type NoteStretch } from '../graph/index.ts';
import { paragraphAt } from '../notes/index.ts';
import type { EvidencePlace, graphEvidenceRequest, graphRequest, Position } from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import type { Stores } from '../workflow/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { located, rootsMeant } from './passages.ts';
import { signalOf } from './reasoning.ts';
import type { Retrieval } from './retrieval.ts';

const mostPlaces = 100;
const longestWords = 200;
const mostTextBytes = 5_000_000;
/** Runs and other processes change it without a word. */
const longestKeptMs = 60_000;
const textFile = /\.(?:md|markdown|txt|tex|bib)$/i;

export interface GraphParts {
  readonly notes: Notes;
  readonly stores: Stores;
  readonly retrieval: Retrieval;
  readonly now: () => number;
}

export interface GraphRequests {
  readonly handlers: {
    'preflexor/graph': Answer<typeof graphRequest>;
    'preflexor/graphEvidence': Answer<typeof graphEvidenceRequest>;
  };
  dispose(): void;
}

export function createGraph({ notes, stores, retrieval, now }: GraphParts): GraphRequests {
  const kept = new Map<string, { readonly index: GraphIndex; readonly time: number }>();
  const listening = [
    stores.onDecision((root) => kept.delete(root)),
    retrieval.onStatus(({ root, state }) => {
      // While it is built, what was there is shown.
      if (state === 'idle' || state === 'off') kept.delete(root);
    }),
  ];

  async function indexOf(root: string, signal: AbortSignal): Promise<GraphIndex> {
    const known = kept.get(root);
    if (known && now() - known.time < longestKeptMs) return known.index;
    const reading = await openGraph(await retrieval.graph(root), signal);
    const index = await GraphIndex.read(reading, signal);
    kept.set(root, { index, time: now() });
    return index;
  }

  /** The paragraph at a position; null: there is none. */
  async function paragraphOf(uri: string, position: Position): Promise<NoteStretch | null> {
    const { root, file, text } = await notes.note(uri);
    try {
      const { start, end } = paragraphAt(text, notes.document(uri).offsetAt(position));
      return { note: relativeNotePath(root, file), start, end };
    } catch (error) {
      if (PreflexorError.is(error)) return null;
      throw error;
    }
  }

  async function wordsAt(
    root: string,
    place: { source: string; start: number; end: number },
  ): Promise<string> {
    const { uri } = located(root, passageOf(place));
    if (uri === null || !textFile.test(place.source)) return '';
    const text = notes.textOf(uri) ?? (await textOf(fileURLToPath(uri)));
    return text.slice(place.start, Math.min(place.end, place.start + longestWords));
  }

  return {
    handlers: {
      'preflexor/graph': async ({ textDocument, position, wish }, token) => {
        const signal = signalOf(token);
        const [root = ''] = await rootsMeant(notes, textDocument?.uri);
        const index = await indexOf(root, signal);
        const paragraph = textDocument && position ? await paragraphOf(textDocument.uri, position) : null;
        throwIfCancelled(signal);
        const near = position === undefined ? null : paragraph === null ? [] : index.saidIn(paragraph);
        return { folder: path.basename(root), ...index.select(wish, near) };
      },
      'preflexor/graphEvidence': async ({ textDocument, node }, token) => {
        const signal = signalOf(token);
        const [root = ''] = await rootsMeant(notes, textDocument?.uri);
        const index = await indexOf(root, signal);
        const places: EvidencePlace[] = [];
        for (const { edge, other, place } of index.evidenceOf(node, mostPlaces)) {
          throwIfCancelled(signal);
          const { from, to, kind } = edge;
          const { uri } = located(root, passageOf(place));
          const isFile = !place.source.startsWith('run:');
          const text = await wordsAt(root, place);
          places.push({ from, to, kind, other, ...place, uri: isFile ? uri : null, text });
        }
        return { places };
      },
    },
    dispose: () => {
      for (const end of listening) end();
    },
  };
}

/** A place as a passage, whose source is checked like any other's. */
function passageOf({ source, start, end }: { source: string; start: number; end: number }) {
  return { id: '', source, heading: [], page: null, start, end, text: '', score: 0 };
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    return size > mostTextBytes ? '' : await readFile(file, 'utf8');
  } catch {
    // Moved or deleted since.
    return '';
  }
}
