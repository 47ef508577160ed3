// The numbers that GGUF files use for types of values and of tensors, as llama.cpp knows them. Tables only.

/** The value types of GGUF, at the place of their number in the file. */
export const valueTypes = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const;
export type ValueType = (typeof valueTypes)[number];

/** Bytes of one value; a string has at least its length. */
export const valueBytes: Record<Exclude<ValueType, 'array'>, number> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  string: 8,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** Tensor types by number: name, weights in a block, bytes of a block. Source: ggml.h and ggml-common.h. */
export const tensorTypes: ReadonlyMap<
  number,
  readonly [name: string, blockWeights: number, blockBytes: number]
> = new Map([
  [0, ['f32', 1, 4]],
  [1, ['f16', 1, 2]],
  [2, ['q4_0', 32, 18]],
  [3, ['q4_1', 32, 20]],
  [6, ['q5_0', 32, 22]],
  [7, ['q5_1', 32, 24]],
  [8, ['q8_0', 32, 34]],
  [9, ['q8_1', 32, 36]],
  [10, ['q2_K', 256, 84]],
  [11, ['q3_K', 256, 110]],
  [12, ['q4_K', 256, 144]],
  [13, ['q5_K', 256, 176]],
  [14, ['q6_K', 256, 210]],
  [15, ['q8_K', 256, 292]],
  [16, ['iq2_xxs', 256, 66]],
  [17, ['iq2_xs', 256, 74]],
  [18, ['iq3_xxs', 256, 98]],
  [19, ['iq1_s', 256, 50]],
  [20, ['iq4_nl', 32, 18]],
  [21, ['iq3_s', 256, 110]],
  [22, ['iq2_s', 256, 82]],
  [23, ['iq4_xs', 256, 136]],
  [24, ['i8', 1, 1]],
  [25, ['i16', 1, 2]],
  [26, ['i32', 1, 4]],
  [27, ['i64', 1, 8]],
  [28, ['f64', 1, 8]],
  [29, ['iq1_m', 256, 56]],
  [30, ['bf16', 1, 2]],
  [34, ['tq1_0', 256, 54]],
  [35, ['tq2_0', 256, 66]],
  [39, ['mxfp4', 32, 17]],
  [40, ['nvfp4', 64, 36]],
  [41, ['q1_0', 128, 18]],
  [42, ['q2_0', 64, 18]],
]);
