// Where the model server is, out of the setting. Pure.

export interface ServerAddress {
  /** Scheme, host and port: what a key belongs to. */
  readonly origin: string;
  /** Host and port, as writers are told where their text goes. */
  readonly host: string;
}

/** null: the model runs here, or the setting is no address. */
export function serverAddress(setting: unknown): ServerAddress | null {
  if (typeof setting !== 'string' || setting.trim() === '') return null;
  try {
    const { protocol, host, origin } = new URL(setting.trim());
    return protocol === 'http:' || protocol === 'https:' ? { origin, host } : null;
  } catch {
    return null;
  }
}
