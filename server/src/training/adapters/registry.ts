// The adapters of this machine: one folder each in the application home, which appears whole or not at all, and for
// each base model the one that is in use.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile } from '../../engine/models/index.ts';
import { PreflexorError } from '../../errors.ts';
import {
  ActiveAdapters,
  AdapterId,
  AdapterRecord,
  type GateVerdict,
  type ModelIdentity,
} from '../../protocol/index.ts';
import { isMissing, makeFolders, syncFolder, systemCode, withLock, writeDurably } from '../../state/index.ts';
import type { Clock } from '../../state/index.ts';
import { peftConfigName, peftTensorsName } from './peftFolder.ts';

/** The files of an adapter, wherever they are. */
export interface AdapterFiles {
  readonly gguf: string;
  /** Folder in PEFT's form. */
  readonly peft: string;
}

export interface StoredAdapter extends AdapterFiles {
  readonly record: AdapterRecord;
}

/** What is known of an adapter that is about to be stored. */
export interface NewAdapter {
  readonly files: AdapterFiles;
  readonly base: ModelIdentity;
  readonly architecture: string;
  readonly rank: number;
  readonly origin: AdapterRecord['origin'];
}

/** What one base model is used with: now, and before, the latest last. null: without adapter. */
interface Uses {
  readonly now: string | null;
  readonly before: readonly (string | null)[];
}

const incomingPrefix = '.incoming-';
const mostBefore = 50;

export class AdapterRegistry {
  readonly #folder: string;
  readonly #now: Clock;

  /** @param home the application home; adapters go into its folder `adapters` */
  constructor(home: string, now: Clock) {
    this.#folder = join(home, 'adapters');
    this.#now = now;
  }

  /** All adapters, oldest first. A folder that cannot be understood is left out. */
  async list(): Promise<StoredAdapter[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const found = await Promise.all(names.filter(isId).map((id) => this.find(id)));
    return found
      .filter((adapter) => adapter !== null)
      .sort((a, b) => (a.record.created < b.record.created ? -1 : 1));
  }

