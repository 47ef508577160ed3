// Collects what one owner says: each node once, each edge once with its evidence, bounded in number.
import type { Evidence, GraphEdge, GraphNode } from '../protocol/index.ts';
import { conceptId, documentId, headingId, labelOf } from './identifiers.ts';
import type { GraphPart, Owner, StoredNode } from './ports.ts';

/** So many places are kept with an edge; how many there are is kept as a number. */
export const evidenceKept = 8;

interface OpenEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: GraphEdge['kind'];
  readonly evidence: Evidence[];
  count: number;
}

export class PartBuilder {
  readonly #owner: Owner;
  readonly #nodes = new Map<string, StoredNode>();
  readonly #edges = new Map<string, OpenEdge>();

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Says a node; said again, the first one stands. */
  node(
    node: GraphNode,
    details: { readonly weight?: number; readonly strong?: boolean; readonly alias?: string | null } = {},
  ): string {
    const { weight = 1, strong = true, alias = null } = details;
    if (!this.#nodes.has(node.id))
      this.#nodes.set(node.id, { ...node, owner: this.#owner, weight, strong, alias });
    return node.id;
  }

  /** Says an edge, with one more place where it can be read. Both ends were said before. */
  edge(from: string, kind: GraphEdge['kind'], to: string, evidence: Evidence): void {
    const key = edgeKey({ from, kind, to });
    const edge = this.#edges.get(key) ?? { from, to, kind, evidence: [], count: 0 };
    this.#edges.set(key, edge);
    edge.count += 1;
    const { source, start, end } = evidence;
    if (edge.evidence.length < evidenceKept) edge.evidence.push({ source, start, end });
  }

  /**
   * Says a document and the headings down to `heading`, each within the one above.
   * @param title null where only the path is known: whoever knows the title names the document
   * @param evidence where the heading stands that has `depth` others above it
   * @returns the id of the innermost: the last heading, or the document
   */
  section(
    path: string,
    title: string | null,
    heading: readonly string[],
    evidence: (depth: number) => Evidence,
  ): string {
    const label = labelOf(title ?? path, path);
    let above = this.node(
      { id: documentId(path), kind: 'document', label },
      { weight: title === null ? 0 : 1 },
    );
    heading.forEach((text, depth) => {
      const id = headingId(path, heading.slice(0, depth + 1));
      const known = this.#nodes.has(id);
      this.node({ id, kind: 'heading', label: labelOf(text, path) });
      if (!known) this.edge(above, 'contains', id, evidence(depth));
      above = id;
    });
    return above;
  }

  /** Says a concept. */
  concept(phrase: {
    readonly key: string;
    readonly label: string;
    readonly strong: boolean;
    readonly acronymKey: string | null;
    readonly labelWeight: number;
  }): string {
    const { key, label, strong, acronymKey, labelWeight: weight } = phrase;
    const alias = acronymKey === null ? null : conceptId(acronymKey);
    return this.node(
      { id: conceptId(key), kind: 'concept', label: labelOf(label, key) },
      { weight, strong, alias },
    );
  }

  part(): GraphPart {
    return {
      owner: this.#owner,
      nodes: [...this.#nodes.values()],
      edges: [...this.#edges.values()].map((edge) => ({ ...edge, owner: this.#owner })),
    };
  }
}

/** What an edge is unique by. */
export function edgeKey({ from, kind, to }: Pick<GraphEdge, 'from' | 'kind' | 'to'>): string {
  return `${kind}\n${from}\n${to}`;
}
