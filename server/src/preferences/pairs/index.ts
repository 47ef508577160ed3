// Preference pairs: derived from the ledger, checked, written and read as files. The room's index names what of it
// others may use.
export {
  changesPair,
  curatedPairs,
  curationsIn,
  curationsOf,
  lastState,
  statesOf,
  withAction,
  type CuratedState,
  type CurationRecord,
} from './curation.ts';
export { defaultQuietMs, derivePairs, pairId, type DeriveOptions, type History } from './derive.ts';
export type { PresentNote } from './settled.ts';
export { defaultSplit, type SplitRule } from './split.ts';
export { spansIn } from './completion.ts';
export { strengths } from './preference.ts';
export {
  exportPairs,
  folderFormats,
  llamaFactoryInfo,
  type Export,
  type ExportFile,
} from './files/exporting.ts';
export { pairRow } from './files/rows.ts';
export { importPairs, type Import, type ImportOptions, type Refusal } from './files/importing.ts';
export {
  checkPair,
  checkPairs,
  checkSet,
  type CheckPorts,
  type CountTokens,
  type EmbedTexts,
} from './checks/checkPairs.ts';
export { checkLimits, type CheckLimits } from './checks/checks.ts';
export { languageOf } from './checks/language.ts';
