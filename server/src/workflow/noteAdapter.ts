// Which adapter a note is to be reasoned about with, by the setting `adapters.forNotes`. Pure.
import picomatch from 'picomatch';
import { frontMatterEnd } from '../notes/index.ts';
import type { Settings } from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import type { Note } from './reasonInNote.ts';

/** An adapter's id, or `base` for none; null: the one that is in use. The first rule that fits counts. */
export function adapterForNote(note: Note, rules: Settings['adapters.forNotes']): string | null {
  if (rules.length === 0) return null;
  const path = relativeNotePath(note.root, note.file);
  const kind = kindOf(note.text);
  const fitting = rules.find(({ files, kind: wanted }) => {
    if (files === undefined && wanted === undefined) return false;
    const isThere = files === undefined || picomatch.isMatch(path, files, { dot: true });
    return isThere && (wanted === undefined || wanted === kind);
  });
  return fitting?.adapter ?? null;
}

/** `kind: essay` or `type: essay` in the front matter; null: it does not say. */
function kindOf(text: string): string | null {
  const head = text.slice(0, frontMatterEnd(text));
  return /^(?:kind|type):[ \t]*(["']?)(.+?)\1[ \t]*$/m.exec(head)?.[2] ?? null;
}
