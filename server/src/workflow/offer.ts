// From a stored run to the edit that shows it in the note.
import {
  insertBlock,
  joinEdits,
  markCitations,
  relocate,
  stripBlocks,
  type Paragraph,
} from '../notes/index.ts';
import type { Run, TextEdit } from '../protocol/index.ts';

/** Where a finished run goes: an edit of the note, or the reason why there is none. */
export type Offer = { readonly edits: TextEdit[]; readonly block: string } | { readonly reason: string };

/**
 * The edit that inserts the run's block below its paragraph, wherever that is by now.
 * @param text the note's present text: it may have changed since the run began
 * @param replaces a block to be removed in the same edit
 */
export function offer(text: string, run: Run, replaces?: string): Offer {
  const place = relocate(text, { text: run.paragraph, start: run.note.range.start });
  if (!place) {
    return {
      reason: 'The paragraph was changed meanwhile, so the suggestion is kept in the Iterations view only.',
    };
  }
  return { edits: offerAt(text, place, run, replaces), block: run.block };
}

/** The edits that insert the run's block at `place`, and remove another one. */
export function offerAt(
  text: string,
  place: Pick<Paragraph, 'insertAt'>,
  run: Run,
  replaces?: string,
): TextEdit[] {
  // A block that is gone by now leaves nothing to be removed.
  const removal = replaces === undefined ? [] : stripBlocks(text, [replaces]).edits;
  const iteration = run.iterations[run.best];
  const last = run.iterations.length - 1;
  const unknown = new Set(run.unknownCitations);
  const real = (section = ''): string => markCitations(section, (key) => unknown.has(key)).text;
  const insertion = insertBlock(text, place.insertAt, {
    id: run.block,
    thinking: real(iteration?.thinking),
    reflection: real(iteration?.reflection),
    answer: run.final,
    iteration: run.best,
    of: last,
    model: run.model,
    ...(isIntegrated(run) && { integrates: { from: 0, to: last } }),
  });
  return joinEdits([insertion, ...removal]);
}

/** Whether the final text was made of several answers. */
function isIntegrated({ iterations, best, final, steps, picked }: Run): boolean {
  return (
    !picked && final !== iterations[best]?.answer && (steps ?? []).some(({ name }) => name === 'integration')
  );
}
