// Runs the engine host's requests one after the other, in the order of their arrival, each cancellable while it
// waits and while it runs. Knows nothing of models or processes.

interface Job {
  readonly request: number;
  readonly controller: AbortController;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** `run` of a cancelled job is called all the same, with an aborted signal, so that each job answers in one place. */
export class HostQueue {
  readonly #waiting: Job[] = [];
  #running: Job | null = null;

  add(request: number, run: (signal: AbortSignal) => Promise<void>): void {
    this.#waiting.push({ request, run, controller: new AbortController() });
    void this.#work();
  }

  /** Aborts the signal of a waiting or running request. One that is over or unknown is no matter. */
  cancel(request: number): void {
    const jobs = this.#running ? [this.#running, ...this.#waiting] : this.#waiting;
    for (const job of jobs) if (job.request === request) job.controller.abort();
    // One that was cancelled while it waited need not wait for its turn to say so.
    const at = this.#waiting.findIndex((job) => job.request === request);
    const [waited] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waited) void waited.run(waited.controller.signal);
  }

  async #work(): Promise<void> {
    if (this.#running) return;
    for (let job = this.#waiting.shift(); job; job = this.#waiting.shift()) {
      this.#running = job;
      await job.run(job.controller.signal);
      this.#running = null;
    }
  }
}
