// What the Iterations view knows: the last snapshot, and the text that came after it. Pure.
import type {
  IterationsToView,
  RunEntry,
  RunSnapshot,
  SectionSnapshot,
} from '../../../server/src/protocol/index.ts';

export interface ViewState {
  readonly note: string | null;
  readonly current: RunSnapshot | null;
  readonly entries: readonly RunEntry[];
  /** How many pieces of text have come since the snapshot. */
  readonly sequence: number;
  /** When the snapshot came, in milliseconds: a section that is being written has its time counted on from there. */
  readonly receivedAt: number;
}

export const nothingYet: ViewState = { note: null, current: null, entries: [], sequence: 0, receivedAt: 0 };

/** Takes in a message. null: something was missed, and a snapshot has to be asked for. */
export function received(state: ViewState, message: IterationsToView, now: number): ViewState | null {
  if (message.type === 'snapshot') {
    const { note, current, entries } = message;
    return { note, current, entries, sequence: 0, receivedAt: now };
  }
  const { current, sequence } = state;
  if (current?.key !== message.key || message.seq !== sequence + 1) return null;
  const iteration = current.iterations.find(({ index }) => index === message.iteration);
  const open = iteration?.sections.at(-1);
  if (!iteration || !open || open.done || open.kind !== message.kind) return null;
  const sections = [...iteration.sections.slice(0, -1), { ...open, text: open.text + message.text }];
  const iterations = current.iterations.map((one) => (one === iteration ? { ...one, sections } : one));
  return { ...state, current: { ...current, iterations }, sequence: message.seq };
}

/** Whether the run goes on. */
export function isActive(run: RunSnapshot): boolean {
  return run.state === 'waiting' || run.state === 'running';
}

/** The section that is being written, if any. */
export function openSection(run: RunSnapshot): SectionSnapshot | null {
  if (run.state !== 'running') return null;
  const last = run.iterations.at(-1)?.sections.at(-1);
  return last && !last.done ? last : null;
}

/**
 * Whether a section stands open when the writer has not said: what is being written and the answers are open,
 * thinking and reflection fold themselves when they are done. What was stopped stays open where it was stopped.
 */
export function opensByItself(run: RunSnapshot, iteration: number, section: number): boolean {
  const sections = run.iterations[iteration]?.sections ?? [];
  const one = sections[section];
  if (!one) return false;
  if (one.kind === 'answer' || !one.done) return true;
  const unfinished = run.state === 'stopped' || run.state === 'failed';
  return unfinished && iteration === run.iterations.length - 1 && section === sections.length - 1;
}

/** With several iterations, the one that is used stands open, and before there is one the last. */
export function iterationOpensByItself(run: RunSnapshot, iteration: number): boolean {
  const used = run.picked ?? run.best;
  const shown =
    used === null ? run.iterations.length - 1 : run.iterations.findIndex(({ index }) => index === used);
  return iteration === shown || iteration === run.iterations.length - 1;
}
