// Teaching in the background: begins a run when the writer says so or when the settings and the machine allow it, follows
// it, pauses, holds and resumes it, and remembers it over restarts. What computes is a process of its own; whether it
// may is decided in decide.ts.
import { pathToFileURL } from 'node:url';
import { cancelled, PreflexorError, sentence, throwIfCancelled } from '../../errors.ts';
import type {
  TeachingAction,
  TeachingEstimate,
  TeachingLine,
  TeachingRecord,
  TeachingRun,
  TeachingState,
  TeachingStatus,
} from '../../protocol/index.ts';
import {
  mayGoOn,
  mayResume,
  mayStart,
  mayTryAgain,
  type Past,
  type Permission,
  type Surroundings,
  type TeachingWishes,
} from './decide.ts';
import type { WorkerPorts } from './ports.ts';
import { after, noProgress, progressText, type Progress } from './progress.ts';
import { countNew, keepLearnt, RecordFile } from './records.ts';

/** How often it is looked whether something may begin, go on, or has to be held. */
const lookMs = 60_000;
/** Pairs are not counted anew more often. */
const countMs = 60_000;
/** After a refusal for want of memory or disk it is not estimated again before this. */
const refusedMs = 30 * 60_000;

const unknown: Surroundings = { now: new Date(0), power: 'unknown', idleMs: 0, busyShare: null };

/** Why a run of this process ends before it is done. `leave`: the process ends, and the run goes on with another. */
type End = { readonly by: 'pause' | 'cancel' | 'leave' } | { readonly by: 'hold'; readonly says: string };

/** A run that a process of ours does. */
interface Own {
  readonly run: TeachingRun;
  readonly stop: AbortController;
  progress: Progress;
  end: End | null;
  done: Promise<void>;
}

/** How a run ended: what is kept of it, and what is said. */
interface Ended {
  readonly next: TeachingRun | null;
  readonly state: TeachingState;
  readonly says: string;
}

export class TeachingWorker {
  readonly #ports: WorkerPorts;
  readonly #records: RecordFile;
  readonly #listeners = new Set<(status: TeachingStatus) => void>();
  readonly #newPairs = new Map<string, number>();
  /** Folders whose pairs changed since they were counted. */
  readonly #changed = new Set<string>();
  #counted = -Infinity;
  #record: TeachingRecord = { schema: 1, current: null, offer: null };
  #mode: TeachingStatus['mode'] = 'manual';
  #state: TeachingState = 'idle';
  #says = '';
  #elsewhere = false;
  #estimate: TeachingEstimate | null = null;
  #own: Own | null = null;
  /** How the last run ended, where that is not written down yet. */
  #ended: ((record: TeachingRecord) => TeachingRecord) | null = null;
  #lastWriting: number;
  #refusedAt = -Infinity;
  /** Aborted by whoever wants no start any more. */
  #starting: AbortController | null = null;
  #turns: Promise<unknown> = Promise.resolve();
  #endLooking: () => void = () => undefined;

  constructor(ports: WorkerPorts) {
    this.#ports = ports;
    this.#records = new RecordFile(ports.home);
    this.#lastWriting = ports.now();
  }

