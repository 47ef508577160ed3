// Passages in the editor: what a search finds, what is related to a paragraph, and what stands behind each section
// of a run. Passages are data: their sources are checked before they become addresses.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import { paragraphAt, type Block } from '../notes/index.ts';
import type {
  FoundPassages,
  LocatedPassage,
  Passage,
  relatedRequest,
  Run,
  searchRequest,
  SearchResult,
  SectionSources,
  sourcesRequest,
} from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import { runOfBlock, type Stores } from '../workflow/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { signalOf } from './reasoning.ts';
import type { Retrieval } from './retrieval.ts';
import type { SettingsSource } from './settings.ts';
import { plain, shortened } from './works.ts';

/** A search by hand shows more than a model is shown. */
const foundByHand = 20;
/** What is shown of related passages where the model is shown none. */
const fewest = 6;
const remembered = 32;
const firstWords = 120;
const hoverPassages = 6;

export interface PassageParts {
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly stores: Stores;
  readonly retrieval: Retrieval;
}

export interface Passages {
  readonly handlers: {
    'preflexor/search': Answer<typeof searchRequest>;
    'preflexor/related': Answer<typeof relatedRequest>;
    'preflexor/sources': Answer<typeof sourcesRequest>;
  };
  /** What stands behind a line of a block, for a hover; nothing where that is not known. */
  behindLine(root: string, run: Run, block: Block, line: LineOfBlock, signal: AbortSignal): Promise<string[]>;
}

export interface LineOfBlock {
  readonly number: number;
  readonly text: string;
}

export function createPassages({ notes, settings, stores, retrieval }: PassageParts): Passages {
  const sections = new Map<string, readonly SectionSources[]>();

  /** A run does not change, so what stands behind it is worked out once. */
  async function sourcesOf(root: string, run: Run, signal: AbortSignal): Promise<readonly SectionSources[]> {
    if (run.passages.length === 0) return [];
    const known = sections.get(run.id) ?? (await retrieval.sources(root, run, signal));
    sections.delete(run.id);
    sections.set(run.id, known);
    for (const [oldest] of sections) if (sections.size > remembered) sections.delete(oldest);
    return known;
  }

  const handlers: Passages['handlers'] = {
    'preflexor/search': async ({ textDocument, query, k = foundByHand, filter = {} }, token) => {
      const signal = signalOf(token);
      const roots = await rootsMeant(notes, textDocument?.uri);
      const results = await Promise.all(
        roots.map(async (root) => ({
          root,
          result: await retrieval.search(root, query, { k, filter }, signal),
        })),
      );
      throwIfCancelled(signal);
      return joined(results, k);
    },
    'preflexor/related': async ({ textDocument: { uri }, position, k }, token) => {
      const signal = signalOf(token);
      const note = await notes.note(uri);
      const document = notes.document(uri);
      const paragraph = paragraphOrNull(note.text, document.offsetAt(position));
      if (!paragraph) return { ...joined([], 0), paragraph: null };
      const count = k ?? ((await settings.for(uri))['retrieval.passages'] || fewest);
      const filter = { notSources: [relativeNotePath(note.root, note.file)] };
      const result = await retrieval.search(note.root, paragraph.text, { k: count, filter }, signal);
      throwIfCancelled(signal);
      return {
        ...joined([{ root: note.root, result }], count),
        paragraph: { start: document.positionAt(paragraph.start), end: document.positionAt(paragraph.end) },
      };
    },
    'preflexor/sources': async ({ textDocument: { uri }, run: id, block }, token) => {
      const signal = signalOf(token);
      const { root } = await notes.note(uri);
      const run =
        id === undefined ? await runOfBlock(stores, root, block ?? '') : await stores.runs(root).load(id);
      if (!run) throw new PreflexorError('unknown-run', 'The run of this annotation is not stored here.');
      const found = await sourcesOf(root, run, signal);
      throwIfCancelled(signal);
      return {
        run: run.id,
        block: run.block,
        passages: run.passages.map((passage) => located(root, passage)),
        sections: [...found],
        unknownCitations: run.unknownCitations ?? [],
      };
    },
  };

  return {
    handlers,
    behindLine: async (root, run, block, line, signal) => {
      const section = block.sections.find(
        ({ startLine, endLine }) => line.number >= startLine && line.number <= endLine,
      );
      if (!section) return [];
      const behind = (await sourcesOf(root, run, signal)).find(
        ({ iteration, kind }) => iteration === run.best && kind === section.kind,
      );
      return behind ? linesOf(run, behind, section.startLine === line.number ? '' : line.text) : [];
    },
  };
}

/** The folder of a document, else all that are open. @throws PreflexorError `bad-input` when there is none */
export async function rootsMeant(notes: Notes, uri: string | undefined): Promise<readonly string[]> {
  if (uri?.startsWith('file:')) return [await notes.rootOf(fileURLToPath(uri))];
  if (uri === undefined && notes.folders.length > 0) return notes.folders;
  throw new PreflexorError('bad-input', 'No folder is open.', { remedy: 'Open the folder of your notes.' });
}

/** A passage with its file's address, if its source lies in the folder: it may come out of a file that anybody wrote. */
export function located(root: string, passage: Passage): LocatedPassage {
  const file = path.resolve(root, passage.source);
  const below = path.relative(root, file);
  const isInside = below !== '' && below.split(path.sep)[0] !== '..' && !path.isAbsolute(below);
  return { ...passage, uri: isInside ? pathToFileURL(file).href : null };
}

function joined(
  results: readonly { readonly root: string; readonly result: SearchResult }[],
  k: number,
): FoundPassages {
  const passages = results
    .flatMap(({ root, result }) => result.passages.map((passage) => located(root, passage)))
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
  const best = results.flatMap(({ result }) => (result.best === null ? [] : [result.best]));
  return {
    passages,
    nothingRelevant: results.length > 0 && results.every(({ result }) => result.nothingRelevant),
    best: best.length === 0 ? null : Math.max(...best),
    threshold: Math.min(...results.map(({ result }) => result.threshold), 1),
  };
}

function paragraphOrNull(text: string, offset: number): ReturnType<typeof paragraphAt> | null {
  try {
    return paragraphAt(text, offset);
  } catch (error) {
    if (PreflexorError.is(error)) return null;
    throw error;
  }
}

/** Where a passage is from: `alloys.md › Grain size`, `paper.pdf, page 3`. */
export function placeInWords({ source, heading, page }: Passage): string {
  if (page !== null) return `${source}, page ${page}`;
  return [source, ...heading].join(' › ');
}

/** The passages whose sentence stands on the line, else all of the section. */
function linesOf(run: Run, { passages }: SectionSources, text: string): string[] {
  const line = plain(text.replace(/^[\s>]+/, ''));
  const onLine = passages.filter(({ sentence }) => {
    const wanted = plain(sentence);
    return line !== '' && (line.includes(wanted) || wanted.includes(line));
  });
  const shown = onLine.length > 0 ? onLine : passages;
  const lines = shown.slice(0, hoverPassages).flatMap(({ id }) => {
    const passage = run.passages.find((one) => one.id === id);
    if (!passage) return [];
    const words = shortened(plain(passage.readable ?? passage.text), firstWords);
    return [`• ${placeInWords(passage)}: “${words}”`];
  });
  if (lines.length === 0) return [];
  return [onLine.length > 0 ? 'Behind this line:' : 'Behind this section:', ...lines];
}
