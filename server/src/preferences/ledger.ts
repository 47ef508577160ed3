// The decisions ledger of a workspace: what the writer decided, appended, never changed, never lost.
// Derives nothing from it (that is the pairs' business) and knows no note, editor or model.
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PreflexorError, sentence } from '../errors.ts';
import { LedgerRecord } from '../protocol/index.ts';
import type { DecisionKind } from '../protocol/index.ts';
import {
  deviceId,
  homePlaces,
  isMissing,
  nextUlid,
  nodeFileSystem,
  prepareWorkspace,
  removeLeftovers,
  withLock,
  workspaceKey,
  workspacePlaces,
} from '../state/index.ts';
import type { Clock, FileOptions, LockOptions, WorkspacePlaces } from '../state/index.ts';
import { LedgerFileReader, appendLines, lastIdIn } from './ledgerFile.ts';
import type { LedgerFileContent, LedgerProblem } from './ledgerFile.ts';
import { forgetInFile, isForgotten } from './forgetting.ts';
import type { ForgetRule, ForgottenLines } from './forgetting.ts';
import { encodeLine, notADecision } from './ledgerLines.ts';
import { WaitingRoom } from './waitingRoom.ts';

/** A decision as a caller knows it: the ledger adds schema, id, time and device. */
export type Decision = Omit<LedgerRecord, 'schema' | 'id' | 'time' | 'device'>;
const Decision = LedgerRecord.omit({ schema: true, id: true, time: true, device: true });

export interface Appended {
  readonly record: LedgerRecord;
  /** One or more sentences for the writer when a record waits outside the ledger; null: all is in it. */
  readonly warning: string | null;
}

/** One or more. */
export type Together<T> = readonly [T, ...T[]];

export interface AppendedTogether {
  readonly records: Together<LedgerRecord>;
  readonly warning: string | null;
}

export interface LedgerContent {
  /** In the order of ids, which is the order of time; each id once. */
  readonly records: readonly LedgerRecord[];
  /** Lines that were set aside. They stay in their files. */
  readonly problems: readonly LedgerProblem[];
  /** How many of the records are not in the workspace yet. */
  readonly waiting: number;
}

export interface LedgerOptions extends FileOptions, LockOptions {
  readonly workspaceRoot: string;
  /** The application home: this device's id, the lock, and the waiting room. */
  readonly home: string;
  /** This device's id in `home` when it is left away. */
  readonly device?: string;
  /** `Date.now` when it is left away. */
  readonly now?: Clock;
}

export interface Ledger {
  readonly device: string;
  /**
   * Keeps one decision and returns once it is on the disk: in the ledger, or, when the workspace cannot be
   * written, in the application home, with a warning. Errors: `ledger-failed` when neither can be written,
   * `bad-input` for what is no decision; after either nothing has been kept.
   */
  append(decision: Decision): Promise<Appended>;
  /** The same for decisions that were made together, in their order: all of them are kept, or none. */
  appendAll(decisions: Together<Decision>): Promise<AppendedTogether>;
  /** Everything of all devices, with what still waits. Never throws for what a file holds. */
  read(): Promise<LedgerContent>;
  /** The latest record by which the writer settled this block (see `lastDecisions`), or null. */
  lastDecision(block: string): Promise<LedgerRecord | null>;
  /**
   * Takes back what is about a note, or all, out of every device's file in this workspace: tombstones without text
   * stay. Files of other devices are rewritten too. Errors: `read-only`, `disk-full`, `locked`; others as they come.
   */
  forget(rule: ForgetRule): Promise<ForgottenLines>;
  /** The same for every block. */
  lastDecisions(): Promise<ReadonlyMap<string, LedgerRecord>>;
}

/** Kinds that say what became of a block; `offer`, `rate`, `curate` and `forget` do not. */
const settling: ReadonlySet<DecisionKind> = new Set([
  'accept',
  'accept-edited',
  'hunk',
  'reject',
  'regenerate',
  'pick',
]);

