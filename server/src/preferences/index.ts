// What the writer decided, and the texts it was about: the ledger and the stored runs of a workspace.
export { openLedger } from './ledger.ts';
export type {
  Appended,
  AppendedTogether,
  Decision,
  Ledger,
  LedgerContent,
  LedgerOptions,
  Together,
} from './ledger.ts';
export type { LedgerProblem } from './ledgerFile.ts';
export { runsStore } from './runs.ts';
export type { RunProblem, RunsOptions, RunsStore, StoredRun } from './runs.ts';
export { waitingDecisions } from './waitingRoom.ts';
export * from './pairs/index.ts';
export { isFolderOff, offFileName, recordingAllowed, type RecordingSettings } from './consent.ts';
export { ExportRegister, notePathHash, type RegisteredExport } from './exportRegister.ts';
export type { ForgetRule, ForgottenLines } from './forgetting.ts';
export { ImportedPairs } from './importedPairs.ts';
