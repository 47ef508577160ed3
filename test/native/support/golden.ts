// The reference values of test/fixtures/golden, decoded. PREFLEXOR_GOLDEN names another folder with
// the same files, such as the complete set.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { repository } from './trainer.ts';

export const goldenFolder =
  process.env['PREFLEXOR_GOLDEN'] ?? path.join(repository, 'test/fixtures/golden');

const Sum = z.object({ sum: z.number(), mean: z.number() });
const Mask = z.array(z.union([z.literal(0), z.literal(1)]));
const Sums = z.object({ chosen: Sum, rejected: Sum, chosen_with_prompt: Sum });
const Coefficients = z.object({
  sc: z.number(),
  sr: z.number(),
  mc: z.number(),
  mr: z.number(),
  fc: z.number(),
});
const Golden = z.object({
  lora_tensor_names: z.array(z.string()),
  pairs: z.array(
    z.object({
      prompt_ids: z.array(z.int()),
      chosen_ids: z.array(z.int()),
      rejected_ids: z.array(z.int()),
      chosen_mask_thinking: Mask,
      rejected_mask_thinking: Mask,
      policy: Sums,
      reference: Sums,
      losses: z.record(z.string(), z.number()),
      grad_norms: z.record(
        z.string(),
        z.object({ total: z.number(), coef: Coefficients, per_tensor: z.array(z.number()) }),
      ),
    }),
  ),
});
export type GoldenPair = z.infer<typeof Golden>['pairs'][number];

export const golden = Golden.parse(
  JSON.parse(readFileSync(path.join(goldenFolder, 'golden.json'), 'utf8')),
);

const TensorEntry = z.object({
  dtype: z.enum(['F32', 'F64']),
  data_offsets: z.tuple([z.int(), z.int()]),
});

/** Reads the F32 and F64 tensors of a safetensors file. */
export function readSafetensors(file: string): Map<string, Float64Array> {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)));
  const tensors = new Map<string, Float64Array>();
  for (const [name, value] of Object.entries(header)) {
    const entry = TensorEntry.parse(value);
    const [begin, end] = entry.data_offsets;
    const data = bytes.subarray(8 + headerLength + begin, 8 + headerLength + end);
    const wide = entry.dtype === 'F64';
    const values = new Float64Array(data.length / (wide ? 8 : 4));
    for (let index = 0; index < values.length; index++) {
      values[index] = wide ? data.readDoubleLE(index * 8) : data.readFloatLE(index * 4);
    }
    tensors.set(name, values);
  }
  return tensors;
}

export function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((total, value) => total + value * value, 0));
}

/** Cosine of the tensors that both have, taken as one long vector. */
export function cosine(
  actual: Map<string, Float64Array>,
  expected: Map<string, Float64Array>,
): number {
  let product = 0;
  let left = 0;
  let right = 0;
  for (const [name, want] of expected) {
    const have = actual.get(name);
    if (have?.length !== want.length) throw new Error(`The tensor ${name} is missing.`);
    for (const [index, value] of want.entries()) {
      const other = have[index] ?? 0;
      product += value * other;
      left += other * other;
      right += value * value;
    }
  }
  return product / Math.sqrt(left * right);
}
