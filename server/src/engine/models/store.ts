// The models of this machine: which are there and verified, which can be had, which the user added.
// A file counts as there only when it was verified and has not changed since. Loads nothing.
import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PreflexorError } from '../../errors.ts';
import type {
  CatalogueEntry,
  EmbedderPrefixes,
  MarkerProfile,
  ModelIdentity,
  ModelKind,
  ModelListing,
} from '../../protocol/index.ts';
import { makeFolders } from '../../state/index.ts';
import { catalogue as wholeCatalogue, type CatalogueModel } from './catalogue.ts';
import { describeGguf, modelKindOf, requireModel } from './describe.ts';
import { usualPolicy, type DownloadPolicy } from './download.ts';
import { hashFile, moveIntoPlace, sameStamp, stampOf, withDownloadLock, type FileStamp } from './files.ts';
import { availableMemory } from './fit.ts';
import { bringItYourself } from './http.ts';
import {
  asPath,
  factsOf,
  fileGone,
  idOf,
  listAdded,
  listEntry,
  notHere,
  unknownModel,
  wrongKind,
} from './listing.ts';
import { paced, type OnProgress } from './progress.ts';
import {
  changeAdded,
  readAdded,
  readVerified,
  recordPath,
  writeVerified,
  type AddedModel,
} from './records.ts';
import { discardFetched, mismatch, obtain, requireWhole } from './sources.ts';

export interface ModelStoreOptions {
  /** The application home; models go into its folder `models`. */
  readonly home: string;
  readonly catalogue?: readonly CatalogueModel[];
  /** `HF_ENDPOINT`, `HF_TOKEN`, and what pip goes by. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly policy?: DownloadPolicy;
  readonly availableMemory?: () => Promise<number>;
}

interface FoundFile {
  /** Absolute path of the GGUF file. */
  readonly file: string;
  /** `file` in here is the file's name only. */
  readonly identity: ModelIdentity;
}

/** A language model that can be loaded. */
export interface FoundModel extends FoundFile {
  readonly markers: MarkerProfile;
  readonly chatTemplate: string;
}

/** An embedding model that can be loaded. */
export interface FoundEmbedder extends FoundFile {
  readonly prefixes: EmbedderPrefixes;
  /** Its longest input in tokens, special tokens included. */
  readonly maxTokens: number;
}

/** A reranking model that can be loaded. */
export interface FoundReranker extends FoundFile {
  /** Query and text together, in tokens, special tokens included. */
  readonly maxTokens: number;
}

export interface WorkOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
}

export class ModelStore {
  readonly #folder: string;
  readonly #catalogue: readonly CatalogueModel[];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #policy: DownloadPolicy;
  readonly #availableMemory: () => Promise<number>;

  constructor(options: ModelStoreOptions) {
    this.#folder = join(resolve(options.home), 'models');
    this.#catalogue = options.catalogue ?? wholeCatalogue;
    this.#environment = options.environment ?? process.env;
    this.#policy = options.policy ?? usualPolicy;
    this.#availableMemory = options.availableMemory ?? (() => availableMemory());
  }

  /** The catalogue, then the models that the user added. Reads records and stamps only: fast. */
  async listModels(): Promise<ModelListing[]> {
    const available = await this.#availableMemory();
    const added = await readAdded(this.#folder);
    const ofCatalogue = this.#catalogue.map(async (entry) => {
      const here = await this.#recorded(entry);
      const own = added.find((model) => model.id === entry.id);
      return here === null && own !== undefined
        ? await listAdded(own, available, entry)
        : listEntry(entry, here, available);
    });
    const others = added.filter((model) => this.#entry(model.id) === undefined);
    return await Promise.all([...ofCatalogue, ...others.map((model) => listAdded(model, available))]);
  }

  /**
   * The language model that goes by an id, or that is the GGUF file at a path, ready to be loaded. A file that has
   * no valid record is verified first, which takes seconds for each few gigabytes; a path that is new is added.
   * Throws `no-model`, `unknown-model`, `checksum-mismatch`, `bad-model` (a model of another kind, for one),
   * `cancelled`.
   */
  async findModel(idOrPath: string, options: WorkOptions): Promise<FoundModel> {
    const { model, ...found } = await this.#find(idOrPath, 'language', options);
    return { ...found, markers: model.markers, chatTemplate: model.chatTemplate };
  }

