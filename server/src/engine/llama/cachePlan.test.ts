import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchTokensFor, coldCache, extended, planPrompt, truncated, type CacheState } from './cachePlan.ts';

const batch = 8;

/** A cache that remembers with each token in which batch it was evaluated, as llama.cpp's numbers do. */
class Cache {
  state: CacheState = coldCache;
  /** Token, and the batch that it was evaluated in. */
  cells: { token: number; batch: string }[] = [];

  /** Evaluates a prompt and generates; gives how the prompt's cells came about, and how many were kept. */
  run(prompt: readonly number[], generated: readonly number[]): { cells: string[]; kept: number } {
    const common = prompt.findIndex((token, at) => this.cells[at]?.token !== token);
    const plan = planPrompt(this.state, common < 0 ? prompt.length : common, prompt.length, batch);
    this.cells.length = Math.min(this.cells.length, plan.keep);
    this.state = truncated(this.state, plan.keep);
    let start = plan.keep;
    for (const end of plan.batchEnds) {
      this.#evaluate(prompt.slice(start, end), `${start}-${end}`);
      this.state = extended(this.state, start, end);
      start = end;
    }
    assert.equal(start, prompt.length - 1, 'all but the last token');
    const cells = this.cells.map((cell) => cell.batch);
    for (const token of [prompt.at(-1) ?? 0, ...generated.slice(0, -1)]) this.#evaluate([token], 'alone');
    return { cells, kept: plan.keep };
  }

  #evaluate(tokens: readonly number[], batch: string): void {
    for (const token of tokens) this.cells.push({ token, batch });
  }
}

const sequence = (from: number, length: number) => Array.from({ length }, (_, at) => from + at);

test('given a cold cache, when a prompt is planned, then it is cut at multiples and its last token stays out', () => {
  assert.deepEqual(planPrompt(coldCache, 0, 20, batch), { keep: 0, batchEnds: [8, 16, 19] });
  assert.deepEqual(planPrompt(coldCache, 0, 17, batch), { keep: 0, batchEnds: [8, 16] });
  assert.deepEqual(planPrompt(coldCache, 0, 1, batch), { keep: 0, batchEnds: [] });
});

test('given the same prompt again, when it is planned, then all but the last token is kept', () => {
  const cache = new Cache();
  cache.run(sequence(0, 20), sequence(100, 5));
  assert.equal(cache.run(sequence(0, 20), sequence(100, 5)).kept, 19);
});

test('given a prompt that goes on after what was generated, when it is planned, then every common token is kept', () => {
  const cache = new Cache();
  cache.run(sequence(0, 20), sequence(100, 5));
  const next = [...sequence(0, 20), ...sequence(100, 4), ...sequence(200, 10)];
  assert.equal(cache.run(next, []).kept, 24);
});

test('given a prompt that only begins alike, when it is planned, then whole batches alone are kept', () => {
  const cache = new Cache();
  cache.run(sequence(0, 30), []);
  assert.equal(cache.run([...sequence(0, 21), ...sequence(500, 10)], []).kept, 16);
});

test('given a longer prompt of before, when a shorter one comes, then no batch is kept that was cut elsewhere', () => {
  const cache = new Cache();
  cache.run(sequence(0, 30), []);
  assert.equal(cache.run(sequence(0, 21), []).kept, 16);
});

test('given any requests before, when none of a prompt was generated here, then its cells are those of a cold run', () => {
  const prompt = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 40 }), fc.nat(2));
  fc.assert(
    fc.property(fc.array(prompt, { minLength: 1, maxLength: 6 }), (prompts) => {
      const cache = new Cache();
      for (const [shared, own, kind] of prompts) {
        // No prompt contains a token that was generated (those are negative).
        const tokens = [...sequence(0, shared), ...sequence(1000 * (kind + 1), own)];
        const warm = cache.run(tokens, [-1, -2, -3]);
        assert.deepEqual(warm.cells, new Cache().run(tokens, []).cells);
      }
    }),
    { numRuns: 500 },
  );
});

test('given models and threads, when a batch is sized, then it is a power of two that half a second allows', () => {
  assert.equal(batchTokensFor(135e6, 1, false), 128);
  assert.equal(batchTokensFor(135e6, 2, false), 256);
  assert.equal(batchTokensFor(1.2e9, 8, false), 64);
  assert.equal(batchTokensFor(70e9, 1, false), 8);
  assert.equal(batchTokensFor(1, 64, false), 512);
  assert.equal(batchTokensFor(70e9, 1, true), 512);
});
