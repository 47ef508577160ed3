// Reads a PDF into blocks: pages to lines, lines to columns, columns to paragraphs, paragraphs to one running text.
import { basename } from 'node:path/posix';
import type { ReadResult, SourceDocument } from '../../ports.ts';
import { BlockCollector } from '../blockCollector.ts';
import type { Pace } from '../../pace.ts';
import { refused } from '../refusals.ts';
import { columnsOf } from './columns.ts';
import { flowOf, readableParagraph, Vocabulary } from './flow.ts';
import { withoutFurniture } from './furniture.ts';
import { linesOf } from './lines.ts';
import { readPages } from './pages.ts';
import type { PdfText } from './pages.ts';
import { levelHeadings } from './headings.ts';
import { paragraphsOf } from './paragraphs.ts';
import { typographyOf } from './typography.ts';
import type { Paragraph } from './paragraphs.ts';

/** Titles that programs put in by themselves. */
const noTitle =
  /^(?:untitled|microsoft word\b.*|powerpoint.*|.*\.(?:docx?|pdf|tex|dvi|indd|qxd|rtf|odt|html?)|\W*|about:blank)$/i;

/**
 * Reads a PDF. Running headers, footers and page numbers are no part of its text; what is rotated against the page
 * is left out. Refusals: `encrypted`, `damaged`, `no-text` (scanned), `too-large` (pages).
 * @throws PreflexorError `cancelled`
 */
export async function readPdf(
  path: string,
  bytes: Uint8Array,
  { pace, signal }: { readonly pace: Pace; readonly signal: AbortSignal },
): Promise<ReadResult> {
  const read = await readPages(bytes, pace, signal);
  if ('refusal' in read) return read;
  const document = await toDocument(path, read, pace);
  if (document.blocks.length > 0) return { document };
  return refused('no-text', 'Its pages hold no text: it may be a scan, which text recognition could mend.');
}

async function toDocument(path: string, pdf: PdfText, pace: Pace): Promise<SourceDocument> {
  const lines = [];
  for (const page of pdf.pages) {
    await pace();
    lines.push({ number: page.number, height: page.height, lines: linesOf(page) });
  }
  const body = withoutFurniture(lines);
  const typography = typographyOf(pdf.pages, body.flat(), pdf.outline);
  const pages: Paragraph[][] = [];
  for (const page of body) {
    await pace();
    pages.push(paragraphsOf(columnsOf(page), typography));
  }
  const { text, paragraphs } = flowOf(levelHeadings(pages));
  const vocabulary = new Vocabulary(body.flat().map((line) => line.text));
  const collector = new BlockCollector();
  for (const paragraph of paragraphs) {
    await pace();
    const readable = readableParagraph(paragraph, text, vocabulary);
    const block = {
      source: path,
      readable,
      start: paragraph.lines[0]?.start ?? 0,
      end: paragraph.lines.at(-1)?.end ?? 0,
      page: paragraph.page,
    };
    if (paragraph.kind === 'heading') collector.addHeading(paragraph.level, block);
    else collector.add({ ...block, kind: paragraph.kind === 'float' ? 'paragraph' : paragraph.kind });
  }
  const title = pdf.title?.trim() ?? '';
  const fallback = typography.title.trim() || basename(path).replace(/\.[^.]*$/, '');
  return {
    path,
    kind: 'pdf',
    title: noTitle.test(title) ? fallback : title,
    tags: [],
    blocks: collector.blocks,
    texts: { [path]: text },
    dependencies: [],
    defines: [],
  };
}
