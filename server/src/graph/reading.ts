// Reads the graph as a whole out of what its owners say: each node and edge once. Works in passes over the store,
// holds nodes in memory and passes most edges through.
import { throwIfCancelled } from '../errors.ts';
import type { Evidence, GraphEdge, GraphNode } from '../protocol/index.ts';
import { createBreather } from './breather.ts';
import { edgeKey, evidenceKept } from './partBuilder.ts';
import type { GraphRows, ReadableGraph, StoredEdge, StoredNode } from './ports.ts';

/** The graph at the time it was opened; what changes meanwhile is seen in part. */
export interface GraphReading {
  nodes(): AsyncIterable<GraphNode>;
  /** Both ends of each edge are among the nodes. */
  edges(): AsyncIterable<GraphEdge>;
}

/** A concept that is weak everywhere counts when so many documents have it. */
const documentsForWeak = 2;

/** @throws PreflexorError `cancelled`; whatever the store throws */
export async function openGraph(store: ReadableGraph, signal: AbortSignal): Promise<GraphReading> {
  const nodes = new NodeTable();
  const shared = new Set<string>();
  for await (const rows of paced(store, signal)) {
    for (const row of rows.nodes) nodes.add(row);
    for (const row of rows.edges) if (isShared(row)) shared.add(edgeKey(row));
  }
  nodes.settle();
  return {
    nodes: () => nodes.visible(signal),
    edges: () => readEdges(store, nodes, shared, signal),
  };
}

/** Batches, with turns for others in between. */
async function* paced(store: ReadableGraph, signal: AbortSignal): AsyncGenerator<GraphRows> {
  const breathe = createBreather();
  for await (const rows of store.readAll()) {
    throwIfCancelled(signal);
    await breathe();
    yield rows;
  }
  throwIfCancelled(signal);
}

/** Whether others may say the same edge: of a document alone is what stands in its own file. */
function isShared({ owner, evidence }: StoredEdge): boolean {
  return evidence.some(({ source }) => owner !== `document:${source}`);
}

async function* readEdges(
  store: ReadableGraph,
  nodes: NodeTable,
  shared: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<GraphEdge> {
  const joined = new Map<string, GraphEdge>();
  for await (const rows of paced(store, signal)) {
    for (const row of rows.edges) {
      const from = nodes.resolve(row.from);
      const to = nodes.resolve(row.to);
      if (!nodes.has(from) || !nodes.has(to)) continue;
      const edge: GraphEdge = { from, to, kind: row.kind, evidence: row.evidence, count: row.count };
      if (!shared.has(edgeKey(row)) && !nodes.isJoined(to)) {
        yield edge;
        continue;
      }
      const key = edgeKey(edge);
      const known = joined.get(key);
      joined.set(key, known ? join(known, edge) : edge);
    }
  }
  yield* joined.values();
}

/** Two tellings of one edge: places that both name count once. */
function join(one: GraphEdge, other: GraphEdge): GraphEdge {
  const places = new Map([...one.evidence, ...other.evidence].map((place) => [placeKey(place), place]));
  const twice = one.evidence.length + other.evidence.length - places.size;
  const evidence = [...places.values()].sort(byPlace).slice(0, evidenceKept);
  return { ...one, evidence, count: one.count + other.count - twice };
}

function placeKey({ source, start, end }: Evidence): string {
  return `${start} ${end} ${source}`;
}

function byPlace(a: Evidence, b: Evidence): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.start - b.start || a.end - b.end;
}

interface NodeEntry {
  readonly kind: GraphNode['kind'];
  /** Weight by label. */
  readonly labels: Map<string, number>;
  strong: boolean;
  documents: number;
}

/** Nodes by id, with what their owners say of them joined. */
class NodeTable {
  readonly #entries = new Map<string, NodeEntry>();
  /** Concepts that name an acronym, by the acronym's own concept. */
  readonly #named = new Map<string, Set<string>>();
  /** Acronyms' concepts that are another one's, by id. */
  readonly #renamed = new Map<string, string>();
  readonly #joined = new Set<string>();

  add({ id, kind, label, weight, strong, owner, alias }: StoredNode): void {
    const entry = this.#entries.get(id) ?? {
      kind,
      labels: new Map<string, number>(),
      strong: false,
      documents: 0,
    };
    this.#entries.set(id, entry);
    entry.labels.set(label, (entry.labels.get(label) ?? 0) + weight);
    entry.strong ||= strong;
    if (owner.startsWith('document:')) entry.documents += 1;
    if (alias !== null) this.#named.set(alias, (this.#named.get(alias) ?? new Set()).add(id));
  }

  /** Once all nodes are known: an acronym that has one meaning in the whole graph is that meaning. */
  settle(): void {
    for (const [acronym, meanings] of this.#named) {
      const [meaning] = meanings;
      const own = this.#entries.get(acronym);
      const entry = meaning === undefined ? undefined : this.#entries.get(meaning);
      if (meanings.size !== 1 || meaning === undefined || meaning === acronym || !own || !entry) continue;
      this.#renamed.set(acronym, meaning);
      this.#joined.add(meaning);
      this.#entries.delete(acronym);
      entry.documents += own.documents;
      entry.strong ||= own.strong;
    }
    for (const [id, entry] of this.#entries) if (!isVisible(id, entry)) this.#entries.delete(id);
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  resolve(id: string): string {
    return this.#renamed.get(id) ?? id;
  }

  /** Whether an acronym was joined to this concept, so that one document may say an edge to it twice. */
  isJoined(id: string): boolean {
    return this.#joined.has(id);
  }

  async *visible(signal: AbortSignal): AsyncGenerator<GraphNode> {
    const breathe = createBreather();
    for (const [id, { kind, labels, documents }] of this.#entries) {
      await breathe();
      throwIfCancelled(signal);
      const counted = kind === 'concept' || kind === 'citation';
      yield { id, kind, label: heaviest(labels), ...(counted && { documents }) };
    }
  }
}

function isVisible(id: string, { kind, strong, documents }: NodeEntry): boolean {
  if (kind !== 'concept' || strong) return true;
  // A single word is a concept only where a document says so clearly.
  return documents >= documentsForWeak && id.includes(' ');
}

/** Of equally heavy labels the shorter, then the first in code order. */
function heaviest(labels: ReadonlyMap<string, number>): string {
  let [best, weight]: [string, number] = ['', -1];
  for (const [label, sum] of labels) {
    const better =
      sum > weight || (sum === weight && (label.length - best.length || (label < best ? -1 : 1)) < 0);
    if (better) [best, weight] = [label, sum];
  }
  return best;
}
