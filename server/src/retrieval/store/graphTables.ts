// The tables of the knowledge graph: nodes, and edges with their evidence. They know nothing of embedders, so
// a new index leaves them alone.
import type { Connection, Table } from '@lancedb/lancedb';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Evidence, GraphEdge, GraphNode } from '../../protocol/index.ts';
import { connectTo, parseAddress, type Address } from './address.ts';
import { storeFailure } from './failures.ts';
import { literal, literals } from './filters.ts';
import { writerLock, type StoreOptions } from './openIndex.ts';
import { tableOf } from './rows.ts';
import { graphEdgeSchema, graphNodeSchema } from './schema.ts';
import type { WriterLock } from './writerLock.ts';

/** What the graph needs of a store. */
export interface GraphStore {
  /** Nodes are unique by id; a later label or kind replaces the earlier one. */
  upsertNodes(nodes: readonly GraphNode[]): Promise<void>;
  /** Edges are unique by `from`, `to` and `kind`; evidence is added to what is there, each place once. */
  upsertEdges(edges: readonly GraphEdge[]): Promise<void>;
  /**
   * Takes back what was read in a source: its evidence, the edges that have none left, and the nodes that then
   * stand alone.
   */
  removeBySource(source: string): Promise<void>;
  /** Everything, in parts: nodes first. */
  readAll(): AsyncIterable<{ readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }>;
  close(): Promise<void>;
}

/** Keys in one predicate. */
const keysAtOnce = 500;

interface StoredEdge extends GraphEdge {
  readonly evident: boolean;
}

/**
 * Opens the graph's tables, and makes them where they are not there.
 * @throws PreflexorError as `openIndex`
 */
export async function openGraphTables(options: StoreOptions): Promise<GraphStore> {
  const address = parseAddress(options.address);
  const { freshnessSeconds } = options;
  const connection = await connectTo(address, {
    create: true,
    ...(freshnessSeconds === undefined ? {} : { freshnessSeconds }),
  });
  const lock = writerLock(options, address, 'graph');
  const name = (table: string) => `w${options.workspaceKey}_graph_${table}`;
  try {
    const there = { existOk: true } as const;
    const nodes = await connection.createEmptyTable(name('nodes'), graphNodeSchema, there);
    const edges = await connection.createEmptyTable(name('edges'), graphEdgeSchema, there);
    return new GraphTables({ connection, nodes, edges, lock, address });
  } catch (error) {
    connection.close();
    throw storeFailure(error, address);
  }
}

interface GraphParts {
  readonly connection: Connection;
  readonly nodes: Table;
  readonly edges: Table;
  readonly lock: WriterLock;
  readonly address: Address;
}

class GraphTables implements GraphStore {
  readonly #parts: GraphParts;

  constructor(parts: GraphParts) {
    this.#parts = parts;
  }

  async upsertNodes(nodes: readonly GraphNode[]): Promise<void> {
    if (nodes.length === 0) return;
    const unique = [...new Map(nodes.map((node) => [node.id, node])).values()];
    await this.#write(() => this.#putNodes(unique));
  }

  async #putNodes(nodes: readonly GraphNode[]): Promise<void> {
    const rows = tableOf(graphNodeSchema, nodes.length, (name) =>
      nodes.map((node) => node[name as keyof GraphNode]),
    );
    await upsert(this.#parts.nodes, 'id', rows);
  }

  async upsertEdges(edges: readonly GraphEdge[]): Promise<void> {
    for (let at = 0; at < edges.length; at += keysAtOnce)
      await this.#write(() => this.#mergeEdges(edges.slice(at, at + keysAtOnce)));
  }

  async #mergeEdges(edges: readonly GraphEdge[]): Promise<void> {
    const keys = [...new Set(edges.map(keyOf))];
    const merged = new Map<string, StoredEdge>();
    for (const edge of await this.#edges(`key IN (${literals(keys)})`)) merged.set(keyOf(edge), edge);
    for (const edge of edges) merged.set(keyOf(edge), withEvidence(merged.get(keyOf(edge)), edge));
    await upsert(this.#parts.edges, 'key', edgeRows([...merged.values()]));
  }

  removeBySource(source: string): Promise<void> {
    return this.#write(async () => {
      const touched = await this.#edges(`array_has_any(sources, [${literal(source)}])`);
      if (touched.length === 0) return;
      const rest = touched.map((edge) => ({
        ...edge,
        evidence: edge.evidence.filter((evidence) => evidence.source !== source),
      }));
      const kept = rest.filter(({ evidence, evident }) => evidence.length > 0 || !evident);
      const dropped = rest.filter((edge) => !kept.includes(edge));
      if (kept.length > 0) await upsert(this.#parts.edges, 'key', edgeRows(kept));
      for (const keys of parts(dropped.map(keyOf)))
        await this.#parts.edges.delete(`key IN (${literals(keys)})`);
      await this.#dropLonely(dropped.flatMap(({ from, to }) => [from, to]));
    });
  }

