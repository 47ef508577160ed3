// What a document says in the graph, under the document's new name. Nothing is read anew: a name costs nothing.
import type { GraphPart, StoredEdge, StoredNode } from './ports.ts';
import { chunkId, documentId, headingId, labelOf } from './identifiers.ts';

/** A chunk of a document that moves. */
export interface MovedChunk {
  readonly id: string;
  readonly heading: readonly string[];
  /** Its id under the new name. */
  readonly movedId: string;
}

/**
 * The part as `graphOfDocument` makes it of the same text under the new name.
 * @param part what the document's old name owns
 * @param chunks all of the document's chunks
 */
export function movedPart(
  part: Omit<GraphPart, 'owner'>,
  { from, to }: { readonly from: string; readonly to: string },
  chunks: readonly MovedChunk[],
): GraphPart {
  const owner = `document:${to}` as const;
  const ids = movedIds(from, to, chunks);
  const idOf = (id: string): string => ids.get(id) ?? id;
  const nodeOf = (node: StoredNode): StoredNode => ({
    ...{ ...node, owner, id: idOf(node.id) },
    // A heading without words is called by its document's path.
    label: node.label === labelOf(from, from) ? labelOf(to, to) : node.label,
  });
  const edgeOf = (edge: StoredEdge): StoredEdge => ({
    ...{ ...edge, owner, from: idOf(edge.from), to: idOf(edge.to) },
    evidence: edge.evidence.map((place) => (place.source === from ? { ...place, source: to } : place)),
  });
  return { owner, nodes: part.nodes.map(nodeOf), edges: part.edges.map(edgeOf) };
}

function movedIds(from: string, to: string, chunks: readonly MovedChunk[]): ReadonlyMap<string, string> {
  const ids = new Map([[documentId(from), documentId(to)]]);
  for (const { id, movedId, heading } of chunks) {
    ids.set(chunkId(id), chunkId(movedId));
    heading.forEach((_, depth) => {
      const above = heading.slice(0, depth + 1);
      ids.set(headingId(from, above), headingId(to, above));
    });
  }
  return ids;
}
