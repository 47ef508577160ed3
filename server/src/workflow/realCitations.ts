// A model makes works up. Those that nobody knows are marked in the text that is offered; what the model wrote stays
// in the run's iterations.
import { throwIfCancelled } from '../errors.ts';
import { keysOfNote, markUnknownCitations } from '../notes/index.ts';
import type { ReasonEvent, Run } from '../protocol/index.ts';

/** Passes on what happens, and the finished run as `check` has it. */
export async function* withRealCitations(
  events: AsyncGenerator<ReasonEvent, Run>,
  check: (run: Run) => Promise<Run>,
): AsyncGenerator<ReasonEvent, Run> {
  let checked: Run | null = null;
  try {
    for (;;) {
      const step = await events.next();
      if (step.done) return checked ?? (await check(step.value));
      if (step.value.event === 'finished') checked = await check(step.value.result);
      yield checked && step.value.event === 'finished' ? { ...step.value, result: checked } : step.value;
    }
  } finally {
    // Who stops listening stops the model too.
    await events.return(undefined as never);
  }
}

/**
 * The run with unknown works marked in its final text.
 * @param known keys of the workspace's bibliographies; the note's own keys count as well
 */
export async function checkCitations(
  run: Run,
  note: string,
  known: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Run> {
  throwIfCancelled(signal);
  const own = await keysOfNote(note);
  throwIfCancelled(signal);
  const picked = run.iterations[run.best];
  const { text, unknown } = markUnknownCitations(run.final, known, own);
  const elsewhere = [picked?.thinking ?? '', picked?.reflection ?? ''].flatMap(
    (section) => markUnknownCitations(section, known, own).unknown,
  );
  const all = [...new Set([...unknown, ...elsewhere])];
  return all.length === 0 ? run : { ...run, final: text, unknownCitations: all };
}