  /** The adapter with this id, or null. */
  async find(id: string): Promise<StoredAdapter | null> {
    if (!isId(id)) return null;
    const folder = join(this.#folder, id);
    const text = await readFile(join(folder, 'record.json'), 'utf8').catch(() => null);
    const decoded = text === null ? null : AdapterRecord.safeParse(parseJson(text));
    if (!decoded?.success || decoded.data.id !== id) return null;
    return { record: decoded.data, gguf: join(folder, 'adapter.gguf'), peft: join(folder, 'peft') };
  }

  /** As `find`, but an id that is not there is a `bad-input` which names those that are. */
  async get(id: string): Promise<StoredAdapter> {
    const adapter = await this.find(id);
    if (adapter) return adapter;
    const known = (await this.list()).map(({ record }) => record.id);
    throw new PreflexorError('bad-input', `There is no adapter ${id}.`, {
      remedy: known.length > 0 ? `Choose one of: ${known.join(', ')}.` : 'Train or import one first.',
    });
  }

  /**
   * Stores copies of an adapter's files under an id made of their hash. One that is here already stays as it is.
   * @throws PreflexorError `disk-full`, `read-only`, `cancelled`
   */
  async add(adapter: NewAdapter, signal: AbortSignal): Promise<StoredAdapter> {
    const gguf = await hashFile(adapter.files.gguf, signal);
    const peft = await hashFile(join(adapter.files.peft, peftTensorsName), signal);
    const { base, architecture, rank, origin } = adapter;
    const id = `${nameOf(origin)}-${gguf.slice(0, 10)}`;
    const here = await this.find(id);
    if (here) return here;
    const created = new Date(this.#now()).toISOString();
    const record: AdapterRecord = { schema: 1, id, created, base, architecture, gguf, peft, rank, origin };
    await makeFolders(this.#folder);
    await this.#removeLeftovers();
    const incoming = join(this.#folder, `${incomingPrefix}${randomBytes(8).toString('hex')}`);
    try {
      await mkdir(join(incoming, 'peft'), { recursive: true });
      await copyDurably(adapter.files.gguf, join(incoming, 'adapter.gguf'));
      for (const name of [peftConfigName, peftTensorsName]) {
        await copyDurably(join(adapter.files.peft, name), join(incoming, 'peft', name));
      }
      await writeDurably(join(incoming, 'record.json'), `${JSON.stringify(record, null, 2)}\n`);
      await rename(incoming, join(this.#folder, id)).catch((error: unknown) => {
        // Another process stored the same adapter meanwhile.
        if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
      });
      await syncFolder(this.#folder);
    } finally {
      await rm(incoming, { recursive: true, force: true });
    }
    return await this.get(id);
  }

  /**
   * Marks an adapter: something that it was trained on was forgotten. Its weights stay as they are; whether they are
   * used further is the writer's decision. A mark stays as it was first made.
   */
  async markForgotten(id: string): Promise<StoredAdapter> {
    const adapter = await this.get(id);
    if (adapter.record.forgotten !== undefined) return adapter;
    const record: AdapterRecord = { ...adapter.record, forgotten: new Date(this.#now()).toISOString() };
    await writeDurably(join(this.#folder, id, 'record.json'), `${JSON.stringify(record, null, 2)}\n`);
    return { ...adapter, record };
  }

  /** Keeps what the gate said of an adapter; a later verdict takes the place of an earlier one. */
  async judged(id: string, verdict: GateVerdict): Promise<StoredAdapter> {
    const adapter = await this.get(id);
    const record: AdapterRecord = { ...adapter.record, verdict };
    await writeDurably(join(this.#folder, id, 'record.json'), `${JSON.stringify(record, null, 2)}\n`);
    return { ...adapter, record };
  }

  /** The id of the adapter in use on a base model, given by its hash; null: none. */
  async activeFor(baseSha256: string): Promise<string | null> {
    return (await this.#active()).active[baseSha256] ?? null;
  }

  /** Puts an adapter into use on its base model. */
  async use(id: string): Promise<StoredAdapter> {
    const adapter = await this.get(id);
    await this.#change(adapter.record.base.sha256, ({ now, before }) => {
      return { now: id, before: now === id ? before : [...before, now] };
    });
    return adapter;
  }

  /** Takes a base model's adapter out of use. */
  async useNone(baseSha256: string): Promise<void> {
    await this.#change(baseSha256, ({ now, before }) => {
      return { now: null, before: now === null ? before : [...before, now] };
    });
  }

  /** What `rollBack` would put into use, null being the model without adapter; undefined: there is nothing before. */
  async beforeFor(baseSha256: string): Promise<string | null | undefined> {
    const before = (await this.#active()).before[baseSha256] ?? [];
    const known = await Promise.all(before.map(async (id) => id === null || (await this.find(id)) !== null));
    return before.filter((_, at) => known[at]).at(-1);
  }

  /** Puts into use what was in use before. @throws PreflexorError `bad-input`: nothing was */
  async rollBack(baseSha256: string): Promise<void> {
    const wanted = await this.beforeFor(baseSha256);
    if (wanted === undefined)
      throw new PreflexorError('bad-input', 'No other adapter was in use before.', {
        remedy: 'Choose one from the list of adapters.',
      });
    await this.#change(baseSha256, ({ before }) => {
      return { now: wanted, before: before.slice(0, before.lastIndexOf(wanted)) };
    });
  }

  /** Adapters in use, by the hashes of their base models. */
  async inUse(): Promise<Readonly<Record<string, string>>> {
    return (await this.#active()).active;
  }

  async #active(): Promise<ActiveAdapters> {
    const none: ActiveAdapters = { schema: 1, active: {}, before: {} };
    const text = await readFile(this.#activeFile, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    const decoded = text === null ? null : ActiveAdapters.safeParse(parseJson(text));
    return decoded?.success ? decoded.data : none;
  }

  async #change(base: string, change: (uses: Uses) => Uses): Promise<void> {
    await makeFolders(this.#folder);
    await withLock([`${this.#activeFile}.lock`], async () => {
      const { active, before } = await this.#active();
      const { [base]: now = null, ...others } = active;
      const next = change({ now, before: before[base] ?? [] });
      const content: ActiveAdapters = {
        schema: 1,
        active: next.now === null ? others : { ...others, [base]: next.now },
        before: { ...before, [base]: next.before.slice(-mostBefore) },
      };
      await writeDurably(this.#activeFile, `${JSON.stringify(content, null, 2)}\n`);
    });
  }

  get #activeFile(): string {
    return join(this.#folder, 'active.json');
  }

  /** What a killed process left an hour ago or more. */
  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(incomingPrefix)) continue;
      const folder = join(this.#folder, name);
      const changed = await stat(folder).catch(() => null);
      if (changed && this.#now() - changed.mtimeMs > 3_600_000) {
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
}

function isId(name: string): boolean {
  return AdapterId.safeParse(name).success;
}

function nameOf(origin: AdapterRecord['origin']): string {
  return origin.kind === 'trained' ? origin.run.parameters.loss : 'imported';
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(to));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
