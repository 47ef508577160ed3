// Runs the native trainer as a child process: configuration by file, JSON lines in, words out. Every line is decoded;
// whatever ends it otherwise than by `done` becomes one typed error.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { cancelled, PreflexorError, throwIfCancelled } from '../errors.ts';
import { TrainerLine, type TrainerCommand } from '../protocol/index.ts';
import { makeFolders, writeDurably } from '../state/index.ts';
import type { MachineLock } from './machineLock.ts';
import type { Trainer, TrainerRun, TrainerTask } from './trainer.ts';
import type { TrainerPlace } from './trainerPlace.ts';

export interface TrainerProcessOptions {
  /** Looked for at each start, so that a missing trainer is an error only when it is needed. */
  readonly place: () => TrainerPlace;
  readonly lock: MachineLock;
  /** Hears what the trainer writes to stderr. */
  readonly onLog?: (text: string) => void;
  /** Arguments before the trainer's own, for programs that need an interpreter. */
  readonly programArguments?: readonly string[];
  /** Milliseconds for the first line, and between asking a run to stop and killing it. */
  readonly helloMs?: number;
  readonly stopMs?: number;
}

/** The file of a run's folder that the trainer reads. */
export const trainerConfigName = 'trainer.json';

const longestLine = 64 * 1024 * 1024;
const keptLogCharacters = 4000;

export function createTrainerProcess(options: TrainerProcessOptions): Trainer {
  return {
    run: (task, folder, signal) => new Run(options, task, folder, signal),
    async selfTest(signal) {
      const { program, libraries } = options.place();
      const child = new Child(options, { program, libraries }, ['--self-test', libraries]);
      for await (const line of child.lines(signal, 0)) if (line.event === 'done') return line.passed === true;
      return false;
    },
  };
}

class Run implements TrainerRun {
  readonly #options: TrainerProcessOptions;
  readonly #task: TrainerTask;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  #child: Child | null = null;
  /** Said before the process was there. */
  readonly #early: TrainerCommand[] = [];

  constructor(options: TrainerProcessOptions, task: TrainerTask, folder: string, signal: AbortSignal) {
    this.#options = options;
    this.#task = task;
    this.#folder = folder;
    this.#signal = signal;
  }

  send(command: TrainerCommand): void {
    if (this.#child) this.#child.say(command);
    else this.#early.push(command);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainerLine> {
    // The lock is held by a callback, the lines are pulled: the one waits for the other to end.
    const ended = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<(pid: number) => Promise<void>>();
    const holding = this.#options.lock.hold(this.#folder, async (started) => {
      begun.resolve(started);
      await ended.promise;
    });
    holding.catch(begun.reject);
    try {
      const started = await begun.promise;
      yield* this.#lines(started);
    } finally {
      ended.resolve(undefined);
      await holding.catch(() => undefined);
    }
  }

  async *#lines(started: (pid: number) => Promise<void>): AsyncGenerator<TrainerLine> {
    throwIfCancelled(this.#signal);
    const { program, libraries, device } = this.#options.place();
    await makeFolders(this.#folder);
    const config = join(this.#folder, trainerConfigName);
    await writeDurably(config, JSON.stringify({ ...this.#task, libraries, device }));
    throwIfCancelled(this.#signal);
    const child = new Child(this.#options, { program, libraries }, [config]);
    this.#child = child;
    for (const command of this.#early) child.say(command);
    const patience = this.#task.task === 'train' ? (this.#options.stopMs ?? 10_000) : 0;
    for await (const line of child.lines(this.#signal, patience)) {
      if (line.event === 'hello') await started(line.pid);
      yield line;
    }
  }
}

/** Windows looks for the libraries that a program is linked with along PATH; elsewhere the program knows the way. */
function environmentWith(libraries: string): NodeJS.ProcessEnv {
  if (process.platform !== 'win32') return process.env;
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...process.env, [name]: [libraries, process.env[name]].filter(Boolean).join(delimiter) };
}

/** One process of the trainer. */
class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<string>;
  readonly #helloMs: number;
  #log = '';

  constructor(
    options: TrainerProcessOptions,
    { program, libraries }: Pick<TrainerPlace, 'program' | 'libraries'>,
    args: readonly string[],
  ) {
    this.#helloMs = options.helloMs ?? 120_000;
    this.#process = spawn(program, [...(options.programArguments ?? []), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environmentWith(libraries),
    });
    this.#process.stdin.on('error', () => undefined);
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-keptLogCharacters);
      options.onLog?.(text);
    });
    this.#closed = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(`cannot be started (${error.message})`));
      this.#process.once('close', (code, signal) => {
        resolve(signal === null ? `ended with exit code ${String(code)}` : `was ended by ${signal}`);
      });
    });
  }

  say(command: TrainerCommand): void {
    if (this.#process.stdin.writable) this.#process.stdin.write(`${command}\n`);
  }

  /** The lines up to `done`; then the process has ended. Leaving early kills it. */
  async *lines(signal: AbortSignal, stopMs: number): AsyncGenerator<TrainerLine> {
    const watch = this.#watch(signal, stopMs);
    let last: TrainerLine | null = null;
    try {
      for await (const text of splitLines(this.#process.stdout)) {
        watch.heard();
        last = decodeLine(text);
        if (last.event === 'failed') throw failure(last.message, last.hint);
        yield last;
      }
      const how = await this.#closed;
      if (watch.silent) throw this.#crash('does not answer');
      throwIfCancelled(signal);
      if (last?.event !== 'done') throw this.#crash(how);
    } catch (error) {
      // What comes of killing it is not what went wrong.
      throw signal.aborted && !PreflexorError.is(error, 'cancelled') ? cancelled() : error;
    } finally {
      watch.end();
      this.#process.kill('SIGKILL');
      await this.#closed;
    }
  }

  /** Kills a process that says nothing at its start, or that does not stop in time once it is asked to. */
  #watch(signal: AbortSignal, stopMs: number) {
    const watch = {
      silent: false,
      heard: () => clearTimeout(silence),
      end: () => {
        clearTimeout(silence);
        clearTimeout(stopping);
        signal.removeEventListener('abort', stop);
      },
    };
    const kill = () => this.#process.kill('SIGKILL');
    const silence = setTimeout(() => {
      watch.silent = true;
      kill();
    }, this.#helloMs);
    let stopping: NodeJS.Timeout | undefined;
    const stop = () => {
      // A paused run obeys `stop` too.
      if (stopMs > 0) this.say('stop');
      stopping = setTimeout(kill, stopMs);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    return watch;
  }

  #crash(how: string): PreflexorError {
    const words = this.#log.trim().split('\n').slice(-3).join(' ').slice(-400);
    return failure(
      `The trainer ${how}${words === '' ? '' : `; its last words: ${words}`}.`,
      'What was done up to the last checkpoint is kept: go on with --resume.',
    );
  }
}

function failure(message: string, remedy: string): PreflexorError {
  return new PreflexorError('trainer-failed', message, { remedy });
}

function decodeLine(text: string): TrainerLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw failure(`The trainer wrote a line that cannot be read: ${text.slice(0, 120)}`, rebuild);
  }
  const decoded = TrainerLine.safeParse(json);
  if (decoded.success) return decoded.data;
  throw failure(`The trainer wrote a line that is not known: ${z.prettifyError(decoded.error)}`, rebuild);
}

const rebuild = 'Build it again with "npm run build:native", so that it fits this version.';

/** Whole lines only: what a killed process began to write is left out. */
async function* splitLines(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw failure('The trainer writes a line without an end.', rebuild);
    for (const line of lines) if (line !== '') yield line;
  }
}