  /** Of these nodes, drops those that no edge names any more. */
  async #dropLonely(ids: readonly string[]): Promise<void> {
    for (const part of parts([...new Set(ids)])) {
      const list = literals(part);
      const left = await this.#edges(`from_id IN (${list}) OR to_id IN (${list})`);
      const named = new Set(left.flatMap(({ from, to }) => [from, to]));
      const lonely = part.filter((id) => !named.has(id));
      if (lonely.length > 0) await this.#parts.nodes.delete(`id IN (${literals(lonely)})`);
    }
  }

  async *readAll(): AsyncGenerator<{ nodes: readonly GraphNode[]; edges: readonly GraphEdge[] }> {
    try {
      for await (const batch of this.#parts.nodes.query())
        yield { nodes: [...batch].map((row) => GraphNode.parse({ ...(row as object) })), edges: [] };
      for await (const batch of this.#parts.edges.query())
        yield { nodes: [], edges: [...batch].map((row) => publicEdge(edgeOf(row as object))) };
    } catch (error) {
      throw storeFailure(error, this.#parts.address);
    }
  }

  async #edges(predicate: string): Promise<readonly StoredEdge[]> {
    const rows = (await this.#parts.edges.query().where(predicate).toArray()) as object[];
    return rows.map(edgeOf);
  }

  async close(): Promise<void> {
    this.#parts.nodes.close();
    this.#parts.edges.close();
    this.#parts.connection.close();
    return Promise.resolve();
  }

  #write<T>(work: () => Promise<T>): Promise<T> {
    return this.#parts.lock.step(async () => {
      try {
        await Promise.all([this.#parts.nodes.checkoutLatest(), this.#parts.edges.checkoutLatest()]);
        return await work();
      } catch (error) {
        throw storeFailure(error, this.#parts.address);
      }
    });
  }
}

async function upsert(table: Table, key: string, rows: ReturnType<typeof tableOf>): Promise<void> {
  await table.mergeInsert(key).whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(rows);
}

function keyOf({ from, to, kind }: GraphEdge): string {
  return createHash('sha256').update(`${from}\0${to}\0${kind}`).digest('hex').slice(0, 32);
}

function withEvidence(known: StoredEdge | undefined, edge: GraphEdge): StoredEdge {
  const places = [...(known?.evidence ?? []), ...edge.evidence];
  const unique = new Map(
    places.map((place) => [JSON.stringify([place.source, place.start, place.end]), place]),
  );
  return { ...edge, evidence: [...unique.values()], evident: unique.size > 0 || (known?.evident ?? false) };
}

const edgeColumns: Readonly<Record<string, (edge: StoredEdge) => unknown>> = {
  key: keyOf,
  from_id: ({ from }) => from,
  to_id: ({ to }) => to,
  kind: ({ kind }) => kind,
  sources: ({ evidence }) => [...new Set(evidence.map(({ source }) => source))],
  evidence: ({ evidence }) => JSON.stringify(evidence),
  evident: ({ evident }) => evident,
};

function edgeRows(edges: readonly StoredEdge[]) {
  return tableOf(graphEdgeSchema, edges.length, (name) => edges.map((edge) => edgeColumns[name]?.(edge)));
}

const EdgeRow = z.object({
  from_id: z.string(),
  to_id: z.string(),
  evidence: z.string(),
  evident: z.boolean(),
});

function edgeOf(row: object): StoredEdge {
  const plain = { ...row } as Record<string, unknown>;
  const { from_id: from, to_id: to, evidence, evident } = EdgeRow.parse(plain);
  const places = z.array(Evidence).parse(JSON.parse(evidence));
  return { ...GraphEdge.parse({ from, to, kind: plain['kind'], evidence: places }), evident };
}

function publicEdge({ evident: _evident, ...edge }: StoredEdge): GraphEdge {
  return edge;
}

function* parts<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += keysAtOnce) yield items.slice(at, at + keysAtOnce);
}
