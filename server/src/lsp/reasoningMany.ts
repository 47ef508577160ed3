// preflexor/reasonMany: the paragraphs of a section or a note, each a run of its own in the queue; preflexor/queue
// and preflexor/didChangeQueue: what waits, in which order, and taking some of it out.
import type { Connection, WorkDoneProgressReporter } from 'vscode-languageserver/node';
import type { z } from 'zod';
import { PreflexorError, type ErrorCode } from '../errors.ts';
import { paragraphsIn, relocate, type ParagraphMark } from '../notes/index.ts';
import {
  queueNotification,
  type ErrorReport,
  type QueuedStep,
  type QueueParams,
  type queueRequest,
  type ReasonEvent,
  type ReasonManyParams,
  type reasonManyRequest,
} from '../protocol/index.ts';
import type { RunQueue } from '../workflow/index.ts';
import type { Notes } from './documents.ts';
import { reportOf } from './errors.ts';
import { ProgressStream } from './progressStream.ts';
import { joinedText, type Reasoning } from './reasoning.ts';

export interface ManyParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly queue: RunQueue;
  readonly reasoning: Reasoning;
}

type ManyResult = z.infer<typeof reasonManyRequest.result>;
type QueueResult = z.infer<typeof queueRequest.result>;

export interface ReasoningMany {
  /** Reasons about them one by one, to the end of the last. @throws PreflexorError */
  reasonMany(
    params: ReasonManyParams,
    progress: WorkDoneProgressReporter,
    signal: AbortSignal,
  ): Promise<ManyResult>;
  queue(params: QueueParams): Promise<QueueResult>;
}

/** Failures that every other paragraph would meet too. */
const hopeless: ReadonlySet<ErrorCode> = new Set([
  'no-model',
  'bad-model',
  'unknown-model',
  'out-of-memory',
  'no-gpu',
  'offline',
]);

export function createReasoningMany({ connection, notes, queue, reasoning }: ManyParts): ReasoningMany {
  /** Those that neither have a suggestion nor wait for one. */
  async function wantedParagraphs({ textDocument: { uri }, scope, position }: ReasonManyParams): Promise<{
    readonly wanted: readonly ParagraphMark[];
    readonly skipped: number;
  }> {
    if (scope === 'section' && !position)
      throw new PreflexorError('bad-input', 'A position in the section is needed.');
    const offset = scope === 'section' && position ? notes.document(uri).offsetAt(position) : undefined;
    const { text } = await notes.note(uri);
    const found = paragraphsIn(text, offset);
    const wanted = found.filter((mark) => !mark.annotated && !queue.holds(uri, mark.text));
    if (wanted.length > 0) return { wanted, skipped: found.length - wanted.length };
    throw new PreflexorError(
      'not-a-paragraph',
      found.length === 0
        ? `There is no paragraph in this ${scope}.`
        : `Each paragraph of this ${scope} has a suggestion already, or waits for one.`,
      { remedy: 'Accept or reject a suggestion, or reason about a single paragraph again.' },
    );
  }

  async function reasonMany(
    params: ReasonManyParams,
    progress: WorkDoneProgressReporter,
    signal: AbortSignal,
  ): Promise<ManyResult> {
    const { uri } = params.textDocument;
    const { wanted, skipped } = await wantedParagraphs(params);
    const stream = new ProgressStream<QueuedStep>(connection, params.partialResultToken, joined);
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    const result: ManyResult = { queued: wanted.length, skipped, finished: 0, stopped: 0, failures: [] };
    const report = (): void => {
      const done = result.finished + result.stopped + result.failures.length;
      progress.report(Math.round((100 * done) / wanted.length), `${done} of ${wanted.length} paragraphs`);
    };
    progress.begin('Reasoning', 0, `0 of ${wanted.length} paragraphs`, true);
    const failed = (error: unknown): { step: 'stopped' } | { step: 'failed'; failure: ErrorReport } => {
      if (PreflexorError.is(error, 'cancelled')) {
        result.stopped += 1;
        return { step: 'stopped' };
      }
      const failure = reportOf(error);
      result.failures.push(failure);
      if (PreflexorError.is(error) && hopeless.has(error.code)) enough.abort();
      return { step: 'failed', failure };
    };
    const runOne = async (mark: ParagraphMark): Promise<void> => {
      const about = { uri, paragraph: mark.text, priority: params.scope, start: mark.start };
      const work = async (stop: AbortSignal, entry: string): Promise<void> => {
        const hear = (event: ReasonEvent): void => {
          stream.push({ step: 'event', entry, event });
          if (event.event === 'finished') stream.flush();
        };
        try {
          const placed = await reasoning.run({ ...params, mark }, hear, stop);
          result.finished += 1;
          stream.push({ step: 'placed', entry, result: placed });
        } catch (error) {
          stream.push({ entry, ...failed(error) });
        }
      };
      try {
        await queue.add(about, either, work, () => notes.isOpen(uri));
      } catch (error) {
        // Its turn never came.
        failed(error);
      }
      stream.flush();
      report();
    };
    try {
      await Promise.all(wanted.map(runOne));
      return result;
    } finally {
      stream.flush();
      progress.done();
    }
  }

  return {
    reasonMany,
    queue: async (params) => {
      if (params.action === 'move') queue.move(params.entry, params.before);
      else if (params.action === 'cancel') queue.cancel(params.entries);
      const place = params.action === 'find' ? await placeOf(notes, queue, params.entry) : null;
      return { entries: queue.entries, place };
    },
  };
}

/** Where an entry's paragraph stands by now; null where it can't be found. */
async function placeOf(notes: Notes, queue: RunQueue, entry: string): Promise<QueueResult['place']> {
  const about = queue.about(entry);
  if (about?.start == null || !notes.isOpen(about.uri)) return null;
  const { text } = await notes.note(about.uri);
  const found = relocate(text, { text: about.paragraph, start: about.start });
  if (!found) return null;
  const document = notes.document(about.uri);
  const range = { start: document.positionAt(found.start), end: document.positionAt(found.end) };
  return { uri: about.uri, range };
}

/** Tells the editor of the queue, once for all that changes at a time. */
export function queueTeller(connection: Connection, queue: () => RunQueue): () => void {
  let told = true;
  return () => {
    if (!told) return;
    told = false;
    setImmediate(() => {
      told = true;
      void connection.sendNotification(queueNotification.method, { entries: queue().entries });
    });
  };
}

function joined(last: QueuedStep, next: QueuedStep): QueuedStep | null {
  if (last.step !== 'event' || next.step !== 'event' || last.entry !== next.entry) return null;
  const event = joinedText(last.event, next.event);
  return event && { ...last, event };
}
