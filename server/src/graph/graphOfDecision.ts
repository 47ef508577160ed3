// What a decision of the writer says: an accepted answer belongs to the note.
import type { DecisionKind, LedgerRecord } from '../protocol/index.ts';
import { answerId, labelOf } from './identifiers.ts';
import { PartBuilder } from './partBuilder.ts';
import type { GraphPart } from './ports.ts';

const accepting: ReadonlySet<DecisionKind> = new Set(['accept', 'accept-edited']);

/** The graph of one ledger record: empty unless it accepts the answer of a known run. */
export function graphOfDecision(record: LedgerRecord): GraphPart {
  const builder = new PartBuilder(`decision:${record.id}`);
  if (record.run === null || !accepting.has(record.kind)) return builder.part();
  const { path, range } = record.note;
  const place = { source: path, start: range.start, end: range.end };
  const note = builder.section(path, null, [], () => place);
  // The run itself names its answer; it may have been forgotten.
  const answer = builder.node(
    { id: answerId(record.run), kind: 'answer', label: labelOf(record.texts.offered, record.run) },
    { weight: 0 },
  );
  builder.edge(note, 'accepted', answer, place);
  return builder.part();
}
