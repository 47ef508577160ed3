// The containers around a paragraph (quotes, list items, footnote definitions): what stands before its text on each
// line, and what a further line needs so as to stay inside.
import type { Node, Parents } from 'mdast';
import { LineCursor } from './lineCursor.ts';
import { lineAt } from './lines.ts';
import { footnoteDefinitionLength } from './lineSyntax.ts';

/** `width`: columns that each further line is indented by. */
export type Container = { readonly kind: 'quote' } | { readonly kind: 'indented'; readonly width: number };

/** Node types that are containers. */
function isContainer(node: Node): boolean {
  return node.type === 'blockquote' || node.type === 'listItem' || node.type === 'footnoteDefinition';
}

/**
 * The containers among a node's ancestors, outermost first.
 * @param base offset in the note of the text that was parsed
 */
export function containersOf(note: string, ancestors: readonly Parents[], base: number): Container[] {
  const containers: Container[] = [];
  let opened: { readonly line: number; readonly column: number } | null = null;
  for (const node of ancestors) {
    const start = node.position?.start.offset;
    if (!isContainer(node) || start === undefined) continue;
    const line = lineAt(note, base + start);
    const cursor = new LineCursor(note);
    cursor.enter(line.start, line.end);
    // A container that begins on the same line as the one around it begins behind that one's marker.
    const outerColumn: number =
      opened?.line === line.start ? opened.column : columnBehind(note, cursor, containers);
    cursor.enter(line.start, line.end);
    const markerColumn = columnAt(note, line.start, base + start);
    const { container, column } = readMarker(note, base + start, line.end, markerColumn, outerColumn);
    containers.push(container);
    opened = { line: line.start, column };
  }
  return containers;
}

function columnBehind(note: string, cursor: LineCursor, containers: readonly Container[]): number {
  takePrefixes(note, cursor, containers);
  return cursor.column;
}

/** Column of an offset in its line. */
function columnAt(note: string, lineStart: number, offset: number): number {
  let column = 0;
  for (let place = lineStart; place < offset; place += 1) {
    column += note[place] === '\t' ? 4 - (column % 4) : 1;
  }
  return column;
}

/** The container whose marker stands at `at`, and the column where its content begins. */
function readMarker(
  note: string,
  at: number,
  end: number,
  markerColumn: number,
  outerColumn: number,
): { container: Container; column: number } {
  const cursor = new LineCursor(note);
  cursor.enter(at, end);
  cursor.column = markerColumn;
  cursor.look();
  if (note[at] === '>') {
    cursor.skipMarker(1);
    cursor.skipColumns(1);
    return { container: { kind: 'quote' }, column: cursor.column };
  }
  const footnote = note[at] === '[' ? footnoteDefinitionLength(note, at, end) : 0;
  if (footnote > 0) {
    return {
      container: { kind: 'indented', width: 4 },
      column: columnAt(note, at, at + footnote) + markerColumn,
    };
  }
  const marker = /^(?:[-+*]|\d{1,9}[.)])/.exec(note.slice(at, at + 10))?.[0] ?? '-';
  cursor.skipMarker(marker.length);
  cursor.look();
  const padding = cursor.blank || cursor.indent > 4 ? 1 : cursor.indent;
  const column = markerColumn + marker.length + padding;
  return { container: { kind: 'indented', width: column - outerColumn }, column };
}

/** Takes the prefixes of these containers from the cursor's line; stops at one that is missing (a lazy line). */
export function takePrefixes(note: string, cursor: LineCursor, containers: readonly Container[]): void {
  for (const container of containers) {
    cursor.look();
    if (container.kind === 'quote') {
      if (cursor.indent > 3 || note[cursor.nonspace] !== '>') return;
      cursor.skipMarker(1);
      cursor.skipColumns(1);
    } else {
      if (cursor.indent < container.width) return;
      cursor.skipColumns(container.width);
    }
  }
}

/** What each further line of text needs in front of it to stay in these containers. */
export function continuationPrefix(containers: readonly Container[]): string {
  return containers
    .map((container) => (container.kind === 'quote' ? '> ' : ' '.repeat(container.width)))
    .join('');
}
