// Writes small PDFs with text at given places, so that tests say what a page holds and see what is read.
// Helvetica, Helvetica-Bold and Courier only; nothing is compressed.

export interface PlacedText {
  readonly text: string;
  /** Points from the page's left edge, and from its top to the baseline. */
  readonly x: number;
  readonly y: number;
  /** Font size; 10 when left out. */
  readonly size?: number;
  readonly font?: 'regular' | 'bold' | 'mono';
  /** Turned by 90 degrees, as a stamp in the margin. */
  readonly turned?: boolean;
}

export interface PdfOptions {
  readonly title?: string;
  /** As a file that asks for a password. */
  readonly encrypted?: boolean;
}

export const pageWidth = 600;
export const pageHeight = 800;
const fonts = { regular: 'F1', bold: 'F2', mono: 'F3' };

/** A PDF with these pages, in bytes. */
export function pdfFile(pages: readonly (readonly PlacedText[])[], options: PdfOptions = {}): Uint8Array {
  const pageIds = pages.map((_, index) => 6 + 2 * index);
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${pageIds.map((id) => `${id} 0 R`).join(' ')}] /Count ${pages.length} >>`,
    fontObject('Helvetica'),
    fontObject('Helvetica-Bold'),
    fontObject('Courier'),
    ...pages.flatMap((texts, index) => {
      const content = texts.map(drawn).join('\n');
      const resources = '<< /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >> >>';
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${pageWidth} ${pageHeight}] /Resources ${resources} /Contents ${7 + 2 * index} 0 R >>`,
        `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      ];
    }),
    `<< /Title (${escaped(options.title ?? '')}) >>`,
  ];
  return assemble(objects, options.encrypted ?? false);
}

function fontObject(name: string): string {
  return `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`;
}

function drawn({ text, x, y, size = 10, font = 'regular', turned = false }: PlacedText): string {
  const matrix = turned ? '0 1 -1 0' : '1 0 0 1';
  return `BT /${fonts[font]} ${size} Tf ${matrix} ${x} ${pageHeight - y} Tm (${escaped(text)}) Tj ET`;
}

function escaped(text: string): string {
  return text.replace(/[\\()]/g, '\\$&');
}

function assemble(objects: readonly string[], encrypted: boolean): Uint8Array {
  let file = '%PDF-1.4\n';
  const offsets: number[] = [];
  // Keys that no password fits: what asks for a password does so whatever the key.
  const all = encrypted
    ? [...objects, `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${'41'.repeat(32)}> /U <${'42'.repeat(32)}> >>`]
    : objects;
  for (const [index, object] of all.entries()) {
    offsets.push(file.length);
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const encryption = encrypted ? ` /Encrypt ${all.length} 0 R /ID [<00> <00>]` : '';
  const trailer = `<< /Size ${all.length + 1} /Root 1 0 R /Info ${objects.length} 0 R${encryption} >>`;
  const start = file.length;
  file += `xref\n0 ${all.length + 1}\n0000000000 65535 f \n${table}trailer\n${trailer}\nstartxref\n${start}\n%%EOF\n`;
  return Uint8Array.from(file, (character) => character.charCodeAt(0));
}
