// Finds the adapter that somebody named: an id of the registry, a GGUF file, a PEFT folder, or a run's folder; and
// gives it in the form that is needed, converted into a temporary folder where it comes in the other one.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { hashFile, type FoundModel } from '../../engine/models/index.ts';
import { PreflexorError } from '../../errors.ts';
import { makeFolders } from '../../state/index.ts';
import { readGgufAdapter, writeGgufAdapter } from './ggufAdapter.ts';
import { baseLayoutOf, type BaseLayout, type LoraAdapter } from './lora.ts';
import { peftConfigName, readPeftFolder, writePeftFolder } from './peftFolder.ts';
import type { AdapterFiles, AdapterRegistry, StoredAdapter } from './registry.ts';

/** How to say that no adapter is wanted, not even the one in use. */
export const noAdapter = 'base';

/** An adapter for one base model. */
export interface ChosenAdapter {
  /** The registry's id, or the path as it was given. */
  readonly name: string;
  /** The GGUF file, for the engine. */
  gguf(signal: AbortSignal): Promise<string>;
  /** A PEFT folder in the plain form that the trainer reads. */
  peft(signal: AbortSignal): Promise<string>;
}

/** Chooses and imports adapters; what it converts is gone after `dispose`. */
export class AdapterShelf {
  readonly registry: AdapterRegistry;
  #scratch: Promise<string> | null = null;

  constructor(registry: AdapterRegistry) {
    this.registry = registry;
  }

  /**
   * The adapter that `spec` names, for `model`.
   * @throws PreflexorError `bad-input`: there is no such adapter, or it belongs to another model
   */
  async choose(spec: string, model: FoundModel): Promise<ChosenAdapter> {
    const stored = await this.registry.find(spec);
    if (stored) return chooseStored(stored, model);
    const place = await placeOf(spec);
    if (place === null) {
      const known = (await this.registry.list()).map(({ record }) => record.id);
      throw new PreflexorError(
        'bad-input',
        `${spec} is neither an adapter's id, nor a GGUF file or PEFT folder.`,
        {
          remedy: known.length > 0 ? `Known ids: ${known.join(', ')}.` : 'Train or import an adapter first.',
        },
      );
    }
    const convert = async (form: keyof AdapterFiles, signal: AbortSignal) =>
      (await this.#converted(place, model, signal))[form];
    return {
      name: spec,
      gguf: (signal) => (place.kind === 'gguf' ? Promise.resolve(place.path) : convert('gguf', signal)),
      peft: (signal) => convert('peft', signal),
    };
  }

  /** The adapter in use on a model, or null; also when it was deleted since. */
  async active(model: FoundModel): Promise<ChosenAdapter | null> {
    const id = await this.registry.activeFor(model.identity.sha256);
    const stored = id === null ? null : await this.registry.find(id);
    return stored ? chooseStored(stored, model) : null;
  }

  /**
   * Takes a PEFT folder or a GGUF adapter of `model` into the registry.
   * @throws PreflexorError `bad-input` with what cannot be used, `disk-full`, `read-only`, `cancelled`
   */
  async import(path: string, model: FoundModel, signal: AbortSignal): Promise<StoredAdapter> {
    const place = await placeOf(path);
    if (place === null) {
      throw new PreflexorError('bad-input', `${path} holds no adapter.`, {
        remedy: `Name a folder with ${peftConfigName}, or a GGUF adapter.`,
      });
    }
    const layout = await baseLayoutOf(model.file, signal);
    const adapter = await readPlace(place, layout, signal);
    const files = await this.#write(adapter, layout, place.path, signal);
    const origin = { kind: 'imported', from: basename(place.path), baseName: adapter.baseName } as const;
    const rank = Math.max(...adapter.modules.map((module) => module.rank));
    const { architecture } = layout;
    return await this.registry.add({ files, base: model.identity, architecture, rank, origin }, signal);
  }

  /** Removes what was converted. */
  async dispose(): Promise<void> {
    const scratch = this.#scratch;
    this.#scratch = null;
    if (scratch) await rm(await scratch, { recursive: true, force: true });
  }

  async #converted(place: Place, model: FoundModel, signal: AbortSignal): Promise<AdapterFiles> {
    const layout = await baseLayoutOf(model.file, signal);
    return await this.#write(await readPlace(place, layout, signal), layout, place.path, signal);
  }

  /** Both forms, in a folder of the scratch folder. */
  async #write(
    adapter: LoraAdapter,
    layout: BaseLayout,
    source: string,
    signal: AbortSignal,
  ): Promise<AdapterFiles> {
    const name = createHash('sha256').update(source).digest('hex');
    this.#scratch ??= mkdtemp(join(tmpdir(), 'preflexor-adapters-'));
    const folder = join(await this.#scratch, name.slice(0, 16));
    const files = { gguf: join(folder, 'adapter.gguf'), peft: join(folder, 'peft') };
    await makeFolders(folder);
    await writeGgufAdapter(files.gguf, adapter, layout, signal);
    await writePeftFolder(files.peft, adapter);
    return files;
  }
}

/** A stored adapter with its base model checked, and its file when it is asked for. */
function chooseStored({ record, gguf, peft }: StoredAdapter, model: FoundModel): ChosenAdapter {
  if (record.base.sha256 !== model.identity.sha256) {
    throw new PreflexorError(
      'bad-input',
      `The adapter ${record.id} belongs to ${record.base.id} (${record.base.file}), and this is ` +
        `${model.identity.id} (${model.identity.file}).`,
      { remedy: `Use --model ${record.base.id}, or another adapter.` },
    );
  }
  return {
    name: record.id,
    gguf: async (signal) => {
      if ((await hashFile(gguf, signal)) === record.gguf) return gguf;
      throw new PreflexorError('checksum-mismatch', `The adapter ${record.id} was changed or damaged.`, {
        remedy: 'Train or import it again; until then use another one, or none: --adapter base.',
      });
    },
    peft: () => Promise.resolve(peft),
  };
}

interface Place {
  readonly kind: 'gguf' | 'peft';
  readonly path: string;
}

/** What lies at a path: a GGUF file, a PEFT folder, or a training run's folder with both; null: neither. */
async function placeOf(spec: string): Promise<Place | null> {
  const path = resolve(spec);
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return { kind: 'gguf', path };
  if (!found?.isDirectory()) return null;
  const names = await readdir(path);
  if (names.includes(peftConfigName)) return { kind: 'peft', path };
  const inner = join(path, 'peft');
  const ofRun = names.includes('peft') && (await readdir(inner)).includes(peftConfigName);
  return ofRun ? { kind: 'peft', path: inner } : null;
}

async function readPlace({ kind, path }: Place, base: BaseLayout, signal: AbortSignal): Promise<LoraAdapter> {
  return kind === 'gguf' ? await readGgufAdapter(path, base, signal) : await readPeftFolder(path, signal);
}
