// Older tables brought to the present version, in place. Each step may be killed and is then done again, so it
// looks first whether it has been done; a version without a step is built anew.
import type { Table } from '@lancedb/lancedb';
import { schemaVersion } from './identity.ts';

interface Tables {
  readonly chunks: Table;
  readonly documents: Table;
}

/** What leads from the version to the next one. */
const steps: Readonly<Record<number, (tables: Tables) => Promise<void>>> = {
  // Joined by a character that stands in no tag (unit separator), because SQL lowers texts and not lists.
  1: async ({ chunks }) => {
    if (await hasColumn(chunks, 'tag_keys')) return;
    const valueSql = 'string_to_array(lower(array_to_string(tags, chr(31))), chr(31))';
    await chunks.addColumns([{ name: 'tag_keys', valueSql }]);
  },
};

export function canMigrate(from: number): boolean {
  for (let version = from; version < schemaVersion; version += 1) if (!steps[version]) return false;
  return from <= schemaVersion;
}

/** Resolves when the tables are of the present version. The caller then enters that in the catalogue. */
export async function migrate(from: number, tables: Tables): Promise<void> {
  for (let version = from; version < schemaVersion; version += 1) {
    const step = steps[version];
    if (!step) throw new Error(`No way from version ${version} of the tables.`);
    await step(tables);
  }
}

async function hasColumn(table: Table, name: string): Promise<boolean> {
  return (await table.schema()).fields.some((field) => field.name === name);
}
