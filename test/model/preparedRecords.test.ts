// Pairs as the trainer gets them, with the engine's own tokenizer, against the reference values: ids and masks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { z } from 'zod';
import type { MaskKind, TrainerRecord } from '../../server/src/protocol/index.ts';
import { noMask, prepareRecords } from '../../server/src/training/index.ts';
import { testEngine, testModelFile } from '../support/testModel.ts';

const Ids = z.array(z.int());
const Golden = z.object({
  pairs: z.array(
    z.object({
      ...{ prompt: z.string(), chosen: z.string(), rejected: z.string() },
      ...{ prompt_ids: Ids, chosen_ids: Ids, rejected_ids: Ids },
      ...{ chosen_mask_thinking: Ids, rejected_mask_thinking: Ids },
      ...{ chosen_mask_thinking_reflect: Ids, rejected_mask_thinking_reflect: Ids },
    }),
  ),
});
const { pairs } = Golden.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/golden/golden.json'), 'utf8')),
);
const kinds: readonly MaskKind[] = ['none', 'thinking', 'thinking+reflection'];
const never = new AbortController().signal;

describe('given the golden pairs', () => {
  const prepared = new Map<MaskKind, readonly TrainerRecord[]>();

  before(async () => {
    const engine = testEngine(testModelFile(), { contextTokens: 512 });
    const file = {
      ...{ file: 'golden.jsonl', sha256: '0'.repeat(64), refused: [] },
      pairs: pairs.map(({ prompt, chosen, rejected }, index) => ({
        ...{ line: index + 1, prompt: [{ role: 'user' as const, text: prompt }], chosen, rejected },
      })),
    };
    for (const kind of kinds) {
      const options = {
        mask: { ...noMask, kind },
        seed: 0,
        loss: null,
        maxLength: 2048,
        maxPromptLength: 512,
      };
      prepared.set(kind, (await prepareRecords(file, engine, options, never)).records);
    }
    await engine.dispose();
  });

  it('when prepared, then prompt, chosen and rejected are the reference’s ids', () => {
    assert.deepEqual(
      prepared.get('none'),
      pairs.map((pair) => ({
        prompt: pair.prompt_ids,
        chosen: pair.chosen_ids,
        rejected: pair.rejected_ids,
      })),
    );
  });

  for (const [kind, suffix] of [
    ['thinking', 'thinking'],
    ['thinking+reflection', 'thinking_reflect'],
  ] as const) {
    it(`when masked with ${kind}, then masks are the reference’s`, () => {
      for (const [index, pair] of pairs.entries()) {
        const record = prepared.get(kind)?.[index];
        const ones = (ids: readonly number[] | undefined) => ids?.map(() => 1);
        assert.deepEqual(record?.chosenMask ?? ones(record?.chosen), pair[`chosen_mask_${suffix}`]);
        assert.deepEqual(record?.rejectedMask ?? ones(record?.rejected), pair[`rejected_mask_${suffix}`]);
      }
    });
  }
});
