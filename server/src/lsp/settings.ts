// Settings as the editor gives them, per note, asked for once and again after each change.
import type { Connection } from 'vscode-languageserver/node';
import { decodeSettings, type Settings } from '../protocol/index.ts';

/** Reads the section `preflexor` by `workspace/configuration`, or from what `initialize` brought along. */
export class SettingsSource {
  readonly #connection: Connection;
  #canPull = false;
  #pushed: unknown = undefined;
  readonly #known = new Map<string, Promise<Settings>>();
  readonly #told = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @param pushed settings for editors that can't be asked */
  initialize(canPull: boolean, pushed: unknown): void {
    this.#canPull = canPull;
    this.#pushed = pushed;
  }

  /** Forgets what was read; `pushed` is what a client without pull sends along. */
  didChange(pushed: unknown): void {
    if (!this.#canPull) this.#pushed = section(pushed) ?? this.#pushed;
    this.#known.clear();
  }

  /** Settings for a note, or for the machine when no note is given. Wrong values are named in the log, once. */
  for(uri?: string): Promise<Settings> {
    const key = uri ?? '';
    const known = this.#known.get(key) ?? this.#read(uri);
    this.#known.set(key, known);
    return known;
  }

  async #read(uri: string | undefined): Promise<Settings> {
    const raw: unknown = this.#canPull
      ? await this.#connection.workspace.getConfiguration({
          section: 'preflexor',
          ...(uri && { scopeUri: uri }),
        })
      : this.#pushed;
    const { settings, problems } = decodeSettings(raw);
    for (const problem of problems) {
      if (this.#told.has(problem)) continue;
      this.#told.add(problem);
      this.#connection.console.warn(problem);
    }
    return settings;
  }
}

function section(settings: unknown): unknown {
  return typeof settings === 'object' && settings !== null && 'preflexor' in settings
    ? settings.preflexor
    : undefined;
}
