// A blind comparison of two answers to one paragraph: what the ledger keeps of it. Reads; writes nothing.
import { newBlockId } from '../notes/index.ts';
import type { Decision as LedgerEntry } from '../preferences/index.ts';
import type { Run, Settings } from '../protocol/index.ts';
import type { Note } from './reasonInNote.ts';
import { asRecorded } from './recording.ts';

/** The ledger's entry for it; null: nothing is learnt from it, as the writer wishes or as both say the same. */
export async function comparisonEntry(
  note: Note,
  preferred: Run,
  other: Run,
  settings: Pick<Settings, 'preferences.record'>,
  random: () => number,
): Promise<LedgerEntry | null> {
  if (preferred.final.trim() === other.final.trim()) return null;
  const chosen = sectionsOf(preferred);
  const entry = await asRecorded(note, settings, {
    ...{ block: newBlockId(random), run: null, kind: 'compare', iteration: 0 },
    texts: {
      ...{ question: preferred.question, paragraph: preferred.paragraph },
      ...{ thinking: chosen.thinking, reflection: chosen.reflection, offered: chosen.answer },
      ...{ result: null, reason: null },
    },
    ...{ note: preferred.note, provenance: preferred.provenance },
    compared: { ...sectionsOf(other), adapter: other.adapter },
  });
  return entry.recording === 'off' ? null : entry;
}

function sectionsOf(run: Run) {
  const { thinking = '', reflection = '' } = run.iterations[run.best] ?? {};
  return { thinking, reflection, answer: run.final };
}
