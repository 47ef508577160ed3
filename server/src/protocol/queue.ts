// The runs that wait for the model, as the server tells them.
import { z } from 'zod';

/** What was asked for: a paragraph by hand comes before sections, and these before whole notes. */
export const QueuePriority = z.enum(['paragraph', 'section', 'note']);
export type QueuePriority = z.infer<typeof QueuePriority>;

/** One run in the queue. */
export const QueueEntry = z.object({
  /** Unique as long as the server lives. */
  id: z.string().min(1),
  uri: z.string(),
  /** How the paragraph begins, as it was when it was asked about; empty: a run that goes on or is written anew. */
  paragraph: z.string(),
  priority: QueuePriority,
  /** `held`: its note is closed; it waits until that is open again. */
  state: z.enum(['running', 'waiting', 'held']),
});
export type QueueEntry = z.infer<typeof QueueEntry>;

export const QueueParams = z.discriminatedUnion('action', [
  z.object({ action: z.literal('list') }),
  /** In front of another one that waits; null: behind all. In front of what goes on or is over: the first to wait. */
  z.object({ action: z.literal('move'), entry: z.string(), before: z.string().nullable() }),
  z.object({ action: z.literal('cancel'), entries: z.array(z.string()).max(10_000) }),
  /** Where its paragraph stands now. */
  z.object({ action: z.literal('find'), entry: z.string() }),
]);
export type QueueParams = z.infer<typeof QueueParams>;
