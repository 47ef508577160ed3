// What the Queue view shows: one line for each run that goes on or waits, in the order of their turns. Pure; every
// text in it is plain text.
import type { QueueEntry, QueuePriority } from '../../server/src/protocol/index.ts';

export interface QueueNode {
  /** The entry's. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly tooltip: string;
  /** A codicon's name. */
  readonly icon: string;
  readonly state: QueueEntry['state'];
}

const longestLabel = 80;
const longestTooltip = 1200;

const askedFor: Record<QueuePriority, string> = {
  paragraph: 'asked for by hand',
  section: 'with its section',
  note: 'with the whole note',
};
const states: Record<QueueEntry['state'], string> = {
  running: 'goes on now',
  waiting: 'waits for its turn',
  held: 'waits until its note is open again',
};
const icons: Record<QueueEntry['state'], string> = {
  running: 'sync~spin',
  waiting: 'circle-outline',
  held: 'debug-pause',
};

export function queueNodes(entries: readonly QueueEntry[]): QueueNode[] {
  const notes = new Set(entries.map(({ uri }) => uri));
  return entries.map(({ id, uri, paragraph, priority, state }) => {
    const text = paragraph.replace(/\s+/g, ' ').trim() || 'A run that is written anew or goes on';
    const name = decodeURIComponent(uri.split('/').at(-1) ?? '');
    return {
      ...{ id, state },
      label: shortened(text, longestLabel),
      description: [state === 'waiting' ? '' : states[state], notes.size > 1 ? name : '']
        .filter((part) => part !== '')
        .join(' · '),
      tooltip: `${name}: ${states[state]}, ${askedFor[priority]}\n\n${shortened(text, longestTooltip)}`,
      icon: icons[state],
    };
  });
}

/** How many wait, for the badge: what goes on is seen elsewhere. */
export function waitingCount(entries: readonly QueueEntry[]): number {
  return waitingIds(entries).length;
}

/**
 * In front of which entry a waiting one stands after it has gone up or down by one: its id, null for none. undefined:
 * it can't go there.
 */
export function neighbour(
  entries: readonly QueueEntry[],
  id: string,
  step: 1 | -1,
): string | null | undefined {
  const waiting = waitingIds(entries);
  const at = waiting.indexOf(id);
  const place = at + step;
  if (at < 0 || place < 0 || place >= waiting.length) return undefined;
  return (step < 0 ? waiting[place] : waiting[place + 1]) ?? null;
}

/**
 * In front of which entry others stand that are dropped on `target`; null: behind all.
 * @param target undefined: they are dropped below the list
 */
export function dropPlace(
  entries: readonly QueueEntry[],
  dragged: readonly string[],
  target: string | undefined,
): string | null {
  const waiting = waitingIds(entries);
  // Dropped on what goes on: it can't be overtaken any more.
  const at = target === undefined ? waiting.length : Math.max(0, waiting.indexOf(target));
  return waiting.slice(at).find((id) => !dragged.includes(id)) ?? null;
}

function waitingIds(entries: readonly QueueEntry[]): string[] {
  return entries.filter(({ state }) => state !== 'running').map(({ id }) => id);
}

function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
