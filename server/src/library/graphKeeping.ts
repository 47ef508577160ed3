// An index store that keeps the knowledge graph with it: what a document says in the graph is written before its
// record, so that a killed run does both again. The graph is no condition of the index: its failures are told.
import { sentence } from '../errors.ts';
import {
  chunkId as graphChunkId,
  documentId,
  graphOfDocument,
  movedPart,
  type GraphPart,
  type GraphStore,
  type StoredEdge,
  type StoredNode,
} from '../graph/index.ts';
import {
  chunkId,
  type Chunk,
  type DocumentChange,
  type DocumentChunker,
  type DocumentRecord,
  type IndexStore,
  type SourceDocument,
  type StoredChunk,
} from '../retrieval/index.ts';

/** Parts of documents that were read and are not in the store yet; more than this are made again when asked for. */
const mostWaiting = 512;

/** A document under a new name, with its chunks as they were under the old one. */
interface Move {
  readonly from: string;
  readonly to: string;
  readonly chunks: readonly StoredChunk[];
}

/** The graph's store, which is joined and pruned now and then. */
export interface KeptGraph extends GraphStore {
  optimise(signal: AbortSignal): Promise<void>;
}

/** Makes the graph's part of each document while it is cut into chunks, and hands it to the store that asks. */
export class GraphKeeper {
  readonly #store: () => Promise<KeptGraph>;
  readonly #tell: (problem: string) => void;
  readonly #parts = new Map<string, GraphPart>();

  constructor(store: () => Promise<KeptGraph>, tell: (problem: string) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  /** A chunker that makes the graph's part of what it cuts. */
  chunker(inner: DocumentChunker): DocumentChunker {
    return {
      chunk: async (document, modified, signal) => {
        const chunks = await inner.chunk(document, modified, signal);
        await this.#make(document, chunks, signal);
        return chunks;
      },
      embeddedText: (chunk) => inner.embeddedText(chunk),
    };
  }

  /** Puts in place what these documents say now. Those that were not cut just now keep what they said. */
  async applied(changes: readonly DocumentChange[]): Promise<void> {
    const parts = changes.flatMap(({ record }) => this.#take(record.path) ?? []);
    const refused = changes.filter(({ record }) => record.refusal !== null).map(({ record }) => record.path);
    await this.#write(parts, refused);
  }

  async removed(paths: readonly string[]): Promise<void> {
    await this.#write([], paths);
  }

  /** Says under their new names what these documents said under their old ones. */
  async moved(moves: readonly Move[]): Promise<void> {
    await this.#told(async (store) => {
      const parts: GraphPart[] = [];
      for (const { from, to, chunks } of moves) {
        const [nodes, edges]: [StoredNode[], StoredEdge[]] = [[], []];
        for await (const rows of store.readOwned([documentId(from)])) {
          nodes.push(...rows.nodes);
          edges.push(...rows.edges);
        }
        const moving = chunks.map((chunk) => ({ ...chunk, movedId: movedId(chunk, from, to) }));
        if (saysChunks(nodes, chunks)) parts.push(movedPart({ nodes, edges }, { from, to }, moving));
      }
      await replaceParts(store, parts);
      const stays = new Set(moves.map(({ to }) => to));
      await store.removeBySource(
        moves.filter(({ from }) => !stays.has(from)).map(({ from }) => documentId(from)),
      );
    });
  }

  async optimise(signal: AbortSignal): Promise<void> {
    await (await this.#store()).optimise(signal);
  }

  async #make(document: SourceDocument, chunks: readonly Chunk[], signal: AbortSignal): Promise<void> {
    const part = await graphOfDocument(document, chunks, signal);
    this.#parts.set(document.path, part);
    const [oldest] = this.#parts.keys();
    if (this.#parts.size > mostWaiting && oldest !== undefined) this.#parts.delete(oldest);
  }

  #take(path: string): GraphPart | undefined {
    const part = this.#parts.get(path);
    this.#parts.delete(path);
    return part;
  }

  async #write(parts: readonly GraphPart[], gone: readonly string[]): Promise<void> {
    if (parts.length === 0 && gone.length === 0) return;
    await this.#told((store) => replaceParts(store, parts, gone));
  }

  async #told(work: (store: KeptGraph) => Promise<void>): Promise<void> {
    try {
      await work(await this.#store());
    } catch (error) {
      this.#tell(`The knowledge graph could not be kept. ${sentence(error)}`);
    }
  }
}

/** Puts the parts in place of what their owners said before; takes back what the documents that are gone said. */
async function replaceParts(
  store: KeptGraph,
  parts: readonly GraphPart[],
  gone: readonly string[] = [],
): Promise<void> {
  await store.removeBySource([...parts.map(({ owner }) => owner), ...gone.map((path) => documentId(path))]);
  await store.upsertEdges(parts.flatMap(({ edges }) => edges));
  await store.upsertNodes(parts.flatMap(({ nodes }) => nodes));
}

/** Not so where the move was done before a kill: there is nothing then, or what another name said before it. */
function saysChunks(nodes: readonly StoredNode[], chunks: readonly StoredChunk[]): boolean {
  const ids = new Set(nodes.map(({ id }) => id));
  return ids.size > 0 && chunks.every(({ id }) => ids.has(graphChunkId(id)));
}

function movedId(chunk: StoredChunk, from: string, to: string): string {
  return chunkId({ ...chunk, document: to, source: chunk.source === from ? to : chunk.source });
}

/** The index store with the graph kept in step. */
export class GraphKeepingStore implements IndexStore {
  readonly #inner: IndexStore;
  readonly #keeper: GraphKeeper;

  constructor(inner: IndexStore, keeper: GraphKeeper) {
    this.#inner = inner;
    this.#keeper = keeper;
  }

  async apply(changes: readonly DocumentChange[]): Promise<void> {
    await this.#keeper.applied(changes);
    await this.#inner.apply(changes);
  }

  async remove(paths: readonly string[]): Promise<void> {
    await this.#inner.remove(paths);
    await this.#keeper.removed(paths);
  }

  /** The graph's part goes first: after a kill both are done again. */
  async rename(renames: readonly { readonly from: string; readonly to: DocumentRecord }[]): Promise<void> {
    const moves: Move[] = [];
    for (const { from, to } of renames)
      moves.push({ from, to: to.path, chunks: await this.#inner.chunksOf(from) });
    await this.#keeper.moved(moves);
    await this.#inner.rename(renames);
  }

  documents: IndexStore['documents'] = () => this.#inner.documents();
  vectorsOf: IndexStore['vectorsOf'] = (hashes) => this.#inner.vectorsOf(hashes);
  vectorSearch: IndexStore['vectorSearch'] = (...question) => this.#inner.vectorSearch(...question);
  textSearch: IndexStore['textSearch'] = (...question) => this.#inner.textSearch(...question);
  chunksOf: IndexStore['chunksOf'] = (document) => this.#inner.chunksOf(document);
  counts: IndexStore['counts'] = () => this.#inner.counts();
  failed: IndexStore['failed'] = () => this.#inner.failed();
  optimise: IndexStore['optimise'] = async (signal) => {
    await this.#inner.optimise(signal);
    await this.#keeper.optimise(signal);
  };
  close: IndexStore['close'] = () => this.#inner.close();
}
