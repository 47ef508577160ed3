// Opening the index of a workspace: which generation serves, which one is being built, and the switch between
// them. Readers take no lock; whatever changes the catalogue is done under the writer's.
import type { Connection } from '@lancedb/lancedb';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { homePlaces } from '../../state/index.ts';
import { chunkId } from '../chunkId.ts';
import type { StoredChunk } from '../ports.ts';
import { connectTo, parseAddress, type Address } from './address.ts';
import { Catalogue, type CatalogueEntry } from './catalogue.ts';
import { broken, replaced, storeFailure } from './failures.ts';
import { sameEmbedder, sameIdentity, schemaVersion, type IndexIdentity } from './identity.ts';
import { fullTextIndex } from './indexes.ts';
import { LanceStore } from './lanceStore.ts';
import { canMigrate, migrate } from './migrations.ts';
import { chunkSchema, documentSchema } from './schema.ts';
import { WriterLock } from './writerLock.ts';

export interface StoreOptions {
  /** A folder, `s3://…`, `gs://…`, `az://…` or `db://…`; credentials come from the environment. */
  readonly address: string;
  /** Names the tables of this workspace (state/places.ts, `workspaceKey`). */
  readonly workspaceKey: string;
  /** The application home: locks for an address that is no folder are kept there. */
  readonly home: string;
  /** Who opens it, for those who wait for the writer: "the editor", "preflexor index". */
  readonly holder: string;
  /** Milliseconds that a step of writing waits for another writer; 30,000 by default. */
  readonly waitMs?: number;
  /** Seconds after which reading looks for other processes' writing; by default what the address bears. */
  readonly freshnessSeconds?: number;
  /** The id of a chunk that was moved; that of `chunkId.ts` by default. */
  readonly chunkId?: (chunk: StoredChunk) => string;
}

/** The index of one identity. */
export interface Generation {
  readonly identity: IndexIdentity;
  readonly store: LanceStore;
}

interface OpenGeneration extends Generation {
  readonly entry: CatalogueEntry;
}

/**
 * Opens what is there, and nothing else: for searching.
 * Null where there is no index yet. Errors as `openIndex`.
 */
export async function openForSearch(options: StoreOptions): Promise<OpenIndex | null> {
  const address = parseAddress(options.address);
  // Connecting would make the folder.
  if (address.kind === 'folder' && !existsSync(address.uri)) return null;
  const index = await OpenIndex.connect(options, null);
  if (index.serving !== null) return index;
  await index.close();
  return null;
}

/**
 * Opens the index for an identity. Where it has none yet, one is begun beside what serves; a search goes on
 * with `serving` and its own embedder until `switchOver`.
 * @throws PreflexorError `index-failed`: damaged, `repairIndex` and open again; `index-newer`: written by a
 * newer version, leave it; `offline`: not reached; `locked`, `read-only`, `disk-full`, `bad-input`
 */
export function openIndex(options: StoreOptions, identity: IndexIdentity): Promise<OpenIndex> {
  return OpenIndex.connect(options, identity);
}

/** What `repairIndex` found or did. */
export type Repair =
  /** There was nothing to be done: another process did it, or the failure was a passing one. */
  | 'sound'
  /** The rows were whole; what searches them was built anew. */
  | 'reindexed'
  /** There is no index any more: open it again and fill it. */
  | 'dropped';

/**
 * Makes an index usable again after `index-failed`. Close what is open before. Reads every row, so it takes a
 * while. The graph's tables stay. Errors: `index-newer`, `locked`, `offline`, `read-only`, `disk-full`.
 */
export async function repairIndex(options: StoreOptions, signal: AbortSignal): Promise<Repair> {
  const address = parseAddress(options.address);
  const lock = writerLock(options, address);
  return await lock.session(async () => {
    const mended = await mend(options, lock, signal);
    throwIfCancelled(signal);
    if (mended !== null) return mended;
    const connection = await connectTo(address, { create: true, ...freshnessOf(options) });
    try {
      await new Catalogue(connection, address, options.workspaceKey).discard();
      return 'dropped';
    } catch (error) {
      throw storeFailure(error, address);
    } finally {
      connection.close();
    }
  });
}

/** Null where the rows themselves, or the catalogue, are damaged. */
async function mend(
  options: StoreOptions,
  lock: WriterLock,
  signal: AbortSignal,
): Promise<'sound' | 'reindexed' | null> {
  const works = (work: () => Promise<void>) =>
    work().then(
      () => true,
      (error: unknown) => {
        if (PreflexorError.is(error, 'index-failed') || PreflexorError.is(error, 'index-replaced'))
          return false;
        throw error;
      },
    );
  let index: OpenIndex | null = null;
  const open = async () => {
    index = await OpenIndex.connect(options, null, lock);
  };
  if (!(await works(open))) return null;
  const opened = index as OpenIndex | null;
  const store = opened?.serving?.store;
  try {
    if (!store) return 'sound';
    if (!(await works(() => store.verifyRows()))) return null;
    if (await works(() => store.verifyIndexes(signal))) return 'sound';
    if (!(await works(() => store.reindex(signal)))) return null;
    return (await works(() => store.verifyIndexes(signal))) ? 'reindexed' : null;
  } finally {
    await opened?.close();
  }
}

