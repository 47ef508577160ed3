// Reads one file into blocks with exact places, or says why not. Chooses the reader; knows no format itself.
import { extname } from 'node:path/posix';
import { throwIfCancelled } from '../../errors.ts';
import type { DocumentKind } from '../../protocol/index.ts';
import type { ReadOther, ReadResult, SourceDocument } from '../ports.ts';
import { readBibtex } from './bibtex.ts';
import { BlockCollector } from './blockCollector.ts';
import { decodeText } from './decodeText.ts';
import { readHtml } from './html.ts';
import { readLatex } from './latex/reader.ts';
import { readMarkdown } from './markdown.ts';
import { newPace } from '../pace.ts';
import type { Pace } from '../pace.ts';
import { readPdf } from './pdf/reader.ts';
import { readPlainText } from './plainText.ts';
import { refused, sizeText } from './refusals.ts';

/** Part of an index's identity: with other readers, offsets and readable texts are others. */
export const readerVersion = 'readers-1';

const kinds: ReadonlyMap<string, DocumentKind> = new Map([
  ['.md', 'markdown'],
  ['.markdown', 'markdown'],
  ['.tex', 'latex'],
  ['.pdf', 'pdf'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.txt', 'text'],
  ['.bib', 'bibtex'],
]);

/** The kind of document that a path names by its extension, or null where no reader takes it. */
export function documentKindOf(path: string): DocumentKind | null {
  return kinds.get(extname(path).toLowerCase()) ?? null;
}

export interface ReadOptions {
  readonly readOther: ReadOther;
  /** Larger files are refused, `\input` ones left out. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a file. Every block's `[start, end)` gives its very text, in `document.texts[block.source]`: the file decoded
 * (`decodeText` says how; a byte order mark is left out), for a PDF its pages' text joined by form feeds.
 * @param path relative to the workspace, forward slashes
 * @throws PreflexorError `cancelled`; whatever `readOther` throws. A bad file is a refusal, never an exception.
 */
export async function readDocument(
  path: string,
  bytes: Uint8Array,
  options: ReadOptions,
): Promise<ReadResult> {
  const { maxBytes, signal } = options;
  throwIfCancelled(signal);
  const kind = documentKindOf(path);
  if (kind === null) return refused('unknown-kind', 'No reader takes files of this kind.');
  if (bytes.length > maxBytes) {
    return refused(
      'too-large',
      `It is ${sizeText(bytes.length)}, more than the limit of ${sizeText(maxBytes)}.`,
    );
  }
  const pace = newPace(signal);
  if (kind === 'pdf') return readPdf(path, bytes, { pace, signal });
  const decoded = decodeText(bytes);
  if ('refusal' in decoded) return decoded;
  const document = await readText(kind, path, decoded.text, { ...options, pace });
  throwIfCancelled(signal);
  if (document.blocks.length === 0) return refused('empty', 'There is nothing to read in it.');
  return { document };
}

async function readText(
  kind: Exclude<DocumentKind, 'pdf'>,
  path: string,
  text: string,
  options: ReadOptions & { readonly pace: Pace },
): Promise<SourceDocument> {
  switch (kind) {
    case 'markdown':
      return readMarkdown(path, text, options.pace);
    case 'latex':
      return readLatex(path, text, options);
    case 'html':
      return readHtml(path, text);
    case 'bibtex':
      return readBibtex(path, text);
    case 'text':
      return readTextFile(path, text, options.pace);
  }
}

async function readTextFile(path: string, text: string, pace: Pace): Promise<SourceDocument> {
  const collector = new BlockCollector();
  await readPlainText(collector, path, text, pace);
  const heading = collector.blocks.find(({ kind }) => kind === 'heading');
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return {
    path,
    kind: 'text',
    title: heading?.readable ?? name,
    tags: [],
    blocks: collector.blocks,
    texts: { [path]: text },
    dependencies: [],
    defines: [],
  };
}
