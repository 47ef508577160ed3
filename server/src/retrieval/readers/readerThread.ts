// Reads documents in a thread of their own, one after the other. A file that takes too long or too much memory costs
// its thread, never the server: it is refused, and the next file gets a new thread.
import { Worker } from 'node:worker_threads';
import { cancelled, throwIfCancelled } from '../../errors.ts';
import type { ReadResult } from '../ports.ts';
import type { ReadOptions } from './readDocument.ts';
import { refused } from './refusals.ts';
import type { FromThread, ToThread } from './threadMessages.ts';

export interface ReaderThreadOptions {
  /** dist/readerThread.js, or thread.ts where the sources run as they are. */
  readonly script: string | URL;
  /** How long one file may take, in milliseconds. */
  readonly timeLimit: number;
  /** How much memory the thread's heap may take, in MB. */
  readonly memoryLimit: number;
}

/** After a stop the thread has so long to end by itself, in milliseconds. */
const graceTime = 300;

export class ReaderThread {
  readonly #options: ReaderThreadOptions;
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #reads = 0;
  #closed = false;

  constructor(options: ReaderThreadOptions) {
    this.#options = options;
  }

  /**
   * As `readDocument` does, but in the thread. Calls wait for each other. What the readers can't cope with is refused
   * as `unreadable`.
   * @throws PreflexorError `cancelled`, within a second; whatever `readOther` throws
   */
  readDocument(path: string, bytes: Uint8Array, options: ReadOptions): Promise<ReadResult> {
    const read = this.#last.then(() => this.#read(path, bytes, options));
    this.#last = read.catch(() => undefined);
    return read;
  }

  /** Ends the thread; what is being read is cancelled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #read(path: string, bytes: Uint8Array, options: ReadOptions): Promise<ReadResult> {
    throwIfCancelled(options.signal);
    if (this.#closed) throw cancelled();
    const worker = this.#start();
    const reading = new Reading(worker, (this.#reads += 1), options);
    try {
      return await reading.result({ path, bytes, timeLimit: this.#options.timeLimit });
    } finally {
      reading.release();
      if (!reading.ended) await this.#end();
    }
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#options.script, {
      name: 'preflexor-reader',
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryLimit },
    });
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = null;
    };
    worker.on('error', forget).on('exit', forget);
    this.#worker = worker;
    return worker;
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

/** One file's reading: what the thread says until it is done, or gone, or out of time. */
class Reading {
  /** Whether the thread is done with it, so that it can read the next file. */
  ended = false;
  readonly #worker: Worker;
  readonly #id: number;
  readonly #options: ReadOptions;
  readonly #releases: (() => void)[] = [];

  constructor(worker: Worker, id: number, options: ReadOptions) {
    this.#worker = worker;
    this.#id = id;
    this.#options = options;
  }

  result(file: { path: string; bytes: Uint8Array; timeLimit: number }): Promise<ReadResult> {
    const { path, bytes, timeLimit } = file;
    return new Promise((resolve, reject) => {
      this.#listen(resolve, reject);
      this.#listenForEnd(resolve, reject);
      const seconds = Math.round(timeLimit / 1000);
      this.#after(timeLimit, () => {
        resolve(refused('unreadable', `Reading it took longer than ${seconds} seconds.`));
      });
      this.#listenForStop(reject);
      this.#worker.ref();
      this.#send({ type: 'read', id: this.#id, path, bytes, maxBytes: this.#options.maxBytes });
    });
  }

  /** Takes all listeners and timers back; the thread no longer keeps the process alive. */
  release(): void {
    for (const release of this.#releases) release();
    this.#worker.unref();
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #after(milliseconds: number, act: () => void): void {
    const timer = setTimeout(act, milliseconds);
    this.#releases.push(() => clearTimeout(timer));
  }

  #listen(resolve: (result: ReadResult) => void, reject: (error: Error) => void): void {
    const listen = (message: FromThread): void => {
      if (message.id !== this.#id) return;
      if (message.type === 'other') {
        this.#answer(message).catch((error: unknown) => reject(asError(error)));
        return;
      }
      this.ended = true;
      if (this.#options.signal.aborted) reject(cancelled());
      else if (message.type === 'done') resolve(message.result);
      else resolve(refused('unreadable', failure(message.message)));
    };
    this.#worker.on('message', listen);
    this.#releases.push(() => this.#worker.off('message', listen));
  }

  async #answer({ question, path }: Extract<FromThread, { type: 'other' }>): Promise<void> {
    this.#send({ type: 'other', question, bytes: await this.#options.readOther(path) });
  }

  #listenForEnd(resolve: (result: ReadResult) => void, reject: (error: Error) => void): void {
    const fail = (error: Error & { code?: string }): void => {
      const reason = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuchMemory : failure(error.message);
      resolve(refused('unreadable', reason));
    };
    const exit = (): void => reject(cancelled());
    this.#worker.on('error', fail).on('exit', exit);
    this.#releases.push(() => this.#worker.off('error', fail).off('exit', exit));
  }

  #listenForStop(reject: (error: Error) => void): void {
    const { signal } = this.#options;
    const stop = (): void => {
      this.#send({ type: 'stop', id: this.#id });
      this.#after(graceTime, () => reject(cancelled()));
    };
    signal.addEventListener('abort', stop);
    this.#releases.push(() => signal.removeEventListener('abort', stop));
  }
}

const tooMuchMemory = 'Reading it needs more memory than a file may take.';

function failure(message: string): string {
  return `The reader could not cope with it: ${message}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
