// Which generations of tables a workspace has, and which of them serves: one row each, one commit a change.
//
// A generation is a pair of tables for one identity. It is entered before its tables are made and struck out
// before they are dropped, so that a table without an entry is always rubbish, whenever a process was killed.
// The newest complete generation serves; making one complete is a single commit, and so is the switch.
import type { Connection, Table } from '@lancedb/lancedb';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Address } from './address.ts';
import { broken, newer, storeFailure } from './failures.ts';
import { literals } from './filters.ts';
import { IndexIdentity, schemaVersion } from './identity.ts';
import { catalogueSchema } from './schema.ts';
import { tableOf } from './rows.ts';

const Entry = z.object({
  schema: z.int().positive(),
  /** Counted up: of two complete generations the later one serves. */
  order: z.int().nonnegative(),
  complete: z.boolean(),
  identity: IndexIdentity,
});

export interface CatalogueEntry extends z.infer<typeof Entry> {
  /** Eight hex digits; never used twice, so that an old handle cannot find a new table. */
  readonly generation: string;
}

export class Catalogue {
  readonly #connection: Connection;
  readonly #address: Address;
  readonly #prefix: string;
  #table: Table | null = null;

  constructor(connection: Connection, address: Address, workspaceKey: string) {
    this.#connection = connection;
    this.#address = address;
    this.#prefix = `w${workspaceKey}_`;
  }

  chunksName(generation: string): string {
    return `${this.#prefix}chunks_${generation}`;
  }

  documentsName(generation: string): string {
    return `${this.#prefix}documents_${generation}`;
  }

  get name(): string {
    return `${this.#prefix}catalogue`;
  }

  /**
   * Oldest first; none where there is no index.
   * @throws PreflexorError `index-newer`, `index-failed`
   */
  async entries(): Promise<readonly CatalogueEntry[]> {
    const table = await this.#open();
    if (!table) return [];
    await table.checkoutLatest();
    const rows = (await table.query().select(['generation', 'entry']).toArray()) as {
      generation: string;
      entry: string;
    }[];
    const entries = rows.map(({ generation, entry }) => this.#decode(generation, entry));
    return entries.sort((a, b) => a.order - b.order);
  }

  #decode(generation: string, text: string): CatalogueEntry {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw broken(this.#address, error);
    }
    const version = z.object({ schema: z.int() }).safeParse(json).data?.schema ?? 0;
    if (version > schemaVersion) throw newer(this.#address, version, schemaVersion);
    const entry = Entry.safeParse(json);
    if (!entry.success) throw broken(this.#address, entry.error);
    return { ...entry.data, generation };
  }

  /** Enters a generation that is yet to be filled. Its tables are made after this. */
  async add(identity: IndexIdentity, order: number): Promise<CatalogueEntry> {
    const generation = randomBytes(4).toString('hex');
    const entry = { schema: schemaVersion, order, complete: false, identity };
    const table =
      (await this.#open()) ??
      (this.#table = await this.#connection.createEmptyTable(this.name, catalogueSchema, { existOk: true }));
    await table.add(rowOf(generation, entry));
    return { ...entry, generation };
  }

  /** Replaces one entry, in one commit. */
  async update({ generation, ...entry }: CatalogueEntry): Promise<void> {
    const table = await this.#open();
    await table?.mergeInsert('generation').whenMatchedUpdateAll().execute(rowOf(generation, entry));
  }

  async remove(generations: readonly string[]): Promise<void> {
    const table = await this.#open();
    if (generations.length > 0) await table?.delete(`generation IN (${literals(generations)})`);
  }

  /** Drops tables that no entry names: left by a process that was killed, or by a switch. */
  async sweep(): Promise<void> {
    // The tables first: one that is made after this list was taken is not on it.
    const tables = await tableNames(this.#connection, this.#prefix);
    const named = (await this.entries()).flatMap(({ generation }) => [
      this.chunksName(generation),
      this.documentsName(generation),
    ]);
    const generations = tables.filter((name) => /_(chunks|documents)_[0-9a-f]{8}$/.test(name));
    await this.#drop(generations.filter((name) => !named.includes(name)));
  }

  /** Drops the whole index of this workspace, readable or not. */
  async discard(): Promise<void> {
    this.#table?.close();
    this.#table = null;
    const tables = await tableNames(this.#connection, this.#prefix);
    // The catalogue goes first: without it all others are rubbish.
    if (tables.includes(this.name)) await this.#connection.dropTable(this.name);
    await this.#drop(tables.filter((name) => /_(chunks|documents)_[0-9a-f]{8}$/.test(name)));
  }

  async #drop(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#connection.dropTable(name);
  }

  async #open(): Promise<Table | null> {
    if (this.#table) return this.#table;
    const names = await tableNames(this.#connection, this.name);
    if (!names.includes(this.name)) return null;
    try {
      this.#table = await this.#connection.openTable(this.name);
    } catch (error) {
      throw storeFailure(error, this.#address);
    }
    return this.#table;
  }

  close(): void {
    this.#table?.close();
    this.#table = null;
  }
}

function rowOf(generation: string, entry: z.infer<typeof Entry>) {
  const values: Record<string, string> = { generation, entry: JSON.stringify(entry) };
  return tableOf(catalogueSchema, 1, (name) => [values[name] ?? '']);
}

/** Names of the tables that begin with `prefix`, all pages of them. */
export async function tableNames(connection: Connection, prefix: string): Promise<readonly string[]> {
  const names: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await connection.listTables(pageToken === undefined ? {} : { pageToken });
    names.push(...page.tables);
    pageToken = page.pageToken || undefined;
  } while (pageToken !== undefined);
  return names.filter((name) => name.startsWith(prefix));
}