export class OpenIndex {
  readonly #options: StoreOptions;
  readonly #address: Address;
  readonly #connection: Connection;
  readonly #catalogue: Catalogue;
  readonly #lock: WriterLock;
  #serving: OpenGeneration | null = null;
  #building: OpenGeneration | null = null;

  private constructor(options: StoreOptions, address: Address, connection: Connection, lock: WriterLock) {
    this.#options = options;
    this.#address = address;
    this.#connection = connection;
    this.#catalogue = new Catalogue(connection, address, options.workspaceKey);
    this.#lock = lock;
  }

  /** What `openIndex` and `openForSearch` call; with a lock, its holder is the one who opens. */
  static async connect(
    options: StoreOptions,
    identity: IndexIdentity | null,
    lock?: WriterLock,
  ): Promise<OpenIndex> {
    const address = parseAddress(options.address);
    let connection: Connection | null = null;
    try {
      connection = await connectTo(address, { create: identity !== null, ...freshnessOf(options) });
      const index = new OpenIndex(options, address, connection, lock ?? writerLock(options, address));
      await index.#open(identity);
      return index;
    } catch (error) {
      connection?.close();
      throw storeFailure(error, address);
    }
  }

  /**
   * What searches are answered from. While a first index is built it is that one, as far as it has come; null
   * only where there is none and none was asked for.
   */
  get serving(): Generation | null {
    return this.#serving;
  }

  /** The index of the identity asked for, as long as it is not complete; then null. */
  get building(): Generation | null {
    return this.#building;
  }

  /**
   * Keeps other writers away while `work` runs (a whole indexing run), so that nothing is embedded twice.
   * @throws PreflexorError `locked` after `waitMs`, saying who writes
   */
  exclusively<T>(work: () => Promise<T>, waitMs?: number): Promise<T> {
    return this.#lock.session(work, waitMs);
  }

