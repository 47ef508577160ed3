// Containers as the line scanner sees them: how one begins at a line's cursor, and whether it goes on in a line.
import type { LineCursor } from './lineCursor.ts';
import { footnoteDefinitionLength, listMarkerLength } from './lineSyntax.ts';

/** A container that is open. `width`: columns that a further line must be indented by (quotes: not used). */
export interface OpenContainer {
  readonly kind: 'quote' | 'item' | 'footnote';
  readonly width: number;
  readonly markerLength: number;
  /** An item that began with an empty line: it must go on at the next one. */
  fresh: boolean;
}

/** Whether the container goes on at the cursor, where `look()` was called; takes its prefix if it does. */
export function continuesContainer(container: OpenContainer, note: string, cursor: LineCursor): boolean {
  if (container.kind === 'quote') {
    if (cursor.blank || cursor.indent > 3 || note[cursor.nonspace] !== '>') return false;
    cursor.skipMarker(1);
    cursor.skipColumns(1);
    return true;
  }
  if (cursor.blank) return !container.fresh;
  if (cursor.indent < container.width) return false;
  cursor.skipColumns(container.width);
  container.fresh = false;
  return true;
}

/**
 * The container that begins at the cursor, its marker taken, or null.
 * @param interrupts the line would otherwise go on with a paragraph (see `listMarkerLength`)
 */
export function newContainer(note: string, cursor: LineCursor, interrupts: boolean): OpenContainer | null {
  const at = cursor.nonspace;
  if (note[at] === '>') {
    cursor.skipMarker(1);
    cursor.skipColumns(1);
    cursor.look();
    return { kind: 'quote', width: 0, markerLength: 1, fresh: false };
  }
  if (note[at] === '[') return newFootnote(note, cursor);
  const length = listMarkerLength(note, at, cursor.end, interrupts);
  return length === 0 ? null : newItem(cursor, length);
}

function newFootnote(note: string, cursor: LineCursor): OpenContainer | null {
  const at = cursor.nonspace;
  const length = footnoteDefinitionLength(note, at, cursor.end);
  if (length === 0) return null;
  const markerLength = note.slice(at, at + length).trimEnd().length;
  cursor.skipMarker(markerLength);
  cursor.look();
  cursor.skipColumns(cursor.indent);
  cursor.look();
  return { kind: 'footnote', width: 4, markerLength, fresh: false };
}

function newItem(cursor: LineCursor, markerLength: number): OpenContainer {
  const before = cursor.indent + markerLength;
  cursor.skipMarker(markerLength);
  cursor.look();
  if (cursor.blank) return { kind: 'item', width: before + 1, markerLength, fresh: true };
  const padding = cursor.indent > 4 ? 1 : cursor.indent;
  cursor.skipColumns(padding);
  cursor.look();
  return { kind: 'item', width: before + padding, markerLength, fresh: false };
}
