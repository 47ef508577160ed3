import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { SafetensorsFile } from './safetensors.ts';
import { never, temporaryFolder, u64 } from './testing.ts';

function file(header: unknown, data: Uint8Array): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return Buffer.concat([u64(text.length), text, data]);
}

async function opened(context: TestContext, bytes: Uint8Array): Promise<SafetensorsFile> {
  const path = join(await temporaryFolder(context), 'model.safetensors');
  await writeFile(path, bytes);
  const read = await SafetensorsFile.open(path, never);
  context.after(() => read.close());
  return read;
}

test('given tensors in any order in the header, when it is read, then each gives its own bytes', async (t) => {
  const data = Buffer.from(Float32Array.from({ length: 7 }, (_, index) => index + 0.5).buffer);
  const read = await opened(
    t,
    file(
      {
        second: { dtype: 'F32', shape: [1], data_offsets: [24, 28] },
        __metadata__: { format: 'pt' },
        first: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      },
      data,
    ),
  );
  assert.deepEqual([...read.tensors.keys()], ['first', 'second']);
  assert.deepEqual(read.tensors.get('first')?.shape, [2, 3]);
  for (const [name, from, to] of [
    ['first', 0, 24],
    ['second', 24, 28],
  ] as const) {
    const tensor = read.tensors.get(name) ?? assert.fail(name);
    const pieces: Buffer[] = [];
    for await (const piece of read.pieces(tensor, never)) pieces.push(piece);
    assert.deepEqual(Buffer.concat(pieces), data.subarray(from, to));
  }
});

test('given a large tensor, when it is read, then in several pieces of whole numbers', async (t) => {
  const data = Buffer.alloc(3 * 1024 * 1024 + 8, 7);
  const read = await opened(
    t,
    file({ a: { dtype: 'F64', shape: [data.length / 8], data_offsets: [0, data.length] } }, data),
  );
  const tensor = read.tensors.get('a') ?? assert.fail('a');
  const lengths: number[] = [];
  for await (const piece of read.pieces(tensor, never)) lengths.push(piece.length);
  assert.ok(lengths.length > 1 && lengths.every((length) => length % 8 === 0), lengths.join());
  assert.equal(
    lengths.reduce((sum, length) => sum + length),
    data.length,
  );
});

const one = { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
const broken: readonly { what: string; bytes: Uint8Array; says: RegExp }[] = [
  { what: 'nothing', bytes: Buffer.alloc(0), says: /too short/ },
  { what: 'text', bytes: Buffer.from('Dear reader, here are the weights.'), says: /not a safetensors file/ },
  {
    what: 'a header that is cut off',
    bytes: file(one, Buffer.alloc(8)).subarray(0, 30),
    says: /cut off in its header/,
  },
  { what: 'data that are cut off', bytes: file(one, Buffer.alloc(7)), says: /cut off: 1 bytes are missing/ },
  { what: 'bytes behind the data', bytes: file(one, Buffer.alloc(9)), says: /belong to no tensor/ },
  { what: 'a header that is no JSON', bytes: file('{"a":', Buffer.alloc(0)), says: /not JSON/ },
  { what: 'a header that is a list', bytes: file([], Buffer.alloc(0)), says: /not an object/ },
  {
    what: 'a type that nobody knows',
    bytes: file({ a: { dtype: 'F31', shape: [2], data_offsets: [0, 8] } }, Buffer.alloc(8)),
    says: /"a" is described wrongly/,
  },
  {
    what: 'a negative place',
    bytes: file({ a: { dtype: 'F32', shape: [2], data_offsets: [-8, 0] } }, Buffer.alloc(8)),
    says: /"a" is described wrongly/,
  },
  {
    what: 'a shape that is larger than its place',
    bytes: file({ a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 8] } }, Buffer.alloc(8)),
    says: /place of its tensor "a" does not fit its shape/,
  },
  {
    what: 'tensors over one another',
    bytes: file({ ...one, b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } }, Buffer.alloc(12)),
    says: /place of its tensor "b"/,
  },
  {
    what: 'a hole between tensors',
    bytes: file({ ...one, b: { dtype: 'F32', shape: [1], data_offsets: [12, 16] } }, Buffer.alloc(16)),
    says: /place of its tensor "b"/,
  },
];

for (const { what, bytes, says } of broken) {
  test(`given ${what}, when it is opened, then it is refused with a sentence`, async (t) => {
    await assert.rejects(opened(t, bytes), (error) => {
      assert.ok(PreflexorError.is(error, 'bad-model'), String(error));
      assert.match(error.message, says);
      return true;
    });
  });
}

test('given any bytes, when they are opened, then they are read or refused, and nothing else happens', async (t) => {
  const path = join(await temporaryFolder(t), 'model.safetensors');
  const header = fc.json({ maxDepth: 3 }).map((text) => file(text, Buffer.alloc(8)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 64 }), header), async (bytes) => {
      await writeFile(path, bytes);
      try {
        await (await SafetensorsFile.open(path, never)).close();
      } catch (error) {
        assert.ok(PreflexorError.is(error, 'bad-model'), String(error));
      }
    }),
  );
});