/**
 * Opens a workspace's ledger; makes no folder in it before the first decision. Decisions that wait for this
 * workspace are moved into it when that is possible now. Errors: those of `deviceId`; `bad-input`.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const device = LedgerRecord.shape.device.safeParse(
    options.device ?? (await deviceId(options.home, options)),
  );
  if (!device.success) throw notADecision(device.error);
  const key = await workspaceKey(options.workspaceRoot, options);
  const ledger = new FileLedger(options, device.data, key);
  await ledger.moveWaiting();
  return ledger;
}

class FileLedger implements Ledger {
  readonly device: string;
  readonly #options: LedgerOptions;
  readonly #now: Clock;
  readonly #places: WorkspacePlaces;
  readonly #locks: readonly [string, string];
  readonly #reader: LedgerFileReader;
  readonly #waiting: WaitingRoom;
  #lastId: string | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: LedgerOptions, device: string, key: string) {
    const home = homePlaces(options.home);
    this.device = device;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#places = workspacePlaces(options.workspaceRoot);
    // In the home: there it is on the device whose windows it holds apart, and neither a synchronised folder
    // nor a file server's clock can disturb it. In the workspace only when the home cannot be written.
    this.#locks = [path.join(home.locks, `${key}.lock`), path.join(this.#places.folder, 'ledger.lock')];
    this.#reader = new LedgerFileReader(options);
    this.#waiting = new WaitingRoom(path.join(home.waiting, key), this.#places.root, options);
  }

  async append(decision: Decision): Promise<Appended> {
    const { records, warning } = await this.appendAll([decision]);
    return { record: records[0], warning };
  }

  appendAll(decisions: Together<Decision>): Promise<AppendedTogether> {
    const now = this.#now();
    const next = this.#queue.then(() => this.#append(decisions, now));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #append(decisions: Together<Decision>, now: number): Promise<AppendedTogether> {
    for (const decision of decisions) {
      const checked = Decision.safeParse(decision);
      if (!checked.success) throw notADecision(checked.error);
    }
    let records = this.#records(decisions, now, null);
    for (const record of records) encodeLine(record);
    try {
      await prepareWorkspace(this.#places, 'ledger', this.#options);
      const warning = await this.#locked(async () => {
        const unmoved = await this.#moveWaitingOrSay();
        records = this.#records(decisions, now, await lastIdIn(this.#file(), this.#options));
        await appendLines(this.#file(), records.map(encodeLine), this.#options);
        return unmoved;
      });
      return { records, warning };
    } catch (failure) {
      return { records, warning: await this.#keepWaiting(records, failure) };
    } finally {
      this.#lastId = records.at(-1)?.id ?? this.#lastId;
    }
  }

  /** Their ids ascend, as they stand. */
  #records(
    [first, ...others]: Together<Decision>,
    now: number,
    lastInFile: string | null,
  ): Together<LedgerRecord> {
    const records: [LedgerRecord, ...LedgerRecord[]] = [this.#record(first, now, lastInFile)];
    for (const decision of others) {
      records.push(this.#record(decision, now, records.at(-1)?.id ?? lastInFile));
    }
    return records;
  }

  /** Fields are named one by one: their order is the order in the file, for a person who reads it. */
  #record(decision: Decision, now: number, lastId: string | null): LedgerRecord {
    const { block, run, kind, iteration, texts, note, provenance } = decision;
    const { rating, over, hunk, recording, compared, curation } = decision;
    return {
      schema: 1,
      id: nextUlid(now, lastId),
      time: new Date(now).toISOString(),
      device: this.device,
      block,
      run,
      kind,
      iteration,
      texts,
      note,
      provenance,
      ...(rating && { rating }),
      ...(over !== undefined && { over }),
      ...(hunk && { hunk }),
      ...(recording && { recording }),
      ...(compared && { compared }),
      ...(curation && { curation }),
    };
  }

  #file(): string {
    return path.join(this.#places.ledger, `${this.device}.jsonl`);
  }

  #locked<T>(work: () => Promise<T>, options: LockOptions = this.#options): Promise<T> {
    return withLock(this.#locks, work, options);
  }

  /** The way out when the ledger cannot be written; gives the warning, or throws `ledger-failed`. */
  async #keepWaiting(records: readonly LedgerRecord[], failure: unknown): Promise<string> {
    try {
      await this.#waiting.putAll(records);
    } catch (second) {
      throw new PreflexorError(
        'ledger-failed',
        `Your decision was not kept. ${inWords(failure)} Nor could it wait elsewhere: ${inWords(second)}`,
        {
          remedy: `Make ${this.#places.folder} or ${this.#options.home} writable, then decide again.`,
          cause: new AggregateError([failure, second]),
        },
      );
    }
    return `${inWords(failure)} Your decision is kept in ${this.#waiting.folder} and moves into this workspace's ledger as soon as that can be written.`;
  }

  /** Moves what waits if that is possible now; if it is not, the next append tries again and says why. */
  async moveWaiting(): Promise<void> {
    try {
      await removeLeftovers(this.#waiting.folder, this.#options);
      if (await this.#waiting.isEmpty()) return;
      await prepareWorkspace(this.#places, 'ledger', this.#options);
      const move = () => this.#waiting.moveInto(this.#places.ledger, this.#reader);
      await this.#locked(move, { ...this.#options, waitMs: Math.min(this.#options.waitMs ?? 1000, 1000) });
    } catch {
      // Nothing is lost, and nobody has asked for anything yet: `read` counts what waits.
    }
  }

  async #moveWaitingOrSay(): Promise<string | null> {
    try {
      await this.#waiting.moveInto(this.#places.ledger, this.#reader);
      return null;
    } catch (failure) {
      return `Earlier decisions still wait in ${this.#waiting.folder}: ${inWords(failure)}`;
    }
  }

  forget(rule: ForgetRule): Promise<ForgottenLines> {
    const next = this.#queue.then(() => this.#forget(rule));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #forget(rule: ForgetRule): Promise<ForgottenLines> {
    return await this.#locked(async () => {
      await this.#moveWaitingOrSay();
      const records = new Set(await this.#waiting.removeWhere((record) => isForgotten(record, rule)));
      let [damaged, unreadable] = [0, 0];
      const { files, problem } = await this.#ledgerFiles();
      if (problem) throw new PreflexorError('ledger-failed', `${problem.file} ${problem.reason}.`);
      for (const file of files) {
        const found = await forgetInFile(file, rule, this.#options);
        for (const id of found.records) records.add(id);
        damaged += found.damaged;
        unreadable += found.unreadable;
      }
      return { records: [...records].sort(), damaged, unreadable };
    });
  }

  async read(): Promise<LedgerContent> {
    // What waits is read first: a record that moves meanwhile is then seen twice, not missed.
    const waiting = await this.#waiting.read();
    const contents: LedgerFileContent[] = [];
    const { files, problem } = await this.#ledgerFiles();
    for (const file of files) contents.push(await this.#reader.read(file));
    const merged = new Map<string, LedgerRecord>();
    const problems = [...(problem ? [problem] : [])];
    for (const [index, content] of contents.entries()) {
      problems.push(...content.problems, ...merge(merged, content, files[index] ?? ''));
    }
    const inWorkspace = merged.size;
    problems.push(...waiting.problems, ...merge(merged, waiting, this.#waiting.folder));
    const records = [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return { records, problems, waiting: merged.size - inWorkspace };
  }

  /** Every device's file, and the copies that synchronising programs make of one under another name. */
  async #ledgerFiles(): Promise<{ files: string[]; problem?: LedgerProblem }> {
    try {
      const names = await (this.#options.fileSystem ?? nodeFileSystem).readdir(this.#places.ledger);
      const files = names.filter((name) => name.endsWith('.jsonl')).sort();
      return { files: files.map((name) => path.join(this.#places.ledger, name)) };
    } catch (error) {
      if (isMissing(error)) return { files: [] };
      const reason = `cannot be read: ${inWords(error)}`;
      return { files: [], problem: { file: this.#places.ledger, line: null, reason } };
    }
  }

  async lastDecision(block: string): Promise<LedgerRecord | null> {
    return (await this.lastDecisions()).get(block) ?? null;
  }

  async lastDecisions(): Promise<ReadonlyMap<string, LedgerRecord>> {
    const { records } = await this.read();
    return new Map(records.filter(({ kind }) => settling.has(kind)).map((record) => [record.block, record]));
  }
}

/** Adds what is new; the same record twice (a copied file, a move that was broken off) counts once. */
function merge(merged: Map<string, LedgerRecord>, content: LedgerFileContent, file: string): LedgerProblem[] {
  const problems: LedgerProblem[] = [];
  for (const { line, record } of content.records) {
    const known = merged.get(record.id);
    // A tombstone stands over the record that it took the place of, which a synchronised copy may still hold.
    const buried = known?.kind === 'forget' || (known !== undefined && record.kind === 'forget');
    if (known === undefined || (buried && record.kind === 'forget')) merged.set(record.id, record);
    else if (buried) continue;
    else if (!isDeepStrictEqual(known, record)) {
      problems.push({ file, line, reason: `another record has the same id ${record.id}; that one counts` });
    }
  }
  return problems;
}

function inWords(failure: unknown): string {
  if (failure instanceof PreflexorError) return failure.message;
  return `The file system answered: ${sentence(failure)}.`;
}
