// Preference pairs: derived from the ledger, checked, written and read as files. The room's index names what of it
// others may use.
export { curationsIn, type CurationRecord } from './curation.ts';
export {
  changesPair,
  CuratedPairs,
  curatedPairs,
  type CuratedPair,
  type CuratedState,
} from './curatedPairs.ts';
export { defaultQuietMs, derivePairs, pairId, type DeriveOptions, type History } from './derive.ts';
export type { PresentNote } from './settled.ts';
export { defaultSplit, type SplitRule } from './split.ts';
export { completionOf, spansIn } from './completion.ts';
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
export { checkPair, checkPairs, checkSet, type CheckPorts, type CountTokens } from './checks/checkPairs.ts';
export { NearDuplicates, type EmbedTexts } from './checks/nearDuplicates.ts';
export { checkLimits, type CheckLimits } from './checks/checks.ts';
export { languageOf } from './checks/language.ts';
