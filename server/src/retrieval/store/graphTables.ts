// The tables of the knowledge graph: rows by owner (graph/ports.ts), joined by nobody here. They know nothing of
// embedders, so a new index leaves them alone.
import type { Connection, Query, Table } from '@lancedb/lancedb';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { throwIfCancelled } from '../../errors.ts';
import type { GraphRows, GraphStore, StoredEdge, StoredNode } from '../../graph/index.ts';
import { Evidence, GraphEdge, GraphNode } from '../../protocol/index.ts';
import { connectTo, parseAddress, type Address } from './address.ts';
import { storeFailure } from './failures.ts';
import { literals } from './filters.ts';
import { writerLock, type StoreOptions } from './openIndex.ts';
import { tableOf } from './rows.ts';
import { graphEdgeSchema, graphNodeSchema } from './schema.ts';
import { compact } from './upkeep.ts';
import type { WriterLock } from './writerLock.ts';

/** Owners in one predicate. */
const ownersAtOnce = 500;

/** Rows for which tables are compacted: below it, reading many small pieces costs little. */
const compactedFrom = 1000;

/** The graph's store, with what a table needs beside the port. */
export interface GraphTablesStore extends GraphStore {
  /** Joins small pieces and prunes old versions. Cheap when there is little. */
  optimise(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the graph's tables, and makes them where they are not there.
 * @throws PreflexorError as `openIndex`
 */
export async function openGraphTables(options: StoreOptions): Promise<GraphTablesStore> {
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

class GraphTables implements GraphTablesStore {
  readonly #parts: GraphParts;
  /**
   * Owners whose rows were removed here and not added since, by table: what they say is added without looking for
   * what they said. That is how documents come in, and a table of a million rows would be looked through each time.
   */
  readonly #emptied = { nodes: new Set<string>(), edges: new Set<string>() };

  constructor(parts: GraphParts) {
    this.#parts = parts;
  }

  async upsertNodes(nodes: readonly StoredNode[]): Promise<void> {
    await this.#upsert('nodes', unique(nodes, nodeKey), nodeRows);
  }

  async upsertEdges(edges: readonly StoredEdge[]): Promise<void> {
    await this.#upsert('edges', unique(edges, edgeKey), edgeRows);
  }

  async removeBySource(owners: readonly string[]): Promise<void> {
    const wanted = [...new Set(owners)];
    for (let at = 0; at < wanted.length; at += ownersAtOnce) {
      const some = wanted.slice(at, at + ownersAtOnce);
      await this.#write(async () => {
        for (const table of [this.#parts.edges, this.#parts.nodes])
          await table.delete(`owner IN (${literals(some)})`);
      });
      for (const owner of some) {
        this.#emptied.nodes.add(owner);
        this.#emptied.edges.add(owner);
      }
    }
  }

  readAll(): AsyncGenerator<GraphRows> {
    return this.#read((table) => table.query());
  }

  async *readOwned(owners: readonly string[]): AsyncGenerator<GraphRows> {
    const wanted = [...new Set(owners)];
    for (let at = 0; at < wanted.length; at += ownersAtOnce) {
      const some = literals(wanted.slice(at, at + ownersAtOnce));
      yield* this.#read((table) => table.query().where(`owner IN (${some})`));
    }
  }

  async *#read(queryOf: (table: Table) => Query): AsyncGenerator<GraphRows> {
    try {
      for await (const batch of queryOf(this.#parts.nodes))
        yield { nodes: [...batch].map((row) => nodeOf(row as object)), edges: [] };
      for await (const batch of queryOf(this.#parts.edges))
        yield { nodes: [], edges: [...batch].map((row) => edgeOf(row as object)) };
    } catch (error) {
      throw storeFailure(error, this.#parts.address);
    }
  }

  async optimise(signal: AbortSignal): Promise<void> {
    for (const table of [this.#parts.nodes, this.#parts.edges]) {
      throwIfCancelled(signal);
      const { numSmallFragments } = (await table.stats()).fragmentStats;
      if (numSmallFragments > 1 && (await table.countRows()) >= compactedFrom)
        await this.#write(() => compact(table));
    }
  }

  close(): Promise<void> {
    this.#parts.nodes.close();
    this.#parts.edges.close();
    this.#parts.connection.close();
    return Promise.resolve();
  }

  async #upsert<R extends { readonly owner: string }>(
    name: 'nodes' | 'edges',
    rows: readonly R[],
    tableFor: (rows: readonly R[]) => ReturnType<typeof tableOf>,
  ): Promise<void> {
    const emptied = this.#emptied[name];
    const table = this.#parts[name];
    const fresh = rows.filter(({ owner }) => emptied.has(owner));
    const others = rows.filter(({ owner }) => !emptied.has(owner));
    if (rows.length === 0) return;
    await this.#write(async () => {
      if (fresh.length > 0) await table.add(tableFor(fresh));
      if (others.length > 0) {
        await table
          .mergeInsert('key')
          .whenMatchedUpdateAll()
          .whenNotMatchedInsertAll()
          .execute(tableFor(others));
      }
    });
    for (const { owner } of fresh) emptied.delete(owner);
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

/** The last one of each key. */
function unique<R>(rows: readonly R[], key: (row: R) => string): readonly R[] {
  return [...new Map(rows.map((row) => [key(row), row])).values()];
}

function hashed(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}

function nodeKey({ owner, id }: StoredNode): string {
  return hashed(owner, id);
}

function edgeKey({ owner, from, to, kind }: StoredEdge): string {
  return hashed(owner, from, to, kind);
}

const nodeColumns: Readonly<Record<string, (node: StoredNode) => unknown>> = {
  key: nodeKey,
  owner: ({ owner }) => owner,
  node: ({ owner: _owner, ...node }) => JSON.stringify(node),
};

const edgeColumns: Readonly<Record<string, (edge: StoredEdge) => unknown>> = {
  key: edgeKey,
  owner: ({ owner }) => owner,
  edge: ({ owner: _owner, ...edge }) => JSON.stringify(edge),
};

function nodeRows(nodes: readonly StoredNode[]): ReturnType<typeof tableOf> {
  return tableOf(graphNodeSchema, nodes.length, (name) => nodes.map((node) => nodeColumns[name]?.(node)));
}

function edgeRows(edges: readonly StoredEdge[]): ReturnType<typeof tableOf> {
  return tableOf(graphEdgeSchema, edges.length, (name) => edges.map((edge) => edgeColumns[name]?.(edge)));
}

const NodeJson = GraphNode.extend({
  weight: z.number(),
  strong: z.boolean(),
  alias: z.string().nullable(),
});
const EdgeJson = GraphEdge.extend({ evidence: z.array(Evidence) });

function nodeOf(row: object): StoredNode {
  const { owner, node } = z.object({ owner: z.string(), node: z.string() }).parse({ ...row });
  return { ...NodeJson.parse(JSON.parse(node)), owner };
}

function edgeOf(row: object): StoredEdge {
  const { owner, edge } = z.object({ owner: z.string(), edge: z.string() }).parse({ ...row });
  return { ...EdgeJson.parse(JSON.parse(edge)), owner };
}
