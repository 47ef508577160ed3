// Where things live, and writing that survives crashes, full disks and other windows.
export { makeFolders, removeLeftovers, syncFolder, writeDurably } from './durable.ts';
export { isMissing, nodeFileSystem, systemCode, writeFailure } from './fileSystem.ts';
export type { FileOptions, FileSystem } from './fileSystem.ts';
export { nextUlid, ulidSource } from './identifiers.ts';
export type { Clock } from './identifiers.ts';
export { openLineLog } from './lineLog.ts';
export type { LineLog } from './lineLog.ts';
export { withLock } from './locks.ts';
export type { LockOptions } from './locks.ts';
export {
  applicationHome,
  deviceId,
  homePlaces,
  noteHash,
  prepareWorkspace,
  relativeNotePath,
  workspaceKey,
  workspaceOf,
  workspacePlaces,
} from './places.ts';
export type { HomePlaces, WorkspacePlaces, WorkspaceQuestion } from './places.ts';
