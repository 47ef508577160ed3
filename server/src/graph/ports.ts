// What the graph is stored as, and the port of its store: retrieval/store implements it.
import type { GraphEdge, GraphNode } from '../protocol/index.ts';

/**
 * Who says a part of the graph: `document:<path>`, `run:<id>`, `decision:<id>`, or `sample:<key>` of self-teaching. Owners say what they say
 * independently of each other, the same node or edge several times if need be, so that a changed document, a
 * forgotten run or a withdrawn decision is taken back without touching what others say. Reading the graph joins
 * what they say (reading.ts), and what nobody says any more is gone.
 */
export type Owner = `document:${string}` | `run:${string}` | `decision:${string}` | `sample:${string}`;

/** A node as one owner says it. */
export interface StoredNode extends GraphNode {
  readonly owner: string;
  /** Of several labels of one node the one with the largest sum of weights is shown. */
  readonly weight: number;
  /** False for a concept that needs another document to say it too before it counts. */
  readonly strong: boolean;
  /** An acronym's own concept id: what is said of that one is said of this one, unless it has other meanings too. */
  readonly alias: string | null;
}

/** An edge as one owner says it. `evidence` holds the first places, `count` says how many there are. */
export type StoredEdge = GraphEdge & { readonly owner: string };

/** All that one owner says. It is closed: both ends of each of its edges are among its nodes. */
export interface GraphPart {
  readonly owner: Owner;
  readonly nodes: readonly StoredNode[];
  readonly edges: readonly StoredEdge[];
}

/** A batch of rows as they are stored, in no order. */
export interface GraphRows {
  readonly nodes: readonly StoredNode[];
  readonly edges: readonly StoredEdge[];
}

/** A graph as one who only looks needs it. */
export interface ReadableGraph {
  /** Every row once, in batches that fit into memory. */
  readAll(): AsyncIterable<GraphRows>;
}

/** Rows by owner; joins nothing. A process may be killed between any two calls: `replacePart` is done again then. */
export interface GraphStore extends ReadableGraph {
  /** Adds rows, or replaces those with the same owner and id. */
  upsertNodes(nodes: readonly StoredNode[]): Promise<void>;
  /** Adds rows, or replaces those with the same owner, from, to and kind. */
  upsertEdges(edges: readonly StoredEdge[]): Promise<void>;
  /** Removes all rows of these owners. */
  removeBySource(owners: readonly string[]): Promise<void>;
  /** The rows of these owners, in batches that fit into memory. */
  readOwned(owners: readonly string[]): AsyncIterable<GraphRows>;
}

/** Puts what an owner says now in place of what it said before. */
export async function replacePart(store: GraphStore, part: GraphPart): Promise<void> {
  await store.removeBySource([part.owner]);
  // Nodes last: an edge whose nodes are missing is passed over, so a part that is half there shows nothing wrong.
  await store.upsertEdges(part.edges);
  await store.upsertNodes(part.nodes);
}
