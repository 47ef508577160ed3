// Places in a text: the shapes that every other message is built from.
// Offsets are UTF-16 code units from the start of the text, positions are the Language Server Protocol's.
import { z } from 'zod';

export const Position = z.object({
  line: z.int().nonnegative(),
  character: z.int().nonnegative(),
});
export type Position = z.infer<typeof Position>;

export const Range = z.object({ start: Position, end: Position });
export type Range = z.infer<typeof Range>;

/** A half-open stretch `[start, end)` of UTF-16 code units. */
export const OffsetRange = z
  .object({ start: z.int().nonnegative(), end: z.int().nonnegative() })
  .refine((range) => range.end >= range.start, { error: 'end lies before start' });
export type OffsetRange = z.infer<typeof OffsetRange>;

/** One replacement in a note: `text` stands for what was at `[start, end)`. */
export const TextEdit = z.object({
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  text: z.string(),
});
export type TextEdit = z.infer<typeof TextEdit>;

export const TextDocument = z.object({ uri: z.string().min(1) });
export type TextDocument = z.infer<typeof TextDocument>;

/** A work-done or partial-result token of the Language Server Protocol. */
export const ProgressToken = z.union([z.string(), z.number()]);
