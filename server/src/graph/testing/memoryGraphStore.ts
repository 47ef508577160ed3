// A graph store in memory: small, and as good as a real one for all that the port says.
import type { GraphRows, GraphStore, StoredEdge, StoredNode } from '../ports.ts';
import { edgeKey } from '../partBuilder.ts';

export class MemoryGraphStore implements GraphStore {
  readonly #nodes = new Map<string, StoredNode>();
  readonly #edges = new Map<string, StoredEdge>();
  readonly #batch: number;

  /** @param batch rows of each sort in one batch */
  constructor(batch = 100) {
    this.#batch = batch;
  }

  upsertNodes(nodes: readonly StoredNode[]): Promise<void> {
    for (const node of nodes) this.#nodes.set(`${node.owner}\n${node.id}`, structuredClone(node));
    return Promise.resolve();
  }

  upsertEdges(edges: readonly StoredEdge[]): Promise<void> {
    for (const edge of edges) this.#edges.set(`${edge.owner}\n${edgeKey(edge)}`, structuredClone(edge));
    return Promise.resolve();
  }

  removeBySource(owners: readonly string[]): Promise<void> {
    for (const table of [this.#nodes, this.#edges])
      for (const [key, { owner }] of table) if (owners.includes(owner)) table.delete(key);
    return Promise.resolve();
  }

  readAll(): AsyncGenerator<GraphRows> {
    return this.#read(() => true);
  }

  readOwned(owners: readonly string[]): AsyncGenerator<GraphRows> {
    return this.#read(({ owner }) => owners.includes(owner));
  }

  async *#read(wanted: (row: StoredNode | StoredEdge) => boolean): AsyncGenerator<GraphRows> {
    const nodes = [...this.#nodes.values()].filter(wanted);
    const edges = [...this.#edges.values()].filter(wanted);
    for (let from = 0; from < Math.max(nodes.length, edges.length); from += this.#batch) {
      await Promise.resolve();
      yield { nodes: nodes.slice(from, from + this.#batch), edges: edges.slice(from, from + this.#batch) };
    }
  }
}
