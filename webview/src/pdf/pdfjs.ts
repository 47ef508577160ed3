// pdf.js without a worker of its own: a page's content security policy allows none. The reading half runs on the
// page's thread, which is only asked for one page at a time. The one place that knows pdf.js.
import {
  TextLayer,
  getDocument,
  type PDFDocumentProxy,
  type PDFPageProxy,
  type PageViewport,
} from 'pdfjs-dist/legacy/build/pdf.mjs';
import 'pdfjs-dist/legacy/build/pdf.worker.mjs';

/** A PDF that is open. */
export interface PdfDocument {
  readonly pages: number;
  /** @param number from 1 */
  page(number: number): Promise<PdfPage>;
}

/** A page that can be drawn at any width. */
export interface PdfPage {
  /**
   * Draws it onto the canvas and lays its text, which can be selected and read aloud, into `layer`.
   * @returns the pieces of text, each with the element that shows it
   */
  draw(canvas: HTMLCanvasElement, layer: HTMLElement, width: number): Promise<readonly TextPiece[]>;
}

export interface TextPiece {
  readonly text: string;
  readonly element: HTMLElement;
}

/** @param resources address of character maps and standard fonts, with a slash at its end. @throws for what is no PDF */
export async function openPdf(data: Uint8Array, resources: string): Promise<PdfDocument> {
  const document = await getDocument({
    // The reader takes what it is given for itself.
    data: data.slice(),
    cMapUrl: `${resources}cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${resources}standard_fonts/`,
    useWasm: false,
    enableXfa: false,
    stopAtErrors: false,
    verbosity: 0,
  }).promise;
  return {
    pages: document.numPages,
    page: async (number) => pageOf(document, await document.getPage(number)),
  };
}

function pageOf(_document: PDFDocumentProxy, page: PDFPageProxy): PdfPage {
  return {
    draw: async (canvas, layer, width) => {
      const scale = width / page.getViewport({ scale: 1 }).width;
      const viewport = page.getViewport({ scale });
      await drawPicture(page, viewport, canvas);
      return await layText(page, viewport, layer);
    },
  };
}

async function drawPicture(
  page: PDFPageProxy,
  viewport: PageViewport,
  canvas: HTMLCanvasElement,
): Promise<void> {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.floor(viewport.width * ratio);
  canvas.height = Math.floor(viewport.height * ratio);
  canvas.style.width = `${Math.floor(viewport.width)}px`;
  canvas.style.height = `${Math.floor(viewport.height)}px`;
  await page.render({ canvas, viewport, transform: [ratio, 0, 0, ratio, 0, 0] }).promise;
}

async function layText(
  page: PDFPageProxy,
  viewport: PageViewport,
  layer: HTMLElement,
): Promise<readonly TextPiece[]> {
  layer.replaceChildren();
  layer.style.setProperty('--total-scale-factor', String(viewport.scale));
  const text = new TextLayer({
    textContentSource: await page.getTextContent(),
    container: layer,
    viewport,
  });
  await text.render();
  return text.textDivs.map((element, index) => ({ text: text.textContentItemsStr[index] ?? '', element }));
}
