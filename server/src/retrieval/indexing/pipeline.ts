// Bounded pipelines of async iterables: stages run at the same time, and none runs far ahead of the next.
// Knows nothing of what flows. An error comes out in its place, after everything that was done before it.

/** Wakes those who wait for something to change. */
class Change {
  #next = Promise.withResolvers<undefined>();

  wait(): Promise<undefined> {
    return this.#next.promise;
  }

  tell(): void {
    this.#next.resolve(undefined);
    this.#next = Promise.withResolvers<undefined>();
  }
}

/**
 * Lets `source` run ahead of its consumer by at most `capacity` items (and the one in the making).
 * When the consumer leaves, the source is ended before this returns.
 */
export async function* buffered<T>(source: AsyncIterable<T>, capacity: number): AsyncGenerator<T> {
  const ready: T[] = [];
  const change = new Change();
  const left = new AbortController();
  const isLeft = (): boolean => left.signal.aborted;
  const state: { ended: boolean; failure: { error: unknown } | null } = { ended: false, failure: null };
  const pump = async (): Promise<void> => {
    try {
      for await (const item of source) {
        if (isLeft()) return;
        ready.push(item);
        change.tell();
        while (ready.length >= capacity && !isLeft()) await change.wait();
        if (isLeft()) return;
      }
    } catch (error) {
      state.failure = { error };
    } finally {
      state.ended = true;
      change.tell();
    }
  };
  const pumping = pump();
  try {
    while (ready.length > 0 || !state.ended) {
      const item = ready.shift();
      if (item === undefined) {
        await change.wait();
        continue;
      }
      change.tell();
      yield item;
    }
    if (state.failure) throw state.failure.error;
  } finally {
    left.abort();
    change.tell();
    await pumping;
  }
}

export interface Ahead<T> {
  /** How many items are worked on at a time. */
  readonly items: number;
  /** How much they may weigh together; one alone may weigh more. */
  readonly weight: number;
  readonly weigh: (item: T) => number;
}

/** Works on several items at a time and gives the results in the items' order. */
export async function* mapAhead<T, R>(
  source: Iterable<T>,
  ahead: Ahead<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const going: { readonly result: Promise<R>; readonly weight: number }[] = [];
  const items = source[Symbol.iterator]();
  let weight = 0;
  let next = items.next();
  const fits = (item: T): boolean =>
    going.length === 0 || (going.length < ahead.items && weight + ahead.weigh(item) <= ahead.weight);
  try {
    for (;;) {
      for (; !next.done && fits(next.value); next = items.next()) {
        const result = work(next.value);
        // It is awaited in its turn; until then its failure must not end the process.
        result.catch(() => undefined);
        going.push({ result, weight: ahead.weigh(next.value) });
        weight += ahead.weigh(next.value);
      }
      const first = going.shift();
      if (!first) return;
      yield await first.result;
      weight -= first.weight;
    }
  } finally {
    await Promise.allSettled(going.map(({ result }) => result));
    items.return?.();
  }
}

/** `mapAhead` for results that are wanted all together. */
export async function mapAll<T, R>(
  source: Iterable<T>,
  items: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const ahead = { items, weight: Infinity, weigh: () => 0 };
  for await (const result of mapAhead(source, ahead, work)) results.push(result);
  return results;
}
