// docs/figures.md says what the results under bench/results say.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { figuresPage } from '../../bench/figures.ts';

test('given the results of the benchmarks, when the page of figures is read, then it is the one that follows from them', async () => {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'figures.md'), 'utf8');
  assert.equal(page, figuresPage(), 'run: node bench/figures.ts');
});
