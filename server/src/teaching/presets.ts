// Plain names for whole sets of numbers, for those who do not want to know them; every one can be said instead.
import type { DatasetSettings } from '../protocol/index.ts';

export const presetNames = ['quick', 'overnight', 'paper'] as const;
export type PresetName = (typeof presetNames)[number];

export type DatasetPreset = Omit<DatasetSettings, 'phase' | 'parts'> & {
  /** Of the prompt set's headings, the first so many. */
  readonly headings: number;
};

/** Temperatures and shares that all presets share. */
const shared = {
  topic: null,
  heldoutShare: 0.2,
  temperature: 0.3,
  answersTemperature: 0.8,
} as const;

const short = { headings: 3, partTokens: 80, reflectionTokens: 80, answerTokens: 96 } as const;
const long = { headings: 12, partTokens: 160, reflectionTokens: 160, answerTokens: 256 } as const;

/** What phase I's data is made of, the headings aside: those come from the prompt set. */
export const datasetPresets: Readonly<Record<PresetName, DatasetPreset>> = {
  quick: { ...shared, ...short, chunks: 1, passages: 1, perChunk: 3, answers: 0, judge: 'reference' },
  overnight: { ...shared, ...long, chunks: 1, passages: 3, perChunk: 3, answers: 0, judge: 'both' },
  // The paper draws three passages a sample.
  paper: { ...shared, ...long, chunks: 3, passages: 3, perChunk: 5, answers: 0, judge: 'both' },
};
