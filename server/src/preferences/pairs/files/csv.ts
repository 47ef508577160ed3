// CSV as RFC 4180 has it: every cell quoted on writing; on reading, quoted or not, any line end. A cell that a
// spreadsheet would run as a formula gets an apostrophe before it, which reading takes away again.

const formula = /^'*[=+\-@\t\r]/;

/** One line of a table, with its line end. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${disarmed(cell).replaceAll('"', '""')}"`).join(',')}\r\n`;
}

function disarmed(cell: string): string {
  return formula.test(cell) ? `'${cell}` : cell;
}

function armed(cell: string): string {
  return cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell;
}

export interface CsvRow {
  /** Line on which the row begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** A quotation that is never closed, or text behind one: the row is not to be trusted. */
  readonly broken: boolean;
}

/** Reads a table. Total: any text gives rows. */
export function* csvRows(text: string): Generator<CsvRow> {
  const token = /"((?:[^"]|"")*)("?)([^,\r\n]*)|([^,\r\n]*)/y;
  let line = 1;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    const row = { line, cells: [] as string[], broken: false };
    for (;;) {
      token.lastIndex = at;
      const [whole = '', quoted, close, behind, plain] = token.exec(text) ?? [];
      row.cells.push(armed(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"')));
      if (quoted !== undefined && (close === '' || behind?.trim() !== '')) row.broken = true;
      at += whole.length;
      line += (whole.match(/\r\n|\r|\n/g) ?? []).length;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    line += 1;
    if (row.cells.length > 1 || row.cells[0] !== '') yield row;
  }
}