  /** The embedding model of that name. As `findModel`. */
  async findEmbedder(idOrPath: string, options: WorkOptions): Promise<FoundEmbedder> {
    const { model, ...found } = await this.#find(idOrPath, 'embedder', options);
    return { ...found, prefixes: model.prefixes, maxTokens: model.maxTokens };
  }

  /** The reranking model of that name. As `findModel`. */
  async findReranker(idOrPath: string, options: WorkOptions): Promise<FoundReranker> {
    const { model, ...found } = await this.#find(idOrPath, 'reranker', options);
    return { ...found, maxTokens: model.maxTokens };
  }

  async #find<K extends ModelKind>(
    idOrPath: string,
    wanted: K,
    options: WorkOptions,
  ): Promise<FoundFile & { readonly model: KnownModel & { kind: K } }> {
    const named = this.#entry(idOrPath);
    // Before a file is hashed or missed that is of no use anyway.
    if (named !== undefined && named.kind !== wanted) throw wrongKind(named.name, named.kind, wanted);
    const { model, file, sha256 } = await this.#findAny(idOrPath, options, wanted);
    if (!isOfKind(model, wanted)) throw wrongKind(model.name, model.kind, wanted);
    return { model, file, identity: { id: model.id, file: basename(file), sha256 } };
  }

  /** A model of any kind; a file that is new must be of the kind that is wanted. */
  async #findAny(
    idOrPath: string,
    { signal, onProgress }: WorkOptions,
    wanted: ModelKind | null,
  ): Promise<KnownFile> {
    const report = this.#paced(onProgress);
    const entry = this.#entry(idOrPath);
    if (entry !== undefined) {
      const sha256 = await this.#verifyManaged(entry, signal, report);
      if (sha256 !== null) return { model: entry, file: this.#managedPath(entry), sha256 };
    }
    const added = (await readAdded(this.#folder)).find((model) => model.id === idOrPath);
    if (added !== undefined) return await this.#findAdded(added, signal, report);
    if (entry !== undefined) throw notHere(entry);
    const path = asPath(idOrPath);
    if (path === null) throw unknownModel(idOrPath, this.#catalogue);
    return await this.#findPath(path, signal, report, wanted);
  }

  /**
   * Makes sure that a model of the catalogue is here: downloads what is missing, goes on with what broke off.
   * When another process is at it already, waits for it. Never replaces a file by one that is not verified.
   * Throws `unknown-model`, `offline`, `download-failed`, `checksum-mismatch`, `disk-full`, `read-only`,
   * `cancelled`.
   */
  async getModel(id: string, options: WorkOptions & { readonly offline?: boolean }): Promise<ModelListing> {
    const { signal } = options;
    const report = this.#paced(options.onProgress);
    const entry = this.#entry(id);
    if (entry === undefined) {
      await this.#findAny(id, { signal, onProgress: report }, null);
      return await this.#listingOf(id);
    }
    if (!(await this.#isHere(entry))) {
      await makeFolders(this.#folder);
      const path = this.#managedPath(entry);
      const watchPart = async (): Promise<void> => {
        const received = (await stampOf(`${path}.part`))?.bytes ?? 0;
        report({ event: 'progress', received, total: entry.sha256 === null ? null : entry.bytes });
      };
      await withDownloadLock(
        this.#folder,
        entry.file,
        signal,
        async (held) =>
          await this.#getUnderLock(entry, { signal: held, onProgress: report }, options.offline === true),
        watchPart,
      );
    }
    const listing = await this.#listingOf(id);
    report({ event: 'done', received: listing.bytes, total: listing.bytes });
    return listing;
  }

  /**
   * Uses a GGUF file of the user's, where it is. A file that the catalogue knows by its hash becomes that
   * model; any other gets an id made of its name.
   * Throws `bad-model` for what is no whole model of a kind that is used, `no-model` when there is no such file.
   */
  async addModel(path: string, { signal, onProgress }: WorkOptions): Promise<ModelListing> {
    const report = this.#paced(onProgress);
    const model = await this.#register(asPath(path) ?? resolve(path), signal, report, null);
    return await this.#listingOf(model.id);
  }

  /** Deletes a downloaded model, or forgets one that was added; the user's own file stays. */
  async removeModel(id: string, signal: AbortSignal): Promise<void> {
    const entry = this.#entry(id);
    const isAdded = (await readAdded(this.#folder)).some((model) => model.id === id);
    if (entry === undefined && !isAdded) throw unknownModel(id, this.#catalogue);
    if (isAdded) {
      await changeAdded(this.#folder, (models) => ({
        models: models.filter((model) => model.id !== id),
        result: undefined,
      }));
    }
    if (entry === undefined) return;
    const path = this.#managedPath(entry);
    await makeFolders(this.#folder);
    await withDownloadLock(this.#folder, entry.file, signal, async () => {
      await rm(path, { force: true });
      await rm(recordPath(path), { force: true });
      await discardFetched(path);
    });
  }

  /** Hashes a model's file again, whatever its record says: whether it is what it was. For diagnosis. */
  async checkModel(id: string, { signal, onProgress }: WorkOptions): Promise<boolean> {
    const report = this.#paced(onProgress);
    const { file, sha256 } = await this.#findAny(id, { signal, onProgress: report }, null);
    return (await hashWithProgress(file, signal, report)) === sha256;
  }

  #paced(onProgress: OnProgress | undefined): OnProgress {
    return onProgress === undefined ? () => {} : paced(onProgress, this.#policy.progressMs);
  }

  #entry(id: string): CatalogueModel | undefined {
    return this.#catalogue.find((entry) => entry.id === id);
  }

  #managedPath(entry: CatalogueEntry): string {
    return join(this.#folder, entry.file);
  }

  /** Whether a verified file is here, by its record. */
  async #isHere(entry: CatalogueEntry): Promise<boolean> {
    if ((await this.#recorded(entry)) !== null) return true;
    const own = (await readAdded(this.#folder)).find((model) => model.id === entry.id);
    return own !== undefined && sameStamp(own, await stampOf(own.path));
  }

  /** The downloaded file, when its record says that it was verified and has not changed since. */
  async #recorded(entry: CatalogueEntry): Promise<{ file: string; bytes: number; sha256: string } | null> {
    const file = this.#managedPath(entry);
    const record = await readVerified(file);
    if (record === null || !sameStamp(record, await stampOf(file))) return null;
    if (entry.sha256 !== null && entry.sha256 !== record.sha256) return null;
    return { file, bytes: record.bytes, sha256: record.sha256 };
  }

  /** The hash of the downloaded file, verifying it if need be; null when there is no file. */
  async #verifyManaged(
    entry: CatalogueEntry,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<string | null> {
    const recorded = await this.#recorded(entry);
    if (recorded !== null) return recorded.sha256;
    const path = this.#managedPath(entry);
    const stamp = await stampOf(path);
    if (stamp === null) return null;
    const wanted = (await this.#pinned(entry)).sha256;
    if (entry.sha256 !== null && stamp.bytes !== entry.bytes) throw mismatch(entry);
    const sha256 = await hashWithProgress(path, signal, report);
    if (wanted !== null && sha256 !== wanted) throw mismatch(entry);
    if (wanted === null) await requireWhole(path, entry, signal);
    await rememberVerified(path, stamp, sha256);
    return sha256;
  }

  /** Without a hash in the catalogue, the one of the first download holds. */
  async #pinned(entry: CatalogueEntry): Promise<CatalogueEntry> {
    if (entry.sha256 !== null) return entry;
    const first = await readVerified(this.#managedPath(entry));
    return first === null ? entry : { ...entry, sha256: first.sha256, bytes: first.bytes };
  }

  async #getUnderLock(
    entry: CatalogueEntry,
    { signal, onProgress }: { signal: AbortSignal; onProgress: OnProgress },
    offline: boolean,
  ): Promise<void> {
    const there = await this.#verifyManaged(entry, signal, onProgress).catch((error: unknown) => {
      // A wrong file is what getting it again is for.
      if (PreflexorError.is(error, 'checksum-mismatch') || PreflexorError.is(error, 'bad-model')) return null;
      throw error;
    });
    if (there !== null) return;
    if (offline) {
      throw new PreflexorError(
        'offline',
        `${entry.name} is not on this machine, and working offline was asked for.`,
        {
          remedy: bringItYourself,
        },
      );
    }
    const path = this.#managedPath(entry);
    const obtained = await obtain({
      entry: await this.#pinned(entry),
      folder: this.#folder,
      environment: this.#environment,
      platform: process.platform,
      policy: this.#policy,
      onProgress,
      signal,
    });
    await moveIntoPlace(obtained.path, path);
    const stamp = await stampOf(path);
    if (stamp !== null) await writeVerified(path, stamp, obtained.sha256);
    await discardFetched(path);
  }

  async #findAdded(model: AddedModel, signal: AbortSignal, report: OnProgress): Promise<KnownFile> {
    const stamp = await stampOf(model.path);
    if (stamp === null) throw fileGone(model);
    if (sameStamp(model, stamp)) return knownFile(model);
    // It was changed, and it is the user's to change: what it is now counts from now on.
    return knownFile(await this.#register(model.path, signal, report, null, 'when possible'));
  }

  async #findPath(
    path: string,
    signal: AbortSignal,
    report: OnProgress,
    wanted: ModelKind | null,
  ): Promise<KnownFile> {
    const known = (await readAdded(this.#folder)).find((model) => model.path === path);
    if (known !== undefined) return await this.#findAdded(known, signal, report);
    return knownFile(await this.#register(path, signal, report, wanted, 'when possible'));
  }

  /** Looks a file over and enters it into models.json; to use it once, it need not be possible to enter it. */
  async #register(
    path: string,
    signal: AbortSignal,
    report: OnProgress,
    wanted: ModelKind | null,
    enter: 'always' | 'when possible' = 'always',
  ): Promise<AddedModel> {
    const description = await describeGguf(path, signal);
    const kind = wanted ?? modelKindOf(description) ?? 'language';
    requireModel(path, description, kind);
    const stamp = await stampOf(path);
    const sha256 = await hashWithProgress(path, signal, report);
    if (stamp === null || !sameStamp(stamp, await stampOf(path))) {
      throw new PreflexorError('bad-model', `${basename(path)} was changed while it was looked at.`, {
        remedy: 'Wait until it is complete, then add it again.',
      });
    }
    const entry = this.#catalogue.find((known) => known.sha256 === sha256);
    const facts = { path, ...stamp, sha256, ...factsOf(description, kind, entry) };
    const withId = (models: readonly AddedModel[]): AddedModel => ({
      id: entry?.id ?? this.#freeId(path, sha256, models),
      ...facts,
    });
    try {
      await makeFolders(this.#folder);
      return await changeAdded(this.#folder, (models) => {
        const model = withId(models);
        const others = models.filter((each) => each.id !== model.id && each.path !== path);
        return { models: [...others, model], result: model };
      });
    } catch (error) {
      if (enter === 'always' || !isUnwritable(error)) throw error;
      return withId(await readAdded(this.#folder));
    }
  }

  /** The same file keeps its id, also after it was moved; a new one gets one made of its name. */
  #freeId(path: string, sha256: string, models: readonly AddedModel[]): string {
    const same =
      models.find((model) => model.path === path) ?? models.find((model) => model.sha256 === sha256);
    if (same !== undefined && this.#entry(same.id) === undefined) return same.id;
    const wished = idOf(path);
    for (let count = 1; ; count++) {
      const id = count === 1 ? wished : `${wished}-${count}`;
      if (this.#entry(id) === undefined && !models.some((model) => model.id === id)) return id;
    }
  }

  async #listingOf(idOrPath: string): Promise<ModelListing> {
    const path = asPath(idOrPath);
    const listing = (await this.listModels()).find((model) => model.id === idOrPath || model.file === path);
    if (listing === undefined) throw unknownModel(idOrPath, this.#catalogue);
    return listing;
  }
}

/** What the catalogue or the list of the user's own models says of a model. */
type KnownModel = CatalogueModel | AddedModel;

interface KnownFile {
  readonly model: KnownModel;
  readonly file: string;
  readonly sha256: string;
}

function knownFile(model: AddedModel): KnownFile {
  return { model, file: model.path, sha256: model.sha256 };
}

function isOfKind<K extends ModelKind>(model: KnownModel, kind: K): model is KnownModel & { kind: K } {
  return model.kind === kind;
}

async function hashWithProgress(path: string, signal: AbortSignal, report: OnProgress): Promise<string> {
  const total = (await stampOf(path))?.bytes ?? null;
  return await hashFile(path, signal, (received) => report({ event: 'verifying', received, total }));
}

/** The record saves time next time; a folder that cannot be written is no reason to refuse a good file. */
async function rememberVerified(path: string, stamp: FileStamp, sha256: string): Promise<void> {
  await writeVerified(path, stamp, sha256).catch((error: unknown) => {
    if (!isUnwritable(error)) throw error;
  });
}

function isUnwritable(error: unknown): boolean {
  return PreflexorError.is(error, 'read-only') || PreflexorError.is(error, 'disk-full');
}
