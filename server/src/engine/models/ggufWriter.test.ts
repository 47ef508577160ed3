import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { readGgufHeader, type GgufValue } from './gguf.ts';
import { tensorTypes } from './ggufTypes.ts';
import { writeGgufFile, type GgufContent, type GgufMetadata, type GgufTensorData } from './ggufWriter.ts';
import { never, temporaryFolder } from './testing.ts';

async function place(context: TestContext): Promise<string> {
  return join(await temporaryFolder(context), 'made.gguf');
}

function tensor(name: string, shape: readonly number[], type: string, bytes: Uint8Array): GgufTensorData {
  return { name, shape, type, pieces: () => [bytes] };
}

const nothing: GgufContent = { metadata: new Map(), tensors: [] };

// What can be in a file, as fast-check makes it.

const integers = {
  uint8: fc.integer({ min: 0, max: 255 }),
  int8: fc.integer({ min: -128, max: 127 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float32: fc.float({ noNaN: true }),
  float64: fc.double({ noNaN: true }),
} as const;

const numbers = Object.entries(integers) as unknown as [
  keyof typeof integers,
  fc.Arbitrary<number | bigint>,
][];

const wellFormed = fc.string({ unit: 'grapheme', maxLength: 20 });
const value: fc.Arbitrary<GgufMetadata> = fc.oneof(
  fc.record({ type: fc.constant('string' as const), value: wellFormed }),
  fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
  ...numbers.map(([type, arbitrary]) => fc.record({ type: fc.constant(type), value: arbitrary })),
  fc.record({
    ...{ type: fc.constant('array' as const), of: fc.constant('string' as const) },
    values: fc.array(wellFormed, { maxLength: 50 }),
  }),
  fc.record({
    ...{ type: fc.constant('array' as const), of: fc.constant('bool' as const) },
    values: fc.array(fc.boolean()),
  }),
  ...numbers.map(([of, arbitrary]) =>
    fc.record({
      type: fc.constant('array' as const),
      of: fc.constant(of),
      values: fc.array(arbitrary, { maxLength: 50 }),
    }),
  ),
);

const tensors = fc.uniqueArray(
  fc
    .record({
      name: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 63 }),
      type: fc.constantFrom(...tensorTypes.values()),
      blocks: fc.integer({ min: 0, max: 3 }),
      more: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
      seed: fc.integer({ min: 0, max: 255 }),
    })
    .map(({ name, type: [type, weights, bytes], blocks, more, seed }) => {
      const rows = more.reduce((product, length) => product * length, 1);
      const data = Buffer.alloc(blocks * bytes * rows, seed);
      return { ...tensor(name, [blocks * weights, ...more], type, data), data };
    }),
  { selector: ({ name }) => name, maxLength: 5 },
);

/** What the reader gives for a value: 64-bit numbers are bigints only where numbers would not be exact. */
function read(written: GgufMetadata): GgufValue {
  const exact = (each: number | bigint): number | bigint =>
    typeof each === 'bigint' && BigInt.asIntN(54, each) === each ? Number(each) : each;
  if (written.type !== 'array') {
    return typeof written.value === 'bigint' ? exact(written.value) : written.value;
  }
  const { of, values } = written;
  if (of === 'string') return { of, length: values.length, numbers: null, strings: values };
  return { of, length: values.length, numbers: values.map(Number) };
}

