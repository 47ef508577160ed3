// The server's end of an engine host: starts the process, decodes what it sends, keeps what it prints, and knows
// why it ended. Which requests make sense when is client.ts's business.
import { fork, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { cancelled, PreflexorError, throwIfCancelled } from '../../errors.ts';
import { HostMessage, type HostRequest } from '../../protocol/index.ts';
import type { Timers } from '../timers.ts';
import { errorOf } from './reports.ts';

/** Messages that answer a request. */
export type HostAnswer = Extract<HostMessage, { request: number }>;

type Without<R> = R extends { request: number } ? Omit<R, 'request'> : never;
/** A request before it has its number. */
export type HostQuestion = Without<Exclude<HostRequest, { do: 'cancel' | 'quit' }>>;

/** Reads an answer that is neither a failure nor a cancel; gives the request's value when it was the last one. */
export type AnswerReader<T> = (answer: HostAnswer) => { readonly value: T } | undefined;

export interface HostProcessOptions {
  /** dist/engineHost.js, or the source where the sources run as they are. */
  readonly module: string;
  readonly onLog: (line: string) => void;
  /** Bytes of resident memory, each time the host tells. */
  readonly onMemory: (bytes: number) => void;
  /** Called once, with the error that requests get from now on. */
  readonly onEnd: (ending: HostEnding) => void;
  /** Whether everything else on the machine comes first. */
  readonly background?: boolean;
  readonly timers: Timers;
}

/** `stopped`: on our own account; `unresponsive`: ended because it did not stop computing; else it failed. */
export interface HostEnding {
  readonly why: 'stopped' | 'unresponsive' | 'crashed' | 'garbage';
  readonly error: PreflexorError;
  /** The signal that ended a process which crashed, where it was one. */
  readonly signal?: string;
}

/** How long a host may take to confirm that it stopped computing. */
const confirmMs = 800;
/** How long a host may take to come up; a slow disk with a cold cache takes seconds. */
const startMs = 60_000;
const keptLines = 200;
const longestLine = 2000;

interface Pending {
  readonly answered: (answer: HostAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export class HostProcess {
  readonly #child: ChildProcess;
  readonly #options: HostProcessOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #lines: string[] = [];
  readonly #up: Promise<void>;
  readonly #gone: Promise<void>;
  #settleUp: { resolve: () => void; reject: (error: unknown) => void } | null = null;
  #ending: HostEnding | null = null;
  #numbers = 0;

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.#up = new Promise((resolve, reject) => {
      this.#settleUp = { resolve, reject };
    });
    this.#up.catch(() => undefined);
    this.#child = fork(options.module, [], {
      // The server's own flags (an inspector's port, for one) are not for its child.
      execArgv: [],
      env: hostEnvironment(process.env, process.versions['electron'] !== undefined),
      // A stray byte on the channel makes Node's JSON reader throw where nobody can catch it.
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    if (options.background === true) giveWay(this.#child.pid, options.onLog);
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const how = signal ?? `exit code ${code ?? 0}`;
        this.#end({ ...crash(how, this.#lines), ...(signal && { signal }) });
        resolve();
      });
      this.#child.once('error', (error) => {
        this.kill(crash(error.message, this.#lines));
        if (this.#child.pid === undefined) resolve();
      });
    });
    this.#child.on('message', (raw) => {
      this.#receive(raw);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream) this.#keepLines(stream);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Whether it can be given requests. */
  get alive(): boolean {
    return this.#ending === null;
  }

  /** Why it ended, once it has. */
  get ending(): HostEnding | null {
    return this.#ending;
  }

  /** Resolves when the host has said that it is there. @throws `engine-crashed`, `cancelled` */
  async up(signal: AbortSignal): Promise<void> {
    const cancelTimer = this.#options.timers.after(startMs, () => {
      this.kill({
        why: 'crashed',
        error: new PreflexorError('engine-crashed', 'The model process does not start.', {
          remedy: 'Try again; if it happens again, look into the log.',
        }),
      });
    });
    const stop = () => {
      this.kill(stoppedEnding());
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#up;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', stop);
    }
    throwIfCancelled(signal);
  }

  /**
   * Asks the host something; `read` is given each answer, and what it throws fails the request. Aborting `signal` tells the host to stop, and ends the
   * host when it does not confirm that in time: either way nothing is computed for this request any more when
   * `cancelled` is thrown.
   */
  async ask<T>(question: HostQuestion, signal: AbortSignal, read: AnswerReader<T>): Promise<T> {
    throwIfCancelled(signal);
    if (this.#ending) throw this.#ending.error;
    const request = (this.#numbers += 1);
    let cancelTimer = () => undefined as unknown;
    const stop = () => {
      this.#send({ do: 'cancel', request });
      cancelTimer = this.#options.timers.after(confirmMs, () => {
        this.kill(unresponsiveEnding());
      });
    };
    try {
      const value = await new Promise<T>((resolve, reject) => {
        const answered = (answer: HostAnswer) => {
          if (answer.is === 'cancelled') throw cancelled();
          if (answer.is === 'failed') throw errorOf(answer.error);
          const last = read(answer);
          if (last) resolve(last.value);
        };
        this.#pending.set(request, { answered, reject });
        signal.addEventListener('abort', stop, { once: true });
        this.#send({ ...question, request });
      });
      throwIfCancelled(signal);
      return value;
    } catch (error) {
      // How the host ended is no matter to one who wanted it to stop.
      throw signal.aborted ? cancelled() : error;
    } finally {
      signal.removeEventListener('abort', stop);
      cancelTimer();
      this.#pending.delete(request);
    }
  }

  /** Ends the process at once, and with it whatever it computes; resolves when it is gone. */
  async stop(): Promise<void> {
    this.kill(stoppedEnding());
    await this.#gone;
  }

  /** Ends the process for a reason. The first reason is the one that counts. */
  kill(ending: HostEnding): void {
    this.#end(ending);
    // There is nothing to save in a host, and a graceful end could wait for a long computation.
    this.#child.kill('SIGKILL');
  }

  #send(message: HostRequest): void {
    // The exit that explains a closed channel comes as its own event.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(raw: unknown): void {
    if (this.#ending) return;
    const decoded = HostMessage.safeParse(raw);
    if (!decoded.success) {
      this.#options.onLog(`The engine host sent what cannot be read: ${z.prettifyError(decoded.error)}`);
      this.kill(garbageEnding());
      return;
    }
    const message = decoded.data;
    if (message.is === 'up') {
      this.#settleUp?.resolve();
    } else if (message.is === 'memory') {
      this.#options.onMemory(message.bytes);
    } else {
      this.#answer(message);
    }
  }

  #answer(answer: HostAnswer): void {
    // Answers to requests that were given up may still come in.
    const pending = this.#pending.get(answer.request);
    if (!pending) return;
    try {
      pending.answered(answer);
    } catch (error) {
      pending.reject(error);
    }
  }

  #end(ending: HostEnding): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#settleUp?.reject(ending.error);
    for (const { reject } of this.#pending.values()) reject(ending.error);
    this.#options.onEnd(ending);
  }

  #keepLines(stream: Readable): void {
    let rest = '';
    const keep = (line: string) => {
      if (line.trim() === '') return;
      this.#lines.push(line);
      if (this.#lines.length > keptLines) this.#lines.shift();
      this.#options.onLog(line);
    };
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? '';
      if (rest.length > longestLine) {
        lines.push(rest);
        rest = '';
      }
      for (const line of lines) keep(line.slice(0, longestLine));
    });
    stream.on('end', () => {
      keep(rest);
    });
  }
}

