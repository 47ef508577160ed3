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
  if (PreflexorError.is(error)) {
    const { code, message, remedy } = error;
    return new ResponseError(LSPErrorCodes.RequestFailed, sentence(error), { code, message, remedy });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ResponseError(LSPErrorCodes.RequestFailed, `Something unexpected went wrong: ${message}`, {
    code: 'unexpected',
    message,
    remedy: null,
  });
}

/** Decodes what a client sent. @throws PreflexorError `bad-input` that names the field and what is wrong with it */
export function decodeParams<S extends z.ZodType>(method: string, schema: S, params: unknown): z.infer<S> {
  const decoded = schema.safeParse(params);
  if (decoded.success) return decoded.data;
  throw new PreflexorError('bad-input', `${method}: ${z.prettifyError(decoded.error)}`);
}