test('given any content, when it is written and read, then metadata, tensors and bytes are the same', async (t) => {
  const path = await place(t);
  const alignments = fc.constantFrom(null, 1, 8, 64, 4096);
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(wellFormed, value),
      tensors,
      alignments,
      async (entries, made, alignment) => {
        const metadata = new Map(Object.entries(entries).filter(([key]) => key !== ''));
        if (alignment !== null) metadata.set('general.alignment', { type: 'uint32', value: alignment });
        else metadata.delete('general.alignment');
        await writeGgufFile(path, { metadata, tensors: made }, never);
        const header = await readGgufHeader(path, { keep: [...metadata.keys()] });
        assert.deepEqual(
          [...header.metadata],
          [...metadata].map(([key, written]) => [key, read(written)]),
        );
        assert.equal(header.missingBytes, 0);
        const file = await readFile(path);
        assert.equal(header.tensors.length, made.length);
        for (const [index, { name, shape, type, offset, bytes }] of header.tensors.entries()) {
          const { data, ...written } = made[index] ?? assert.fail('one tensor too many');
          assert.deepEqual(
            { name, shape, type },
            { name: written.name, shape: written.shape, type: written.type },
          );
          assert.equal((offset - header.dataStart) % (alignment ?? 32), 0);
          assert.deepEqual(file.subarray(offset, offset + bytes), data);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('given an array longer than a header usually keeps, when it is asked for, then all of it is there', async (t) => {
  const path = await place(t);
  const values = Array.from({ length: 10_000 }, (_, index) => index - 5000);
  const strings = values.map((each) => `token ${each}`);
  const metadata = new Map<string, GgufMetadata>([
    ['numbers', { type: 'array', of: 'int32', values }],
    ['strings', { type: 'array', of: 'string', values: strings }],
    ['after', { type: 'bool', value: true }],
  ]);
  await writeGgufFile(path, { metadata, tensors: [] }, never);
  const { metadata: kept } = await readGgufHeader(path, { keep: ['numbers', 'strings'] });
  assert.deepEqual(kept.get('numbers'), { of: 'int32', length: 10_000, numbers: values });
  assert.deepEqual(kept.get('strings'), { of: 'string', length: 10_000, numbers: null, strings });
  const { metadata: usual } = await readGgufHeader(path);
  assert.deepEqual(usual.get('strings'), { of: 'string', length: 10_000, numbers: null });
  assert.equal(usual.get('after'), true);
});

test('given a tensor in many pieces, when it is written, then they follow each other without gaps', async (t) => {
  const path = await place(t);
  const pieces = () => Array.from({ length: 100 }, (_, index) => Buffer.alloc(8000, index));
  await writeGgufFile(
    path,
    { ...nothing, tensors: [{ name: 'w', shape: [200_000], type: 'f32', pieces }] },
    never,
  );
  const { dataStart } = await readGgufHeader(path);
  assert.deepEqual((await readFile(path)).subarray(dataStart), Buffer.concat(pieces()));
});

const impossible: readonly { what: string; content: GgufContent; says: RegExp }[] = [
  {
    what: 'two tensors of one name',
    content: {
      ...nothing,
      tensors: [tensor('a', [0], 'f32', Buffer.alloc(0)), tensor('a', [0], 'f32', Buffer.alloc(0))],
    },
    says: /two tensors are named "a"/,
  },
  {
    what: 'a name of 64 bytes',
    content: { ...nothing, tensors: [tensor('é'.repeat(32), [0], 'f32', Buffer.alloc(0))] },
    says: /no name for a tensor: 1 to 63 bytes/,
  },
  {
    what: 'a type that nobody knows',
    content: { ...nothing, tensors: [tensor('a', [0], 'q99', Buffer.alloc(0))] },
    says: /unknown type q99/,
  },
  {
    what: 'five dimensions',
    content: { ...nothing, tensors: [tensor('a', [1, 1, 1, 1, 1], 'i8', Buffer.alloc(1))] },
    says: /has the shape \[1, 1, 1, 1, 1\]/,
  },
  {
    what: 'half a block',
    content: { ...nothing, tensors: [tensor('a', [16], 'q8_0', Buffer.alloc(17))] },
    says: /not whole blocks of q8_0/,
  },
  {
    what: 'a byte too few',
    content: { ...nothing, tensors: [tensor('a', [2], 'f32', Buffer.alloc(7))] },
    says: /should have 8 bytes and has 7/,
  },
  {
    what: 'a byte too many',
    content: { ...nothing, tensors: [tensor('a', [2], 'f32', Buffer.alloc(9))] },
    says: /should have 8 bytes and has more/,
  },
  {
    what: 'a number out of its range',
    content: { ...nothing, metadata: new Map([['n', { type: 'uint8', value: 256 }]]) },
    says: /"n" cannot be 256 as uint8/,
  },
  {
    what: 'a broken number for a whole one',
    content: { ...nothing, metadata: new Map([['n', { type: 'int32', value: 0.5 }]]) },
    says: /"n" cannot be 0.5 as int32/,
  },
  {
    what: 'an alignment of three',
    content: { ...nothing, metadata: new Map([['general.alignment', { type: 'uint32', value: 3 }]]) },
    says: /not a power of two/,
  },
];

for (const { what, content, says } of impossible) {
  test(`given ${what}, when it is written, then it is refused and the file that was there stands`, async (t) => {
    const path = await place(t);
    await writeFile(path, 'before');
    await assert.rejects(writeGgufFile(path, content, never), (error) => {
      assert.ok(PreflexorError.is(error, 'bad-model'), String(error));
      assert.match(error.message, says);
      return true;
    });
    assert.deepEqual(await readdir(join(path, '..')), ['made.gguf']);
    assert.equal(await readFile(path, 'utf8'), 'before');
  });
}

test('given it is cancelled in a tensor, when it is written, then nothing is left', async (t) => {
  const path = await place(t);
  const controller = new AbortController();
  const pieces = function* () {
    yield Buffer.alloc(4);
    controller.abort();
    yield Buffer.alloc(4);
  };
  const content = { ...nothing, tensors: [{ name: 'a', shape: [2], type: 'f32', pieces }] };
  await assert.rejects(writeGgufFile(path, content, controller.signal), (error) =>
    PreflexorError.is(error, 'cancelled'),
  );
  assert.deepEqual(await readdir(join(path, '..')), []);
});
