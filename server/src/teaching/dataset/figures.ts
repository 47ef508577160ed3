// Figures of a whole dataset. Pure.
import { mean } from '../../evaluation/index.ts';
import {
  preflexorMarkers,
  type DatasetDiversity,
  type DatasetSample,
  type SampleProblem,
} from '../../protocol/index.ts';
import { readSegments, textOf } from '../../reasoning/index.ts';
import { wordsOf } from '../../words.ts';
import type { CorpusChunk } from './ports.ts';

/** How many samples failed, by reason. A sample may have several. */
export function refusedBy(samples: readonly DatasetSample[]): Partial<Record<SampleProblem, number>> {
  const counts: Partial<Record<SampleProblem, number>> = {};
  for (const { checks } of samples)
    for (const problem of checks.problems) counts[problem] = (counts[problem] ?? 0) + 1;
  return counts;
}

export function diversityOf(
  samples: readonly DatasetSample[],
  chunks: readonly CorpusChunk[],
): DatasetDiversity {
  const kept = samples.filter((sample) => sample.kept);
  const asked = samples.filter(({ question }) => question !== '');
  const duplicates = samples.filter(({ checks }) => checks.problems.includes('duplicate'));
  const chosen = kept.map((sample) => wordsOf(sample.chosen).length);
  const rejected = kept.map((sample) => wordsOf(sample.rejected).length);
  const longer = kept.map((sample) => answerWords(sample.chosen) > answerWords(sample.rejected));
  return {
    documents: {
      used: new Set(kept.map(({ note }) => note.path)).size,
      of: new Set(chunks.map(({ document }) => document)).size,
    },
    chunks: { used: new Set(kept.map(({ evidence }) => evidence[0]?.id)).size, of: chunks.length },
    duplicateShare: asked.length === 0 ? 0 : duplicates.length / asked.length,
    meanNearest: meanOf(kept.map(({ checks }) => checks.nearest)),
    meanDifference: meanOf(kept.map(({ checks }) => checks.difference)),
    meanGrounded: meanOf(kept.map(({ checks }) => checks.grounded)),
    chosenWords: kept.length === 0 ? 0 : mean(chosen),
    rejectedWords: kept.length === 0 ? 0 : mean(rejected),
    longerChosen: kept.length === 0 ? null : longer.filter(Boolean).length / longer.length,
  };
}

function answerWords(completion: string): number {
  return wordsOf(textOf(readSegments(completion, preflexorMarkers), 'answer')).length;
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}