  /**
   * Says that what was being built is complete: from here on it serves, in this process at once and in others
   * when they open the index again. What it takes the place of is dropped. Without effect when nothing is
   * being built. Killed at any moment, either the old or the new one serves.
   */
  async switchOver(): Promise<void> {
    const built = this.#building;
    if (!built) return;
    await this.#guarded(async () => {
      await this.#catalogue.update({ ...built.entry, complete: true });
      const old = this.#serving;
      this.#serving = { ...built, entry: { ...built.entry, complete: true } };
      this.#building = null;
      if (old && old !== built) await old.store.close();
      await this.#dropAllBut([built.entry.generation]);
    });
  }

  async close(): Promise<void> {
    await this.#serving?.store.close();
    if (this.#building !== this.#serving) await this.#building?.store.close();
    this.#catalogue.close();
    this.#connection.close();
  }

  // ── Opening ───────────────────────────────────────────────────────────────────────────────────────────────

  async #open(identity: IndexIdentity | null): Promise<void> {
    const entries = await this.#catalogue.entries();
    const upToDate = (entry: CatalogueEntry) => entry.schema === schemaVersion;
    const complete = entries.findLast((entry) => entry.complete && canMigrate(entry.schema));
    if (complete && !upToDate(complete)) return this.#guarded(() => this.#prepare(identity));
    if (complete) this.#serving = await this.#openGeneration(complete, null);
    if (identity === null) {
      const begun = entries.findLast(upToDate);
      if (begun) this.#serving ??= await this.#openGeneration(begun, null).catch(() => null);
      return;
    }
    if (complete && sameIdentity(complete.identity, identity)) return;
    const begun = entries.findLast((entry) => upToDate(entry) && sameIdentity(entry.identity, identity));
    // Another process may be filling it just now: nobody has to wait for that to look into it.
    const building = begun ? await this.#openBuilding(begun).catch(() => null) : null;
    if (building) this.#setBuilding(building);
    else await this.#guarded(() => this.#prepare(identity));
  }

  #setBuilding(building: OpenGeneration): void {
    this.#building = building;
    this.#serving ??= building;
  }

  #openBuilding(entry: CatalogueEntry): Promise<OpenGeneration> {
    const { identity } = entry;
    const donor =
      this.#serving && sameEmbedder(this.#serving.identity, identity) ? this.#serving.store : null;
    return this.#openGeneration(entry, donor);
  }

  /** Migrates, begins and tidies, under the lock and from a fresh look: another process may have been here. */
  async #prepare(identity: IndexIdentity | null): Promise<void> {
    await this.#serving?.store.close();
    const complete = (await this.#catalogue.entries()).findLast(
      (entry) => entry.complete && canMigrate(entry.schema),
    );
    this.#serving = complete ? await this.#openGeneration(await this.#migrated(complete), null) : null;
    if (identity === null || (complete && sameIdentity(complete.identity, identity))) {
      if (complete) await this.#dropAllBut([complete.generation]);
      return;
    }
    const building = await this.#begun(identity);
    this.#setBuilding(building);
    await this.#dropAllBut([building.entry.generation, ...(complete ? [complete.generation] : [])]);
  }

  async #migrated(entry: CatalogueEntry): Promise<CatalogueEntry> {
    if (entry.schema === schemaVersion) return entry;
    const tables = await this.#tables(entry);
    await migrate(entry.schema, tables);
    tables.chunks.close();
    tables.documents.close();
    const migrated = { ...entry, schema: schemaVersion };
    await this.#catalogue.update(migrated);
    return migrated;
  }

  /** The generation that was begun for this identity, if its tables can be used; else a new one. */
  async #begun(identity: IndexIdentity): Promise<OpenGeneration> {
    const entries = await this.#catalogue.entries();
    const begun = entries.findLast(
      (entry) => !entry.complete && entry.schema === schemaVersion && sameIdentity(entry.identity, identity),
    );
    if (begun) {
      try {
        await this.#makeTables(begun);
        return await this.#openBuilding(begun);
      } catch (error) {
        if (!PreflexorError.is(storeFailure(error, this.#address), 'index-failed')) throw error;
      }
    }
    const order = Math.max(0, ...entries.map((entry) => entry.order)) + 1;
    const entry = await this.#catalogue.add(identity, order);
    await this.#makeTables(entry);
    return this.#openBuilding(entry);
  }

  async #makeTables({ generation, identity }: CatalogueEntry): Promise<void> {
    const there = { existOk: true } as const;
    const schema = chunkSchema(identity.embedder.dimensions);
    const chunks = await this.#connection.createEmptyTable(
      this.#catalogue.chunksName(generation),
      schema,
      there,
    );
    const indexed = (await chunks.listIndices()).some(({ columns }) => columns.includes('searchable'));
    // Full text cannot be searched without its index; rows that it does not know yet are searched as they are.
    if (!indexed) await chunks.createIndex('searchable', { config: fullTextIndex() });
    chunks.close();
    const name = this.#catalogue.documentsName(generation);
    (await this.#connection.createEmptyTable(name, documentSchema, there)).close();
  }

  async #openGeneration(entry: CatalogueEntry, donor: LanceStore | null): Promise<OpenGeneration> {
    const tables = await this.#tables(entry);
    const { dimensions } = entry.identity.embedder;
    const stillThere = () => this.#stillThere(entry.generation);
    const store = new LanceStore({
      ...tables,
      dimensions,
      donor,
      stillThere,
      lock: this.#lock,
      chunkId: this.#options.chunkId ?? chunkId,
      failure: async (error) => {
        if (error instanceof PreflexorError) return error;
        const gone = await stillThere().then(
          () => null,
          (reason: unknown) => (PreflexorError.is(reason, 'index-replaced') ? reason : null),
        );
        return gone ?? storeFailure(error, this.#address);
      },
    });
    return { identity: entry.identity, store, entry };
  }

  /** Opens both tables and looks whether they are what the catalogue says. */
  async #tables({ generation, identity, schema }: CatalogueEntry) {
    const chunks = await this.#connection.openTable(this.#catalogue.chunksName(generation));
    const documents = await this.#connection.openTable(this.#catalogue.documentsName(generation));
    if (schema === schemaVersion) {
      const wanted = chunkSchema(identity.embedder.dimensions).fields;
      const found = new Map((await chunks.schema()).fields.map((field) => [field.name, String(field.type)]));
      const wrong = wanted.find((field) => found.get(field.name) !== String(field.type));
      if (wrong) throw broken(this.#address, new Error(`The column ${wrong.name} is not what it should be.`));
    }
    return { chunks, documents };
  }

  async #stillThere(generation: string): Promise<void> {
    const entries = await this.#catalogue.entries();
    if (!entries.some((entry) => entry.generation === generation)) throw replaced(this.#address);
  }

  async #dropAllBut(generations: readonly string[]): Promise<void> {
    const entries = await this.#catalogue.entries();
    const old = entries.map(({ generation }) => generation).filter((name) => !generations.includes(name));
    await this.#catalogue.remove(old);
    await this.#catalogue.sweep();
  }

  #guarded<T>(work: () => Promise<T>): Promise<T> {
    return this.#lock.step(async () => {
      try {
        return await work();
      } catch (error) {
        throw storeFailure(error, this.#address);
      }
    });
  }
}

function freshnessOf({ freshnessSeconds }: StoreOptions) {
  return freshnessSeconds === undefined ? {} : { freshnessSeconds };
}

/** Beside the tables where they lie in a folder, so that others on a network drive see it too. */
export function writerLock(options: StoreOptions, address: Address, name = 'index'): WriterLock {
  const file = `${options.workspaceKey}.${name}.lock`;
  const folder = address.kind === 'folder' ? address.uri : homePlaces(options.home).locks;
  return new WriterLock({
    place: path.join(folder, file),
    name: options.holder,
    waitMs: options.waitMs ?? 30_000,
  });
}