  /** Looks around from time to time. */
  begin(): void {
    this.#endLooking = this.#ports.every(lookMs, () => {
      this.look().catch((error: unknown) => {
        this.#ports.log(sentence(error));
      });
    });
  }

  /** The writer is at work. */
  wrote(): void {
    this.#lastWriting = this.#ports.now();
  }

  /** The pairs of a folder are others than before. */
  pairsChanged(root: string): void {
    this.#changed.add(root);
  }

  onStatus(hear: (status: TeachingStatus) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  status(): TeachingStatus {
    const { current, offer } = this.#record;
    const { yielding, findings: _seen, ...progress } = this.#own?.progress ?? noProgress;
    const state = this.#state === 'running' && yielding ? 'yielding' : this.#state;
    return {
      ...{ state, mode: this.#mode, says: this.#says, elsewhere: this.#elsewhere, ...progress, offer },
      folder: current && pathToFileURL(current.root).href,
      run: current?.run ?? null,
      started: current?.started ?? null,
      estimate: this.#estimate ?? current?.estimate ?? null,
      newPairs: this.#newPairs.size === 0 ? null : [...this.#newPairs.values()].reduce((a, b) => a + b, 0),
    };
  }

  /**
   * What the writer wants. @param root the folder that is meant by `start`
   * @throws PreflexorError `bad-input`, `locked`, `out-of-memory`, `disk-full`, `trainer-failed`, `cancelled`
   */
  async act(action: TeachingAction, root: string): Promise<TeachingStatus> {
    if (action === 'pause' || action === 'cancel') this.#starting?.abort();
    return await this.#inTurn(async () => {
      await this.#readAll();
      if (action === 'start') await this.#startByWriter(root);
      else if (action === 'later')
        await this.#change((record) => ({
          ...record,
          offer: record.offer && { ...record.offer, later: true },
        }));
      else if (action === 'resume') await this.#resumeByWriter();
      else await this.#endByWriter(action);
      this.#tell();
      return this.status();
    });
  }

  /** What a run in this folder would take. @throws PreflexorError */
  async estimate(root: string, signal: AbortSignal): Promise<TeachingEstimate> {
    const { preset } = await this.#ports.wishes();
    const pairs = await this.#ports.pairs(root, signal);
    return await this.#ports.estimate(root, preset, pairs.length, signal);
  }

  /** The writer decided on an adapter: it is not offered any more. */
  async answered(adapter: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#change((record) =>
        record.offer?.adapter === adapter ? { ...record, offer: null } : record,
      );
      this.#tell();
    });
  }

  /** Looks once whether something is to be begun, gone on with, or held. */
  async look(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#readAll();
      await this.#look();
      this.#tell();
    });
  }

  /** Ends what this process does; a run goes on with the next start. */
  async dispose(): Promise<void> {
    this.#endLooking();
    this.#starting?.abort();
    await this.#end({ by: 'leave' });
  }

  async #look(): Promise<void> {
    const wishes = await this.#ports.wishes();
    const { current } = this.#record;
    if (this.#own) {
      if (this.#own.run.askedBy === 'writer') return;
      const allowed = mayGoOn(wishes, await this.#around());
      if (!allowed.granted) await this.#end({ by: 'hold', says: allowed.says });
      return;
    }
    if (this.#elsewhere) {
      this.#set('running', 'Teaching goes on in another window, or by a command.');
      return;
    }
    await this.#count();
    if (current) await this.#takeUp(current, wishes);
    else await this.#startByItself(wishes);
  }

  async #takeUp(current: TeachingRun, wishes: TeachingWishes): Promise<void> {
    if (!this.#ports.folders().includes(current.root)) {
      this.#set('held', `Teaching goes on when ${current.root} is open again.`);
    } else if (current.state === 'paused') {
      this.#set('paused', current.says ?? 'Teaching is paused.');
    } else {
      const permission = this.#mayTakeUp(current, mayResume(wishes, await this.#around()));
      if (permission.granted) this.#drive(current);
      else if (current.state === 'failed') this.#set('failed', current.says ?? permission.says);
      else this.#set('held', permission.says);
    }
  }

  /** What the writer asked for goes on after a restart at once, and after a break when they say so. */
  #mayTakeUp(current: TeachingRun, resume: Permission): Permission {
    const byWriter = current.askedBy === 'writer';
    if (current.state !== 'failed') return byWriter ? { granted: true } : resume;
    if (byWriter) return { granted: false, says: 'Teaching broke off.' };
    const again = mayTryAgain(this.#pastOf(current, 0));
    return again.granted ? resume : again;
  }

  async #startByItself(wishes: TeachingWishes): Promise<void> {
    const roots = this.#ports.folders();
    const counted = roots.map((root) => ({ root, newPairs: this.#newPairs.get(root) ?? 0 }));
    const most = counted.reduce((a, b) => (b.newPairs > a.newPairs ? b : a), { root: '', newPairs: 0 });
    // What the machine says is of no interest to who starts it by hand.
    const around = wishes.mode === 'automatic' ? await this.#around() : unknown;
    const allowed = mayStart(wishes, around, { newPairs: most.newPairs, broken: null });
    if (!allowed.granted || most.root === '') {
      this.#set('idle', allowed.granted ? 'No folder is open.' : allowed.says);
      return;
    }
    const refused = this.#ports.now() - this.#refusedAt;
    if (refused >= 0 && refused < refusedMs) return;
    try {
      await this.#start(most.root, 'worker');
    } catch (error) {
      this.#refusedAt = this.#ports.now();
      this.#set('idle', sentence(error));
    }
  }

  async #startByWriter(root: string): Promise<void> {
    const { current } = this.#record;
    if (this.#mode === 'off')
      throw new PreflexorError('bad-input', 'Teaching is switched off.', {
        remedy: 'Setting preflexor.teaching.start switches it on.',
      });
    this.#requireFree();
    if (current && current.root !== root)
      throw new PreflexorError('locked', `Teaching is not done in ${current.root}.`, {
        remedy: 'Resume it, or cancel it, first.',
      });
    if (current) await this.#resumeByWriter();
    else await this.#start(root, 'writer');
  }

  async #start(root: string, askedBy: TeachingRun['askedBy']): Promise<void> {
    const ports = this.#ports;
    this.#set('starting', 'Looking at what teaching would take.');
    this.#tell();
    this.#starting = new AbortController();
    const { signal } = this.#starting;
    try {
      const { preset } = await ports.wishes();
      const pairs = await ports.pairs(root, signal);
      const estimate = async () => await ports.estimate(root, preset, pairs.length, signal);
      this.#estimate = await estimate();
      if (this.#estimate.refusal !== null) {
        // The engine's memory may be what is missing.
        await ports.makeRoom();
        this.#estimate = await estimate();
      }
      throwIfCancelled(signal);
      const { refusal, diskBytes, freeDiskBytes } = this.#estimate;
      if (refusal !== null)
        throw new PreflexorError(diskBytes > freeDiskBytes ? 'disk-full' : 'out-of-memory', refusal, {
          remedy: 'Choose a smaller model, or teach where there is more.',
        });
      const run: TeachingRun = {
        ...{ root, preset, askedBy, state: 'running', says: null, failures: 0, failedAt: null },
        ...{ run: await ports.prepare(root, preset), started: new Date(ports.now()).toISOString() },
        ...{ ignored: [], findings: [], estimate: this.#estimate, pairs: [...pairs] },
      };
      await this.#change((record) => ({ ...record, current: run }));
      this.#drive(run);
    } catch (error) {
      this.#set(
        'idle',
        PreflexorError.is(error, 'cancelled') ? 'Teaching was not started.' : sentence(error),
      );
      this.#tell();
      throw signal.aborted ? cancelled() : error;
    } finally {
      this.#starting = null;
    }
  }

  async #resumeByWriter(): Promise<void> {
    const { current } = this.#record;
    if (this.#own?.end === null) return;
    this.#requireFree();
    if (!current) throw new PreflexorError('bad-input', 'There is no run of teaching to go on with.');
    // Who goes on after the watch list paused the run has seen what it found.
    const ignored = [...new Set([...current.ignored, ...current.findings])];
    const run: TeachingRun = {
      ...current,
      askedBy: 'writer',
      ignored,
      findings: [],
      failures: 0,
      failedAt: null,
    };
    await this.#change((record) => ({ ...record, current: run }));
    this.#drive(run);
  }

  async #endByWriter(by: 'pause' | 'cancel'): Promise<void> {
    if (this.#own) {
      await this.#end({ by });
      return;
    }
    if (this.#elsewhere) this.#requireFree();
    const { current } = this.#record;
    if (!current) return;
    const says = 'Teaching is paused.';
    const next: TeachingRun | null = by === 'cancel' ? null : { ...current, state: 'paused', says };
    await this.#change((record) => ({ ...record, current: next }));
    this.#set(next ? 'paused' : 'idle', next ? says : cancelledText(current));
  }

  #requireFree(): void {
    if (!this.#elsewhere) return;
    throw new PreflexorError('locked', 'Teaching goes on in another window, or by a command.', {
      remedy: 'Pause or cancel it there.',
    });
  }

  /** Has a process do a run, and follows it. */
  #drive(run: TeachingRun): void {
    const own: Own = {
      ...{ run: { ...run, state: 'running', says: null }, stop: new AbortController() },
      ...{ progress: noProgress, end: null, done: Promise.resolve() },
    };
    this.#own = own;
    this.#set('running', progressText(own.progress));
    own.done = this.#follow(own).catch((error: unknown) => this.#ports.log(sentence(error)));
  }

  async #follow(own: Own): Promise<void> {
    let after: Ended = { next: null, state: 'idle', says: 'Teaching is done.' };
    try {
      await this.#change((record) => ({ ...record, current: own.run }));
      for await (const line of this.#ports.run(own.run, own.stop.signal)) await this.#hear(own, line);
      throwIfCancelled(own.stop.signal);
      await this.#learnt(own.run);
    } catch (error) {
      after = this.#broken(own, error);
    }
    this.#ended = (record) => ({ ...record, current: after.next });
    await this.#keepEnd().catch((error: unknown) => this.#ports.log(sentence(error)));
    this.#own = null;
    this.#estimate = null;
    this.#set(after.state, after.says);
    this.#tell();
  }

  /** Before it is written down how a run ended, nothing is begun: on a full disk it would begin again and again. */
  async #keepEnd(): Promise<void> {
    if (this.#ended) await this.#change(this.#ended);
    this.#ended = null;
  }

  /** What it learnt from is new no more: also where that can't be written down, so that it does not begin again. */
  async #learnt({ root, pairs }: TeachingRun): Promise<void> {
    try {
      await keepLearnt(root, pairs, this.#ports.now());
    } catch (error) {
      this.#ports.log(sentence(error));
    }
    this.#newPairs.set(root, 0);
    this.#changed.add(root);
  }

  async #hear(own: Own, line: TeachingLine): Promise<void> {
    const { root, estimate } = own.run;
    own.progress = after(own.progress, line, estimate?.samples ?? null);
    if (line.event === 'stage' && line.stage === 'training' && estimate) {
      if ((await this.#ports.availableBytes()) < estimate.bytes) await this.#ports.makeRoom();
    }
    if (line.event === 'verdict' && line.offered && line.adapter !== null) {
      const { adapter, why, report } = line;
      const offer = { adapter, why, report, time: new Date(this.#ports.now()).toISOString(), later: false };
      await this.#change((record) => ({ ...record, offer }));
      this.#ports.log(`${adapter} is offered for ${root}.`);
    }
    if (own.end === null) this.#set('running', progressText(own.progress));
    this.#tell();
  }

  /** What is left of a run that ended before it was done. */
  #broken({ run, end, progress }: Own, error: unknown): Ended {
    if (end?.by === 'cancel') return { next: null, state: 'idle', says: cancelledText(run) };
    if (end?.by === 'leave') return { next: run, state: 'idle', says: '' };
    const kept = (state: 'paused' | 'held', says: string): Ended => {
      return { next: { ...run, state, says }, state, says };
    };
    if (end?.by === 'pause') return kept('paused', 'Teaching is paused.');
    if (end?.by === 'hold') return kept('held', end.says);
    const says = sentence(error);
    // Another one was quicker: its run goes first.
    if (PreflexorError.is(error, 'locked')) return kept('held', says);
    const failedAt = new Date(this.#ports.now()).toISOString();
    const failed = { state: 'failed', says, failedAt, failures: run.failures + 1 } as const;
    return { next: { ...run, ...failed, findings: [...progress.findings] }, state: 'failed', says };
  }

  async #end(end: End): Promise<void> {
    const own = this.#own;
    if (!own) return;
    own.end ??= end;
    this.#set('stopping', 'Teaching stops after this step, and keeps what it has.');
    this.#tell();
    own.stop.abort();
    await own.done;
  }

  async #around(): Promise<Surroundings> {
    const { now, power, busyShare } = this.#ports;
    const time = now();
    // The clock was set back: from here on it is known again.
    if (time < this.#lastWriting) this.#lastWriting = time;
    return {
      ...{ now: new Date(time), power: await power(), busyShare: busyShare() },
      idleMs: time - this.#lastWriting,
    };
  }

  #pastOf({ failedAt, failures }: TeachingRun, newPairs: number): Past {
    const broken =
      failedAt === null ? null : { ago: this.#ports.now() - Date.parse(failedAt), times: failures };
    return { newPairs, broken };
  }

  async #count(): Promise<void> {
    const roots = this.#ports.folders();
    const waiting = roots.filter((root) => this.#changed.has(root) || !this.#newPairs.has(root));
    const ago = this.#ports.now() - this.#counted;
    if (this.#mode === 'off' || waiting.length === 0 || (ago >= 0 && ago < countMs)) return;
    this.#counted = this.#ports.now();
    for (const root of waiting) {
      this.#changed.delete(root);
      const pairs = await this.#ports.pairs(root, new AbortController().signal);
      this.#newPairs.set(root, await countNew(root, pairs));
    }
  }

  async #readAll(): Promise<void> {
    this.#mode = (await this.#ports.wishes()).mode;
    await this.#keepEnd();
    this.#record = await this.#records.read();
    this.#elsewhere = this.#own === null && (await this.#ports.holder()) !== null;
  }

  async #change(change: (record: TeachingRecord) => TeachingRecord): Promise<void> {
    this.#record = await this.#records.change(change);
  }

  #set(state: TeachingState, says: string): void {
    this.#state = state;
    this.#says = says;
  }

  #tell(): void {
    const status = this.status();
    for (const hear of this.#listeners) hear(status);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.then(work);
    this.#turns = turn.catch(() => undefined);
    return await turn;
  }
}

function cancelledText({ run }: TeachingRun): string {
  return `Teaching was cancelled; what it made is kept in ${run}.`;
}
