// A writer's decision on an annotation: the edit that carries it out and the line that the ledger keeps.
import { decideEdits, relocate, stripBlocks, readBlocks } from '../notes/index.ts';
import { PreflexorError } from '../errors.ts';
import type { Appended, Decision as LedgerEntry } from '../preferences/index.ts';
import type { DecisionTexts, Run, Settings, TextEdit } from '../protocol/index.ts';
import { noteHash, relativeNotePath } from '../state/index.ts';
import { runOfBlock, type Note } from './reasonInNote.ts';
import type { Stores } from './stores.ts';

export type DecidableKind = 'accept' | 'accept-edited' | 'reject' | 'regenerate';

export interface Decision {
  readonly block: string;
  readonly as: DecidableKind;
  /** The writer's own words on why. */
  readonly reason?: string | undefined;
}

export interface PlannedDecision {
  readonly edits: TextEdit[];
  readonly entry: LedgerEntry;
}

/**
 * Works out what a decision changes and what is recorded. Nothing is written here.
 * `accept-edited` without an edit is an `accept`: what the writer left standing is what the model wrote.
 * @throws PreflexorError `unknown-block`, `note-changed` (the paragraph can't be told), `bad-input`
 */
export async function planDecision(
  note: Note,
  decision: Decision,
  settings: Settings,
  stores: Stores,
): Promise<PlannedDecision> {
  const block = readBlocks(note.text).blocks.find(({ id }) => id === decision.block);
  const run = await runOfBlock(stores, note.root, decision.block);
  if (!block && !run) {
    throw new PreflexorError('unknown-block', `This note has no annotation ${decision.block}.`, {
      remedy: 'It may have been removed already; undo brings it back.',
    });
  }
  const section = (kind: 'thinking' | 'reflection' | 'answer'): string =>
    block?.sections.find((candidate) => candidate.kind === kind)?.text ?? '';
  const present = section('answer');
  const offered = run?.final ?? present;
  const edited = block !== undefined && present !== offered;
  const as = decision.as === 'accept-edited' && !edited ? 'accept' : decision.as;

  const change = block
    ? inNote(note, block.id, as, offered, run, settings)
    : fromSidebar(note, as, run, settings);
  const iteration = run?.iterations[run.best];
  const texts: DecisionTexts = {
    question: run?.question ?? '',
    paragraph: change.paragraph,
    thinking: iteration?.thinking ?? section('thinking'),
    reflection: iteration?.reflection ?? section('reflection'),
    offered,
    result: change.result,
    reason: decision.reason?.trim() ? decision.reason.trim() : null,
  };
  return {
    edits: change.edits,
    entry: {
      block: decision.block,
      run: run?.id ?? null,
      kind: as,
      iteration: run?.best ?? 0,
      texts,
      note: {
        path: relativeNotePath(note.root, note.file),
        hash: noteHash(note.text),
        range: block ? { start: block.start, end: block.end } : change.range,
      },
      provenance: run?.provenance ?? null,
    },
  };
}

interface Change {
  readonly edits: TextEdit[];
  readonly paragraph: string;
  readonly result: string | null;
  readonly range: { readonly start: number; readonly end: number };
}

function inNote(
  note: Note,
  block: string,
  as: DecidableKind,
  answer: string,
  run: Run | null,
  settings: Settings,
): Change {
  const range = { start: 0, end: 0 };
  if (as === 'reject' || as === 'regenerate') {
    const { edits } = stripBlocks(note.text, [block]);
    return { edits, paragraph: run?.paragraph ?? '', result: null, range };
  }
  const paragraph = run ? { text: run.paragraph, start: run.note.range.start } : undefined;
  const placement = settings['annotations.acceptedText'];
  const options = { answer, placement, ...(paragraph && { paragraph }) };
  return { ...decideEdits(note.text, block, as, options), range };
}

/** A decision on a run whose block is not in the note: storage `sidecar`, or the paragraph had changed. */
function fromSidebar(note: Note, as: DecidableKind, run: Run | null, settings: Settings): Change {
  if (!run) throw new PreflexorError('unknown-run', 'The run of this suggestion is not stored here.');
  const { range } = run.note;
  if (as === 'reject' || as === 'regenerate')
    return { edits: [], paragraph: run.paragraph, result: null, range };
  const place = relocate(note.text, { text: run.paragraph, start: range.start });
  if (!place) {
    throw new PreflexorError(
      'note-changed',
      'The paragraph of this suggestion is no longer in the note as it was.',
      {
        remedy: 'Copy what you need from the Iterations view, or reason about the paragraph again.',
      },
    );
  }
  const lineEnd = note.text.includes('\r\n') ? '\r\n' : '\n';
  const text = run.final.split('\n').join(lineEnd + place.continuationPrefix);
  const gap = lineEnd + place.continuationPrefix.trimEnd() + lineEnd + place.continuationPrefix;
  const after = settings['annotations.acceptedText'] === 'after';
  const edit = after
    ? { start: place.end, end: place.end, text: gap + text }
    : { start: place.start, end: place.end, text };
  return {
    edits: [edit],
    paragraph: run.paragraph,
    result: run.final,
    range: { start: place.start, end: place.end },
  };
}

/**
 * Appends a decision to the ledger of the note's workspace.
 * @returns the record, and a warning when it had to be put elsewhere for now
 * @throws PreflexorError `ledger-failed` when it could be written nowhere
 */
export async function recordDecision(stores: Stores, root: string, entry: LedgerEntry): Promise<Appended> {
  return await (await stores.ledger(root)).append(entry);
}
