// What is kept of a decision while the writer has recording switched off, by the setting, for the folder or in the note:
// that it was made, so that its block counts as decided, and none of its texts.
import {
  isFolderOff,
  recordingAllowed,
  type Decision as LedgerEntry,
  type Together,
} from '../preferences/index.ts';
import type { Settings } from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import type { Note } from './reasonInNote.ts';

/** The same for entries that are kept together. */
export async function allAsRecorded(
  note: Note,
  settings: Pick<Settings, 'preferences.record'>,
  [first, ...others]: Together<LedgerEntry>,
): Promise<Together<LedgerEntry>> {
  const rest = others.map((entry) => asRecorded(note, settings, entry));
  return [await asRecorded(note, settings, first), ...(await Promise.all(rest))];
}

/** The ledger's entry as the writer lets it be kept. */
export async function asRecorded(
  note: Note,
  settings: Pick<Settings, 'preferences.record'>,
  entry: LedgerEntry,
): Promise<LedgerEntry> {
  const folderOff = await isFolderOff(note.root, relativeNotePath(note.root, note.file));
  if (recordingAllowed(note.text, { record: settings['preferences.record'], folderOff })) return entry;
  const { hunk: _hunk, compared: _compared, ...rest } = entry;
  return {
    ...rest,
    texts: {
      ...{ question: '', paragraph: '', thinking: '', reflection: '', offered: '' },
      ...{ result: null, reason: null },
    },
    provenance: null,
    recording: 'off',
  };
}
