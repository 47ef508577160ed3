// Failure signatures of one iteration, measured on its text: what is said in method section 2, as far as one
// iteration alone can show it. Comparing iterations is the recursion's business.
import type { Segment, Signal } from '../protocol/index.ts';

/** Words of a repeated run: four words coming back again and again are a loop, not a style. */
const runLength = 4;
const loopThreshold = 0.5;

/** Share of a text's four-word runs that stood there before, 0 (no repetition) to 1. Short texts give 0. */
export function repetition(text: string): number {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const runs = words.length - runLength + 1;
  if (runs < runLength * 2) return 0;
  const seen = new Set<string>();
  for (let at = 0; at < runs; at += 1) seen.add(words.slice(at, at + runLength).join(' '));
  return 1 - seen.size / runs;
}

/** The signals that one iteration's own text gives: truncation and loops. */
export function signalsOf(segments: readonly Segment[]): Signal[] {
  const truncated = segments.filter((segment) => segment.problems.includes('truncated')).length;
  const answerTruncated = segments.some(
    (segment) => segment.kind === 'answer' && segment.problems.includes('truncated'),
  );
  const loop = Math.max(0, ...segments.map((segment) => repetition(segment.text)));
  return [
    {
      name: 'truncation',
      value: truncated,
      threshold: 1,
      verdict: truncated === 0 ? 'fine' : answerTruncated ? 'failed' : 'doubtful',
    },
    {
      name: 'loop',
      value: loop,
      threshold: loopThreshold,
      verdict: loop < loopThreshold / 2 ? 'fine' : loop < loopThreshold ? 'doubtful' : 'failed',
    },
  ];
}
