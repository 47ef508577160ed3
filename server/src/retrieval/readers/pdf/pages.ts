// Gets the text of a PDF's pages, piece by piece with places, out of pdf.js. The one file that knows that library.
// No network, no rendering, no scripts: only text.
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cancelled, throwIfCancelled } from '../../../errors.ts';
import type { Refusal } from '../../ports.ts';
import { cleanText } from './characters.ts';

/** A stretch of text as the PDF draws it. Points from the page's top left corner, y downwards to its baseline. */
export interface Piece {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Font size. */
  readonly size: number;
  /** Name of the font within the document; the same font has the same name on all pages. */
  readonly font: string;
}

export interface Page {
  /** From 1. */
  readonly number: number;
  readonly width: number;
  readonly height: number;
  readonly pieces: readonly Piece[];
}

export interface OutlineEntry {
  readonly title: string;
  /** From 1. */
  readonly level: number;
}

export interface PdfText {
  readonly title: string | null;
  readonly outline: readonly OutlineEntry[];
  readonly pages: readonly Page[];
}

const mostPages = 5000;
const mostOutlineEntries = 5000;
/** A page with more pieces than this is a drawing made of letters. */
const mostPieces = 50_000;

type Library = typeof import('pdfjs-dist/legacy/build/pdf.mjs');
type Loading = ReturnType<Library['getDocument']>;
type Document = Awaited<Loading['promise']>;

/**
 * The text of all pages, or why there is none. A page that can't be read is empty.
 * @param pace called between pages
 * @throws PreflexorError `cancelled`
 */
export async function readPages(
  bytes: Uint8Array,
  pace: () => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<PdfText | { readonly refusal: Refusal }> {
  const library = await import('pdfjs-dist/legacy/build/pdf.mjs');
  throwIfCancelled(signal);
  const loading = library.getDocument(parametersFor(bytes));
  const stop = (): void => void loading.destroy();
  signal.addEventListener('abort', stop);
  try {
    const document = await loading.promise;
    if (document.numPages > mostPages) {
      const reason = `It has ${document.numPages} pages, more than the limit of ${mostPages}.`;
      return { refusal: { code: 'too-large', reason } };
    }
    const title = await titleOf(document);
    const outline = await outlineOf(document);
    const pages: Page[] = [];
    for (let number = 1; number <= document.numPages; number += 1) {
      throwIfCancelled(signal);
      await pace();
      pages.push(await readPage(library, document, number));
    }
    return { title, outline, pages };
  } catch (error) {
    if (signal.aborted) throw cancelled();
    return { refusal: refusalFor(error) };
  } finally {
    signal.removeEventListener('abort', stop);
    await loading.destroy();
  }
}

function parametersFor(bytes: Uint8Array): Parameters<Library['getDocument']>[0] {
  // Not `createRequire`: the bundle's banner declares that name.
  const folder = dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json')));
  return {
    // The library takes the buffer over.
    data: new Uint8Array(bytes),
    cMapUrl: join(folder, 'cmaps') + sep,
    standardFontDataUrl: join(folder, 'standard_fonts') + sep,
    useSystemFonts: false,
    disableFontFace: true,
    useWasm: false,
    useWorkerFetch: false,
    enableXfa: false,
    verbosity: 0,
  };
}

function refusalFor(error: unknown): Refusal {
  const name = error instanceof Error ? error.name : '';
  return name === 'PasswordException'
    ? { code: 'encrypted', reason: 'It is encrypted and needs a password.' }
    : { code: 'damaged', reason: 'It is no PDF that can be read: the file is damaged.' };
}

async function titleOf(document: Document): Promise<string | null> {
  try {
    const { info } = await document.getMetadata();
    const title: unknown = 'Title' in info ? info.Title : null;
    return typeof title === 'string' ? title : null;
  } catch {
    return null;
  }
}

async function outlineOf(document: Document): Promise<OutlineEntry[]> {
  const found: OutlineEntry[] = [];
  try {
    type Items = Awaited<ReturnType<Document['getOutline']>>;
    const open = (((await document.getOutline()) as Items | null) ?? [])
      .map((item) => ({ item, level: 1 }))
      .reverse();
    for (let next = open.pop(); next && found.length < mostOutlineEntries; next = open.pop()) {
      const { item, level } = next;
      found.push({ title: item.title, level });
      const below = item.items as Items;
      for (const child of below.toReversed()) open.push({ item: child, level: level + 1 });
    }
  } catch {
    // A damaged outline is as good as none.
  }
  return found;
}

async function readPage(library: Library, document: Document, number: number): Promise<Page> {
  try {
    const page = await document.getPage(number);
    const viewport = page.getViewport({ scale: 1 });
    const content = await page.getTextContent();
    const pieces: (Piece & { readonly angle: number })[] = [];
    for (const item of content.items) {
      if (!('str' in item) || pieces.length >= mostPieces) continue;
      const text = cleanText(item.str);
      if (text.trim() === '') continue;
      const matrix = library.Util.transform(viewport.transform, item.transform as number[]) as number[];
      const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = matrix;
      const size = Math.hypot(c, d);
      const angle = Math.round((Math.atan2(b, a) * 2) / Math.PI);
      if ([size, x, y, item.width].every(Number.isFinite) && size > 0)
        pieces.push({ text, x, y, width: item.width, size, font: item.fontName, angle });
    }
    page.cleanup();
    return { number, ...upright(pieces, viewport.width, viewport.height) };
  } catch {
    return { number, width: 1, height: 1, pieces: [] };
  }
}

/** The pieces in the direction that most of the page is written in, turned upright; others are margin notes. */
function upright(
  pieces: readonly (Piece & { readonly angle: number })[],
  width: number,
  height: number,
): Omit<Page, 'number'> {
  const letters = new Map<number, number>();
  for (const { angle, text } of pieces) letters.set(angle, (letters.get(angle) ?? 0) + text.length);
  const [main = 0] = [...letters].sort((a, b) => b[1] - a[1])[0] ?? [];
  const kept = pieces.filter(({ angle }) => angle === main);
  if (main === 1)
    return { width: height, height: width, pieces: turned(kept, ({ x, y }) => ({ x: y, y: width - x })) };
  if (main === -1)
    return { width: height, height: width, pieces: turned(kept, ({ x, y }) => ({ x: height - y, y: x })) };
  return { width, height, pieces: kept };
}

function turned(pieces: readonly Piece[], turn: (place: Piece) => { x: number; y: number }): Piece[] {
  return pieces.map((piece) => ({ ...piece, ...turn(piece) }));
}
