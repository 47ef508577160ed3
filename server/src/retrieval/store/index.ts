// The index store on LanceDB: a folder, an object store, or LanceDB Cloud. The only room that knows LanceDB.
export { openForSearch, openIndex, repairIndex } from './openIndex.ts';
export type { Generation, OpenIndex, Repair, StoreOptions } from './openIndex.ts';
export type { IndexIdentity } from './identity.ts';
export { openGraphTables } from './graphTables.ts';
export type { GraphTablesStore } from './graphTables.ts';
