// The files of a run in the order in which they are taken: what the writer has open first, then what was edited
// last. Which files are open may change while the run goes on.
import type { WorkItem } from './plan.ts';

export class WorkList implements Iterable<WorkItem> {
  readonly #ordered: readonly WorkItem[];
  readonly #waiting: Map<string, WorkItem>;
  readonly #urgent: () => readonly string[];

  constructor(work: readonly WorkItem[], urgent: () => readonly string[]) {
    this.#ordered = work.toSorted(
      (a, b) => b.file.modified - a.file.modified || (a.file.path < b.file.path ? -1 : 1),
    );
    this.#waiting = new Map(work.map((item) => [item.file.path, item]));
    this.#urgent = urgent;
  }

  *[Symbol.iterator](): Generator<WorkItem> {
    for (const item of this.#ordered) {
      yield* this.#urgentOnes();
      if (this.#waiting.delete(item.file.path)) yield item;
    }
  }

  *#urgentOnes(): Generator<WorkItem> {
    for (;;) {
      const path = this.#urgent().find((each) => this.#waiting.has(each));
      const item = path === undefined ? undefined : this.#waiting.get(path);
      if (!item) return;
      this.#waiting.delete(item.file.path);
      yield item;
    }
  }
}
