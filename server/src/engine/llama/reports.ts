// Errors on their way between engine host and server: only what can be shown to a person crosses.
import { PreflexorError, type ErrorCode } from '../../errors.ts';
import type { ErrorReport } from '../../protocol/index.ts';

/** The codes that an engine host may report; anything else is `engine-failed`. */
const hostCodes: readonly ErrorCode[] = [
  'cancelled',
  'no-model',
  'bad-model',
  'no-gpu',
  'out-of-memory',
  'context-too-small',
  'engine-failed',
  'bad-input',
];

export function reportOf(error: unknown): ErrorReport {
  if (error instanceof PreflexorError) {
    return { code: error.code, message: error.message, remedy: error.remedy };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: 'engine-failed',
    message: `The model library failed: ${reason.trim().replace(/\.?$/, '.')}`,
    remedy: 'Try again; if it happens again, choose another model.',
  };
}

export function errorOf({ code, message, remedy }: ErrorReport): PreflexorError {
  const known = hostCodes.find((each) => each === code) ?? 'engine-failed';
  return new PreflexorError(known, message, remedy === null ? {} : { remedy });
}
