// The engine that the settings ask for, made anew when they change.
import type { Engine } from '../engine/index.ts';
import type { EngineStatus, Settings } from '../protocol/index.ts';
import type { ServerKeys } from './keys.ts';
import type { SettingsSource } from './settings.ts';

/** The settings that decide which engine it is. */
const engineKeys = [
  'model',
  'engine.gpu',
  'engine.contextTokens',
  'engine.threads',
  'engine.idleUnloadMinutes',
  'engine.url',
  'engine.urlModel',
  'engine.urlAdapter',
] as const satisfies readonly (keyof Settings)[];

/** The settings that decide which critic it is. */
export const criticKeys = [...engineKeys, 'reasoning.critic'] as const satisfies readonly (keyof Settings)[];

/** Holds one engine at a time. */
export class EngineHolder {
  readonly #settings: SettingsSource;
  readonly #create: (settings: Settings, key: string | null, adapter: string | null) => Engine;
  readonly #serverKeys: ServerKeys;
  readonly #onStatus: (status: EngineStatus) => void;
  readonly #keys: readonly (keyof Settings)[];
  /** What a run was last made with: an adapter of its note's own (null: the one in use), and which are in use. */
  #adapter: { readonly own: string | null; readonly inUse: string } = { own: null, inUse: '' };
  #current: { readonly key: string; readonly engine: Engine } | null = null;

  constructor(
    settings: SettingsSource,
    create: (settings: Settings, key: string | null, adapter: string | null) => Engine,
    serverKeys: ServerKeys,
    onStatus: (status: EngineStatus) => void,
    keys: readonly (keyof Settings)[] = engineKeys,
  ) {
    this.#keys = keys;
    this.#settings = settings;
    this.#create = create;
    this.#serverKeys = serverKeys;
    this.#onStatus = onStatus;
  }

  /**
   * The engine for a run that begins now, when none other goes on: adapters may have been put into use meanwhile.
   * @param own of the run's note; null: the one that is in use
   */
  async forRun(own: string | null, inUse: Readonly<Record<string, string>>): Promise<Engine> {
    this.#adapter = { own, inUse: JSON.stringify(inUse) };
    return await this.get();
  }

  /** The engine for the machine's present settings. Another one that was there ends, and its work with it. */
  async get(): Promise<Engine> {
    const settings = await this.#settings.for();
    const serverKey = this.#serverKeys.for(settings);
    const { own, inUse } = this.#adapter;
    const key = JSON.stringify([...this.#keys.map((name) => settings[name]), serverKey, own, inUse]);
    if (this.#current?.key === key) return this.#current.engine;
    const previous = this.#current;
    const engine = this.#create(settings, serverKey, own);
    engine.onStatus(this.#onStatus);
    this.#current = { key, engine };
    await previous?.engine.dispose();
    this.#onStatus(engine.status());
    return engine;
  }

  async unload(): Promise<void> {
    await this.#current?.engine.unload();
  }

  async dispose(): Promise<void> {
    await this.#current?.engine.dispose();
    this.#current = null;
  }
}
