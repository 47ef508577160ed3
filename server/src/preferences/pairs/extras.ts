// What picks and ratings say beyond the ledger's own fields. Records keep fields that their schema does not name, so
// these are read where they are, in the shapes that views write them, and are null where they are not.
import { z } from 'zod';
import type { LedgerRecord, SegmentKind } from '../../protocol/index.ts';

const Index = z.int().nonnegative();
const Over = z.union([Index.transform((one) => [one]), z.array(Index)]);
const Verdict = z.union([
  z.enum(['up', 'good', 'helpful']).transform(() => 1),
  z.enum(['down', 'bad', 'unhelpful']).transform(() => -1),
  z.boolean().transform((good) => (good ? 1 : -1)),
  z.number(),
]);
const Section = z.enum(['thinking', 'reflection', 'answer']);
const Rating = z.union([
  z.object({ segment: Section, value: Verdict }),
  z
    .object({ segment: Section, rating: Verdict })
    .transform(({ segment, rating }) => ({ segment, value: rating })),
]);

export interface SectionRating {
  readonly section: SegmentKind;
  readonly good: boolean;
}

/** The iterations that a pick was made over: `over`, one index or several; null where it does not say. */
export function pickedOver(record: LedgerRecord): readonly number[] | null {
  return Over.safeParse(Reflect.get(record, 'over')).data ?? null;
}

/**
 * What was rated, and how: `{segment, value}` at the record itself or in its field `rating`. 0 takes a rating back,
 * and is none.
 */
export function ratingOf(record: LedgerRecord): SectionRating | null {
  const decoded = Rating.safeParse(Reflect.get(record, 'rating')).data ?? Rating.safeParse(record).data;
  if (!decoded || decoded.value === 0 || !Number.isFinite(decoded.value)) return null;
  return { section: decoded.segment, good: decoded.value > 0 };
}
