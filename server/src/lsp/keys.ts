// Keys of model servers, in memory only: never on disk, never in a log. A key goes to the address that it was given
// for and to no other.
import type { Settings } from '../protocol/index.ts';

export class ServerKeys {
  readonly #keys = new Map<string, string>();

  /** Keeps a key, or forgets it (null). An address that is none has no key. */
  set(address: string, key: string | null): void {
    const origin = originOf(address);
    if (origin === null) return;
    if (key === null) this.#keys.delete(origin);
    else this.#keys.set(origin, key);
  }

  /** The key for the server that these settings name; null: there is none. */
  for({ 'engine.url': address }: Pick<Settings, 'engine.url'>): string | null {
    const origin = originOf(address);
    return origin === null ? null : (this.#keys.get(origin) ?? null);
  }
}

/** Scheme, host and port. */
function originOf(address: string): string | null {
  try {
    const { protocol, host } = new URL(address);
    return protocol === 'http:' || protocol === 'https:' ? `${protocol}//${host}` : null;
  } catch {
    return null;
  }
}
