// What is kept of a decision while the writer has recording switched off, by the setting, for the folder or in the note:
// that it was made, so that its block counts as decided, and none of its texts.
import { isFolderOff, recordingAllowed, type Decision as LedgerEntry } from '../preferences/index.ts';
import type { Settings } from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import type { Note } from './reasonInNote.ts';

/** The ledger's entry as the writer lets it be kept. */
export async function asRecorded(
  note: Note,
  settings: Pick<Settings, 'preferences.record'>,
  entry: LedgerEntry,
): Promise<LedgerEntry> {
  const folderOff = await isFolderOff(note.root, relativeNotePath(note.root, note.file));
  if (recordingAllowed(note.text, { record: settings['preferences.record'], folderOff })) return entry;
  const { hunk: _, ...rest } = entry;
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