/** Lowers a process's priority before it has threads: each is born with it. */
function giveWay(pid: number | undefined, onLog: (line: string) => void): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    // It may have ended already; and some systems forbid it. It works without.
    onLog(`The priority of a model process could not be lowered: ${String(error)}`);
  }
}

/** In Electron the executable is the editor: this makes it behave as Node. */
export function hostEnvironment(env: NodeJS.ProcessEnv, inElectron: boolean): NodeJS.ProcessEnv {
  return inElectron ? { ...env, ELECTRON_RUN_AS_NODE: '1' } : { ...env };
}

function crash(how: string, lines: readonly string[]): HostEnding {
  const memory = how === 'SIGKILL' ? ', as the system does when memory runs out' : '';
  return {
    why: 'crashed',
    error: new PreflexorError('engine-crashed', `The model process ended unexpectedly (${how}${memory}).`, {
      remedy:
        'Try again; if it happens again, set preflexor.engine.contextTokens lower or choose a smaller model.',
      cause: new Error(lines.slice(-20).join('\n')),
    }),
  };
}

function garbageEnding(): HostEnding {
  return {
    why: 'garbage',
    error: new PreflexorError(
      'engine-failed',
      'The model process sent something that cannot be understood.',
      {
        remedy: 'Try again; if it happens again, install PRefLexOR again.',
      },
    ),
  };
}

function unresponsiveEnding(): HostEnding {
  return {
    why: 'unresponsive',
    error: new PreflexorError(
      'engine-crashed',
      'The model process had to be ended because it did not stop.',
      {
        remedy: 'Try again.',
      },
    ),
  };
}

function stoppedEnding(): HostEnding {
  return { why: 'stopped', error: cancelled() };
}
