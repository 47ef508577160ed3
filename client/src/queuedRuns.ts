// The runs of one request about several paragraphs, on the run board: each begins there when its turn has come. Knows
// neither VS Code nor the server.
import type { QueuedStep } from '../../server/src/protocol/index.ts';
import { failure } from './failure.ts';
import type { RunBoard } from './runBoard.ts';
import { withAnswer, withFailure, withStop } from './runModel.ts';

export class QueuedRuns {
  readonly #board: RunBoard;
  readonly #uri: string;
  /** Keys on the board with their entries in the queue, as long as they go on. */
  readonly #going: Map<string, string>;
  readonly #keys = new Map<string, string>();
  #last: string | null = null;

  constructor(board: RunBoard, uri: string, going: Map<string, string>) {
    this.#board = board;
    this.#uri = uri;
    this.#going = going;
  }

  /** Takes in one step. @returns whether it is the beginning of the first run */
  hear(step: QueuedStep, now: number): boolean {
    const isFirst = this.#keys.size === 0;
    const known = this.#keys.get(step.entry);
    if (step.step === 'event') {
      this.#board.event(known ?? this.#begin(step.entry, now), step.event, now);
      return isFirst;
    }
    if (known === undefined) return false;
    this.#going.delete(known);
    if (step.step === 'placed') this.#board.update(known, (model) => withAnswer(model, step.result));
    else if (step.step === 'stopped') this.#board.update(known, (model) => withStop(model, now));
    else {
      const { code, message, remedy } = step.failure;
      this.#board.update(known, (model) => withFailure(model, failure(code, message, remedy), now));
    }
    return false;
  }

  /** The request has ended: whatever still goes on has been cut off. */
  end(now: number): void {
    for (const key of this.#keys.values()) {
      this.#going.delete(key);
      this.#board.update(key, (model) => withStop(model, now));
    }
  }

  #begin(entry: string, now: number): string {
    const key = this.#board.begin(this.#uri, '', now, this.#last);
    this.#keys.set(entry, key);
    this.#going.set(key, entry);
    this.#last = key;
    return key;
  }
}
