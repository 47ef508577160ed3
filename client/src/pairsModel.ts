// What the Preference Pairs view shows, as a tree of plain nodes, and what waits for the writer. Pure; every text in it
// is plain text.
import {
  pairSignalNames,
  type PairCounts,
  type PairFilter,
  type PairProblemCode,
} from '../../server/src/protocol/index.ts';

export interface PairNode {
  /** The same for the same thing, so that the view keeps what is open. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** A codicon's name. */
  readonly icon: string;
  /** What a press shows on the board. */
  readonly filter: PairFilter;
  readonly children: readonly PairNode[];
}

const findings: Record<PairProblemCode, string> = {
  'too-close': 'Too close to learn from',
  'too-far': 'Too far apart',
  'length-bias': 'Length bias',
  contradiction: 'Contradictions',
  duplicate: 'Duplicates',
  'near-duplicate': 'Near-duplicates',
  leakage: 'Leakage into what is held out',
  truncated: 'Too long for the model',
  'personal-data': 'Personal data',
  language: 'Another language',
  'no-held-out': 'Nothing held out',
};

/** The whole tree; empty where there are no pairs, so that the view's welcome is seen. */
export function pairNodes(counts: PairCounts | null): PairNode[] {
  if (!counts || counts.all === 0) return [];
  const waiting = node('waiting', 'Waiting for review', counts.waiting, 'eye', { state: 'waiting' });
  const kept = node('kept', 'In training', counts.kept, 'check-all', { state: 'kept' });
  return [
    {
      ...waiting,
      children:
        counts.waiting === 0
          ? []
          : counts.findings.map(({ name, count }) =>
              node(`waiting/${name}`, findings[name], count, 'warning', { state: 'kept', findings: [name] }),
            ),
    },
    {
      ...kept,
      children: counts.signals.map(({ name, count }) =>
        node(`kept/${name}`, pairSignalNames[name], count, 'dash', { state: 'kept', signals: [name] }),
      ),
    },
    node('excluded', 'Excluded', counts.excluded, 'circle-slash', { state: 'excluded' }),
    node('curated', 'Changed by you', counts.curated, 'edit', { state: 'curated' }),
    ...counts.tags.map(({ name, count }) =>
      node(`tag/${name}`, name, count, 'tag', { state: 'all', tag: name }),
    ),
  ].filter(({ id, description }) => id === 'kept' || description !== '0');
}

function node(id: string, label: string, count: number, icon: string, filter: PairFilter): PairNode {
  return { id, label, description: count.toLocaleString('en'), icon, filter, children: [] };
}

/** What the view's badge says; null: nothing waits. */
export function waitingBadge(counts: PairCounts | null): { value: number; tooltip: string } | null {
  const value = counts?.waiting ?? 0;
  if (value === 0) return null;
  const what = value === 1 ? '1 preference pair waits' : `${value} preference pairs wait`;
  return { value, tooltip: `${what} for review` };
}
