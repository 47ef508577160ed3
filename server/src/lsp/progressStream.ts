// Gathers what a long request has to tell and sends it under the caller's partial-result token.
import { ProgressType, type Connection } from 'vscode-languageserver/node';

/** Messages go out at most this often: often enough to look live, seldom enough to cost nothing. */
const flushMs = 40;

export class ProgressStream<T> {
  readonly #type = new ProgressType<T[]>();
  readonly #connection: Connection;
  readonly #token: string | number | undefined;
  readonly #join: (last: T, next: T) => T | null;
  #waiting: T[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** @param join makes one message of two where that says the same; null: both go out */
  constructor(
    connection: Connection,
    token: string | number | undefined,
    join: (last: T, next: T) => T | null,
  ) {
    this.#connection = connection;
    this.#token = token;
    this.#join = join;
  }

  push(message: T): void {
    if (this.#token === undefined) return;
    const last = this.#waiting.at(-1);
    const joined = last === undefined ? null : this.#join(last, message);
    if (joined === null) this.#waiting.push(message);
    else this.#waiting[this.#waiting.length - 1] = joined;
    this.#timer ??= setTimeout(() => {
      this.flush();
    }, flushMs);
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#token === undefined || this.#waiting.length === 0) return;
    void this.#connection.sendProgress(this.#type, this.#token, this.#waiting.splice(0));
  }
}
