// What the reader thread and its owner say to each other. Both sides belong to one build, so messages are typed, not
// decoded; what readers take in from outside is decoded by the readers.
import type { ReadResult } from '../ports.ts';

export type ToThread =
  | {
      readonly type: 'read';
      readonly id: number;
      readonly path: string;
      readonly bytes: Uint8Array;
      readonly maxBytes: number;
    }
  /** The answer to `other`. */
  | { readonly type: 'other'; readonly question: number; readonly bytes: Uint8Array | null }
  | { readonly type: 'stop'; readonly id: number };

export type FromThread =
  /** Wants the bytes of another file. */
  | { readonly type: 'other'; readonly id: number; readonly question: number; readonly path: string }
  | { readonly type: 'done'; readonly id: number; readonly result: ReadResult }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
