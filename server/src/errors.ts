// Failures that are expected: a code to branch on, a sentence for the writer, and what to do next.

export type ErrorCode =
  | 'cancelled'
  | 'no-model'
  | 'bad-model'
  | 'unknown-model'
  | 'out-of-memory'
  | 'no-gpu'
  | 'engine-crashed'
  | 'engine-failed'
  | 'context-too-small'
  | 'download-failed'
  | 'checksum-mismatch'
  | 'offline'
  | 'not-a-paragraph'
  | 'note-too-large'
  | 'not-text'
  | 'note-missing'
  | 'note-changed'
  | 'read-only'
  | 'disk-full'
  | 'unknown-block'
  | 'unknown-run'
  | 'ledger-failed'
  | 'locked'
  | 'index-failed'
  | 'index-newer'
  | 'index-replaced'
  | 'trainer-failed'
  | 'paused'
  | 'bad-input';

/** `message` says what happened, `remedy` what the writer can do about it (null: nothing). */
export class PreflexorError extends Error {
  override readonly name = 'PreflexorError';
  readonly code: ErrorCode;
  readonly remedy: string | null;

  constructor(code: ErrorCode, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? null;
  }

  static is(error: unknown, code?: ErrorCode): error is PreflexorError {
    return error instanceof PreflexorError && (code === undefined || error.code === code);
  }
}

/** What every cancelled piece of work ends with. */
export function cancelled(): PreflexorError {
  return new PreflexorError('cancelled', 'Stopped.');
}

/** Throws `cancelled` once the signal is aborted. Call it after each await. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled();
}

/** One line for a person: what happened, then what to do. */
export function sentence(error: unknown): string {
  if (error instanceof PreflexorError)
    return error.remedy ? `${error.message} ${error.remedy}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
