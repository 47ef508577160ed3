// Preference pairs: derived from the ledger, checked, written and read as files. The room's index names what of it
// others may use.
export { defaultQuietMs, derivePairs, pairId, type DeriveOptions, type History } from './derive.ts';
export type { PresentNote } from './settled.ts';
export { defaultSplit, type SplitRule } from './split.ts';
