// What went wrong with a request, in the server's words, and what the writer can press about it.
// Pure: showing it is showFailure.ts and the Iterations view.
import type { ErrorCode } from '../../server/src/errors.ts';
import { ErrorReport, type FailureSnapshot, type RemedyAction } from '../../server/src/protocol/index.ts';

/** Codes of the protocol itself: LSP 3.17 `LSPErrorCodes`, and those of vscode-jsonrpc for a lost connection. */
const requestCancelled = -32800;
const serverCancelled = -32802;
const connectionInactive = -32096;
const pendingResponseRejected = -32097;

export interface Failure extends FailureSnapshot {
  /** An ErrorCode, or one of the client's own. `cancelled` is the writer's doing and is never shown as a failure. */
  readonly code: string;
}

type KnownCode = ErrorCode | 'unexpected' | 'server-down';

/** What helps with a failure, besides the remedy that its sentence names. */
const helpful = new Map<string, readonly RemedyAction[]>(
  Object.entries({
    'no-model': ['chooseModel'],
    'bad-model': ['chooseModel', 'showLog'],
    'unknown-model': ['chooseModel'],
    'out-of-memory': ['chooseModel', 'retry'],
    'context-too-small': ['chooseModel'],
    'engine-crashed': ['retry', 'showLog'],
    'engine-failed': ['retry', 'showLog'],
    'download-failed': ['retry'],
    'checksum-mismatch': ['retry'],
    offline: ['retry'],
    'note-changed': ['retry'],
    'server-down': ['retry', 'showLog', 'reload'],
    unexpected: ['showLog'],
  } satisfies Partial<Record<KnownCode, readonly RemedyAction[]>>),
);

/** Reads whatever a request was rejected with. */
export function failureOf(error: unknown): Failure {
  const code = property(error, 'code');
  if (code === requestCancelled || code === serverCancelled || property(error, 'name') === 'Canceled') {
    return failure('cancelled', 'Stopped.', null);
  }
  if (code === connectionInactive || code === pendingResponseRejected) {
    const message = 'The language server of PRefLexOR has stopped.';
    return failure(
      'server-down',
      message,
      'Try again: it starts anew. If it keeps stopping, its log says why.',
    );
  }
  const report = ErrorReport.safeParse(property(error, 'data'));
  if (report.success) return failure(report.data.code, report.data.message, report.data.remedy);
  if (property(error, 'name') === 'ZodError') {
    return failure('unexpected', 'The language server gave an answer that could not be read.', null);
  }
  const message = property(error, 'message');
  return failure('unexpected', typeof message === 'string' ? message : String(error), null);
}

/** A failure that the client itself meets. */
export function failure(code: string, message: string, remedy: string | null): Failure {
  return { code, message, remedy, actions: [...(helpful.get(code) ?? [])] };
}

/** One line for a person: what happened, then what to do. */
export function sentenceOf({ message, remedy }: FailureSnapshot): string {
  return remedy === null ? message : `${message} ${remedy}`;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
