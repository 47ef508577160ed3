// Requests to the model server: time limits, tries again while nothing has been said yet, failures in words.
// Contacts the address that the writer has set, and no other: redirections are not followed.
import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import { Failure } from './wire.ts';

export interface ServerAccess {
  /** Ends with `/v1`, without a slash after it. */
  readonly base: URL;
  readonly key: string | null;
  readonly fetch: typeof fetch;
  /** Milliseconds until the first byte of an answer. */
  readonly timeoutMs: number;
  /** Milliseconds before the second, third … try. */
  readonly pausesMs: readonly number[];
}

/** Long prompts on slow machines take minutes before the first token. */
export const usualTimeoutMs = 300_000;
export const usualPausesMs: readonly number[] = [500, 2000, 5000];

/** A server that starts, or has too much to do. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/** `http://host:port` and `http://host:port/v1/` are the same server. @throws PreflexorError `bad-input` */
export function baseOf(address: string): URL {
  let url: URL;
  try {
    url = new URL(address.trim());
  } catch (error) {
    throw badAddress(address, error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw badAddress(address, null);
  if (url.username !== '' || url.password !== '') {
    throw new PreflexorError('bad-input', 'The address of the model server holds a password.', {
      remedy: 'Take it out, and store the key with "Set Key of the Model Server".',
    });
  }
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/v1') ? path : `${path}/v1`;
  url.search = '';
  url.hash = '';
  return url;
}

function badAddress(address: string, cause: unknown): PreflexorError {
  return new PreflexorError('bad-input', `“${address.slice(0, 200)}” is not the address of a server.`, {
    remedy: 'Set preflexor.engine.url to something like http://127.0.0.1:8080.',
    cause,
  });
}

/**
 * Sends a request; tries again after failures that pass. @param path below the base, or `/…` beside it
 * @throws PreflexorError `cancelled`, `engine-failed` with the server's own words
 */
export async function ask(
  access: ServerAccess,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    throwIfCancelled(signal);
    const outcome = await attemptOnce(access, path, body, signal);
    if ('response' in outcome) return outcome.response;
    const pause = outcome.passes ? access.pausesMs[attempt] : undefined;
    if (pause === undefined) throw outcome.error;
    await delay(pause, undefined, { signal }).catch(() => {
      throw cancelled();
    });
  }
}

type Outcome = { readonly response: Response } | { readonly error: PreflexorError; readonly passes: boolean };

async function attemptOnce(
  { base, key, fetch: send, timeoutMs }: ServerAccess,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<Outcome> {
  const url = new URL(
    path.startsWith('/') ? base.pathname.replace(/\/v1$/, '') + path : `${base.pathname}/${path}`,
    base,
  );
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, timeoutMs);
  try {
    const response = await send(url, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'error',
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== null && { authorization: `Bearer ${key}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, late.signal]),
    });
    if (response.ok) return { response };
    return { error: await refused(base, response), passes: passing.has(response.status) };
  } catch (error) {
    if (signal.aborted) throw cancelled();
    return { error: unreachable(base, late.signal.aborted, error), passes: !late.signal.aborted };
  } finally {
    clearTimeout(timer);
  }
}

async function refused(base: URL, response: Response): Promise<PreflexorError> {
  const said = await response.text().catch(() => '');
  const words = wordsOf(said) || response.statusText;
  const wrongKey = response.status === 401 || response.status === 403;
  const message = `The model server at ${base.host} refused (${response.status}): ${words.slice(0, 300)}`;
  return new PreflexorError('engine-failed', message, {
    remedy: wrongKey ? 'Run "PRefLexOR: Set Key of the Model Server".' : 'Its own log may say more.',
  });
}

function wordsOf(body: string): string {
  try {
    const decoded = Failure.safeParse(JSON.parse(body));
    if (!decoded.success) return body;
    const { error } = decoded.data;
    return typeof error === 'string' ? error : error.message;
  } catch {
    return body;
  }
}

function unreachable(base: URL, late: boolean, cause: unknown): PreflexorError {
  const what = late ? 'did not answer in time' : 'cannot be reached';
  return new PreflexorError('engine-failed', `The model server at ${base.host} ${what}.`, {
    remedy: 'Check that it runs and that preflexor.engine.url is right.',
    cause,
  });
}
