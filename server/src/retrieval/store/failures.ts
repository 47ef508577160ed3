// What LanceDB's errors mean. It gives text only: what is told apart here are a full disk, a folder that may
// not be written, a store that does not answer, a query that is wrong (our mistake), and a broken index.
import { cancelled, PreflexorError } from '../../errors.ts';
import { systemCode, writeFailure } from '../../state/index.ts';
import type { Address } from './address.ts';

const noRoom = /no space left on device|os error 28\b|disk quota exceeded|os error 122\b|StorageFull/i;
const notAllowed = /permission denied|os error 13\b|read-only file system|os error 30\b|os error 1\b/i;
const unreachable =
  /error sending request|connection refused|timed? ?out|dns error|connect error|failed to connect|HTTP error|status(?: code)?:? ?(?:40[0137]|429|5\d\d)\b|credential|access ?denied|forbidden|unauthori[sz]ed|InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket|Generic S3 error|Generic GCS error|Generic MicrosoftAzure error/i;
const ourMistake =
  /invalid SQL predicate|No field named|Schema error|ParserError|unresolved|type mismatch in query/i;

/** Error for the writer, or the error itself where it is a mistake of this program. */
export function storeFailure(error: unknown, address: Address): unknown {
  if (error instanceof PreflexorError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (noRoom.test(text)) return writeFailure(withCode(error, 'ENOSPC'), address.uri);
  if (address.kind === 'folder') {
    if (notAllowed.test(text)) return writeFailure(withCode(error, 'EACCES'), address.uri);
    const code = systemCode(error);
    if (code !== null && ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EPERM'].includes(code))
      return writeFailure(error, address.uri);
  } else if (unreachable.test(text)) return notReached(error, address);
  if (ourMistake.test(text)) return error;
  return broken(address, error);
}

/** The index cannot be read any more: the one who fills it builds it anew. */
export function broken(address: Address, cause: unknown): PreflexorError {
  return new PreflexorError('index-failed', `The index at ${address.uri} is damaged.`, {
    remedy: 'It is built anew from your notes; nothing of theirs is lost.',
    cause,
  });
}

/** Another process has put a newer index in this one's place. */
export function replaced(address: Address): PreflexorError {
  return new PreflexorError('index-replaced', `The index at ${address.uri} was replaced by a newer one.`, {
    remedy: 'It is opened again.',
  });
}

export function newer(address: Address, version: number, ours: number): PreflexorError {
  return new PreflexorError(
    'index-newer',
    `The index at ${address.uri} was written by a newer PRefLexOR (its tables have version ${version}, this one knows ${ours}).`,
    { remedy: 'Update PRefLexOR, or keep the index elsewhere (setting retrieval.address).' },
  );
}

function notReached(cause: unknown, address: Address): PreflexorError {
  return new PreflexorError('offline', `The index at ${address.uri} cannot be reached.`, {
    remedy: 'Look at the connection, the address and the credentials in the environment, and try again.',
    cause,
  });
}

function withCode(error: unknown, code: string): Error {
  return Object.assign(new Error(error instanceof Error ? error.message : String(error), { cause: error }), {
    code,
  });
}

/** Waits for `work`, but no longer than the signal lets it: native work cannot be stopped, so it goes on alone. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    throw cancelled();
  }
  return await new Promise<T>((resolve, reject) => {
    const stop = () => {
      reject(cancelled());
    };
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}
