// Keeping the index current: what is indexed and why not, one run, and the service that starts runs.
export { defaultTimes, realTimers } from './changes.ts';
export type { ChangeTimes, Timers } from './changes.ts';
export { explain } from './explain.ts';
export { defaultLimits, everything } from './parts.ts';
export type {
  DocumentChunker,
  DocumentReader,
  IndexLimits,
  IndexParts,
  IndexProgress,
  IndexRequest,
  VectorCache,
} from './parts.ts';
export type { ScanSettings } from './rules.ts';
export { runIndex } from './runIndex.ts';
export { scan } from './scan.ts';
export type { ScanOptions, ScanResult } from './scan.ts';
export { IndexService } from './service.ts';
export type { ServiceParts } from './service.ts';
export { IndexSession } from './session.ts';
export type { OpenedIndex, SessionParts, SessionRun } from './session.ts';
export { FileVectorCache, noVectorCache } from './vectorCache.ts';
export type { FileVectorCacheOptions } from './vectorCache.ts';
export { WorkspaceWalker, nodeWorkspaceFileSystem } from './workspaceWalker.ts';
export type { ScannedFile, WalkerOptions, WorkspaceFileSystem } from './workspaceWalker.ts';
export { Gate, giveTurn } from './yielding.ts';
