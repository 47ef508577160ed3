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
   * @throws PreflexorError `cancelled`, within a second
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

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #read(path: string, bytes: Uint8Array, options: ReadOptions): Promise<ReadResult> {
    throwIfCancelled(options.signal);
    if (this.#closed) throw cancelled();
    const id = (this.#reads += 1);
    const worker = this.#start();
    const { timeLimit } = this.#options;
    const seconds = Math.round(timeLimit / 1000);
    return new Promise((resolve, reject) => {
      const timers: NodeJS.Timeout[] = [];
      const settle = (end: () => void): void => {
        for (const timer of timers) clearTimeout(timer);
        options.signal.removeEventListener('abort', stop);
        worker.off('message', listen).off('error', fail).off('exit', exit);
        worker.unref();
        end();
      };
      const giveUp = (end: () => void): void => {
        settle(() => void this.#end().then(end, end));
      };
      const fail = (error: Error & { code?: string }): void => {
        const reason = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuchMemory : failure(error.message);
        giveUp(() => resolve(refused('unreadable', reason)));
      };
      const exit = (): void => giveUp(() => reject(cancelled()));
      const stop = (): void => {
        send(worker, { type: 'stop', id });
        timers.push(setTimeout(() => giveUp(() => reject(cancelled())), graceTime));
      };
      const listen = (message: FromThread): void => {
        if (message.id !== id) return;
        if (message.type === 'other') {
          void answer(worker, message, options).catch((error: unknown) =>
            giveUp(() => reject(asError(error))),
          );
        } else if (options.signal.aborted) settle(() => reject(cancelled()));
        else if (message.type === 'done') settle(() => resolve(message.result));
        else settle(() => resolve(refused('unreadable', failure(message.message))));
      };
      timers.push(
        setTimeout(() => {
          giveUp(() => resolve(refused('unreadable', `Reading it took longer than ${seconds} seconds.`)));
        }, timeLimit),
      );
      options.signal.addEventListener('abort', stop);
      worker.ref();
      worker.on('message', listen).on('error', fail).on('exit', exit);
      send(worker, { type: 'read', id, path, bytes, maxBytes: options.maxBytes });
    });
  }

  #start(): Worker {
    this.#worker ??= new Worker(this.#options.script, {
      name: 'preflexor-reader',
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryLimit },
    });
    return this.#worker;
  }
}

const tooMuchMemory = 'Reading it needs more memory than a file may take.';

function failure(message: string): string {
  return `The reader could not cope with it: ${message}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function send(worker: Worker, message: ToThread): void {
  worker.postMessage(message);
}

async function answer(
  worker: Worker,
  { path, question }: Extract<FromThread, { type: 'other' }>,
  { readOther }: ReadOptions,
): Promise<void> {
  send(worker, { type: 'other', question, bytes: await readOther(path) });
}
