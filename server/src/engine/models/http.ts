// The HTTP that downloads need on top of fetch: redirects under our own rules, tokens that never leave their
// host, and failures sorted into those worth another attempt and those that are final.
import { PreflexorError, type ErrorCode } from '../../errors.ts';

/** What to do when the network does not help. */
export const bringItYourself =
  'Check the connection, or bring the GGUF file from another machine and run "preflexor models add FILE".';

const longestRedirectChain = 10;

interface FailureDetails {
  /** Whether a server answered at all. */
  readonly reached: boolean;
  /** Whether another attempt would end the same way. */
  readonly final?: boolean;
  readonly status?: number;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/** Why an attempt to transfer a file ended. Not for people: see `inWords`. */
export class TransferFailure extends Error {
  readonly reached: boolean;
  readonly final: boolean;
  readonly retryAfterMs: number | null;
  readonly #host: string;
  readonly #status: number | null;

  constructor(url: string, reason: string, details: FailureDetails) {
    super(reason, { cause: details.cause });
    this.#host = hostOf(url);
    this.reached = details.reached;
    this.final = details.final ?? false;
    this.#status = details.status ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }

  /** For an answer that is neither the file nor a piece of it. */
  static ofStatus(response: Response): TransferFailure {
    const { status } = response;
    return new TransferFailure(response.url, `it answered ${status}`, {
      reached: true,
      final: status < 500 && status !== 408 && status !== 425 && status !== 429,
      status,
      retryAfterMs: retryAfter(response.headers.get('retry-after')),
    });
  }

  get wantsToken(): boolean {
    return this.#status === 401 || this.#status === 403;
  }

  inWords(): PreflexorError {
    const [code, message, remedy] = this.#words();
    return new PreflexorError(code, message, { remedy, cause: this });
  }

  #words(): [ErrorCode, string, string] {
    if (!this.reached) return ['offline', `${this.#host} cannot be reached from here.`, bringItYourself];
    if (this.wantsToken) {
      return [
        'download-failed',
        `${this.#host} does not give this file to everybody (it answered ${this.#status}).`,
        'Accept the model’s licence on its page, put an access token into the environment variable HF_TOKEN, and try again.',
      ];
    }
    if (this.#status === 404) {
      return [
        'download-failed',
        `${this.#host} does not have this file (any more).`,
        'Choose another model.',
      ];
    }
    const kept = 'Try again: what has arrived is kept.';
    return ['download-failed', `The download from ${this.#host} ended early: ${this.message}.`, kept];
  }
}

/**
 * Sends a GET and follows redirects to http and https addresses, never from https down to http.
 * `token` and a user name and password in the address go to the address's own origin only.
 * Throws TransferFailure, also when `signal` is aborted.
 */
export async function openWithRedirects(
  address: string,
  headers: Readonly<Record<string, string>>,
  token: string | null,
  signal: AbortSignal,
): Promise<Response> {
  const first = new URL(address);
  const authorization = token === null ? basicAuthorization(first) : `Bearer ${token}`;
  for (let at = withoutCredentials(first), hop = 0; hop <= longestRedirectChain; hop++) {
    const response = await send(
      at,
      {
        // Compressed bytes could not be counted, and so not be resumed.
        'accept-encoding': 'identity',
        ...headers,
        ...(authorization !== null && at.origin === first.origin && { authorization }),
      },
      signal,
    );
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    await response.body?.cancel();
    at = withoutCredentials(nextAddress(at, response.headers.get('location')));
  }
  throw new TransferFailure(address, 'it redirects in circles', { reached: true, final: true });
}

async function send(at: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(at, { redirect: 'manual', headers, signal });
  } catch (error) {
    throw new TransferFailure(at.href, 'it does not answer', { reached: false, cause: error });
  }
}

function nextAddress(from: URL, location: string | null): URL {
  const next = location === null ? null : URL.parse(location, from.href);
  if (next === null || !isAllowed(next, from)) {
    throw new TransferFailure(from.href, 'it redirects to an address that is not allowed', {
      reached: true,
      final: true,
    });
  }
  return next;
}

function isAllowed(next: URL, from: URL): boolean {
  return next.protocol === 'https:' || (next.protocol === 'http:' && from.protocol === 'http:');
}

function basicAuthorization(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** fetch refuses addresses with a user name in them. */
function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** `bytes 100-199/200` or, with 416, `bytes ∗/200`. null for anything else. */
export function parseContentRange(
  header: string | null,
): { start: number | null; total: number | null } | null {
  const [, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(header ?? '') ?? [];
  if (total === undefined) return null;
  return { start: start === undefined ? null : Number(start), total: total === '*' ? null : Number(total) };
}

/** Seconds or a date, as milliseconds from now. */
function retryAfter(header: string | null): number | null {
  if (header === null) return null;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'The server';
}
