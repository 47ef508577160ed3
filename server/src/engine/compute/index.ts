// Who may compute: generation first, embedding and training with what is left.
export { ComputeBudget } from './computeBudget.ts';
export type { ComputeBudgetOptions, ComputeSigns } from './computeBudget.ts';
export { ComputeFiles } from './computeFiles.ts';
export type { ComputeFilesOptions } from './computeFiles.ts';
