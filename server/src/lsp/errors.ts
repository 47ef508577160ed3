// How a failure reaches the editor: the one place where errors become the protocol's.
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { z } from 'zod';
import { PreflexorError, sentence } from '../errors.ts';
import type { ErrorReport } from '../protocol/index.ts';

/**
 * The response error for a failure: cancelled work by the protocol's own code, an expected failure as
 * `RequestFailed` with an ErrorReport in `data`, anything else as an internal error.
 */
export function responseError(error: unknown): ResponseError<ErrorReport> {
  if (PreflexorError.is(error, 'cancelled')) {
    return new ResponseError(LSPErrorCodes.RequestCancelled, error.message);
  }
  const report = reportOf(error);
  const message = PreflexorError.is(error)
    ? sentence(error)
    : `Something unexpected went wrong: ${report.message}`;
  return new ResponseError(LSPErrorCodes.RequestFailed, message, report);
}

/** A failure as it is told beside other results. */
export function reportOf(error: unknown): ErrorReport {
  if (PreflexorError.is(error)) {
    const { code, message, remedy } = error;
    return { code, message, remedy };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'unexpected', message, remedy: null };
}

/** Decodes what a client sent. @throws PreflexorError `bad-input` that names the field and what is wrong with it */
export function decodeParams<S extends z.ZodType>(method: string, schema: S, params: unknown): z.infer<S> {
  const decoded = schema.safeParse(params);
  if (decoded.success) return decoded.data;
  throw new PreflexorError('bad-input', `${method}: ${z.prettifyError(decoded.error)}`);
}
