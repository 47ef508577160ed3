import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { describeGguf } from './describe.ts';
import { readGgufHeader } from './gguf.ts';
import { temporaryFolder, tinyMetadata, tinyModel, tinyTensors, u64, writeGguf } from './testing.ts';

async function fileWith(context: TestContext, bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(context), 'model.gguf');
  await writeFile(path, bytes);
  return path;
}

/** What is wrong with a file of these bytes. */
async function refusal(context: TestContext, bytes: Uint8Array): Promise<string> {
  const path = await fileWith(context, bytes);
  const error = await readGgufHeader(path).then(
    () => assert.fail('it was read'),
    (thrown: unknown) => thrown,
  );
  assert.ok(PreflexorError.is(error, 'bad-model'), String(error));
  assert.match(error.message, /^model\.gguf cannot be used as a model: /);
  return error.message;
}

/** The tiny model with the bytes at `at` replaced. */
function patched(at: number, bytes: ArrayLike<number>): Buffer {
  const model = Buffer.from(tinyModel());
  Buffer.from(bytes).copy(model, at);
  return model;
}

/** Where a string with its length before it begins in the tiny model. */
function placeOf(model: Buffer, name: string): number {
  const at = model.indexOf(Buffer.concat([u64(name.length), Buffer.from(name)]));
  assert.notEqual(at, -1);
  return at;
}

test('given a well-formed GGUF, when its header is read, then metadata and tensors are as written', async (t) => {
  const bytes = writeGguf(
    { ...tinyMetadata, 'some.flag': true, 'some.large': { u64: 2n ** 60n }, 'some.list': { i32s: [3, -4] } },
    tinyTensors,
  );
  const header = await readGgufHeader(await fileWith(t, bytes));
  assert.equal(header.version, 3);
  assert.equal(header.metadata.get('general.name'), 'Tiny');
  assert.equal(header.metadata.get('llama.block_count'), 2);
  assert.equal(header.metadata.get('some.flag'), true);
  assert.equal(header.metadata.get('some.large'), 2n ** 60n);
  assert.deepEqual(header.metadata.get('some.list'), { of: 'int32', length: 2, numbers: [3, -4] });
  assert.deepEqual(header.metadata.get('tokenizer.ggml.tokens'), { of: 'string', length: 4, numbers: null });
  assert.deepEqual(
    header.tensors.map(({ name, shape, type, bytes: size }) => ({ name, shape, type, size })),
    tinyTensors.map(({ name, shape }) => ({
      name,
      shape,
      type: 'f32',
      size: 4 * shape.reduce((a, b) => a * b),
    })),
  );
  // The writer fills the first tensor's data with ones, the second's with twos.
  assert.equal(bytes[header.dataStart], 1);
  assert.equal(bytes[header.tensors[1]?.offset ?? 0], 2);
  assert.equal(header.fileBytes, bytes.length);
  assert.equal(header.missingBytes, 0);
});

test('given a file whose last tensor is cut off, when its header is read, then the missing bytes are counted', async (t) => {
  const bytes = tinyModel();
  const header = await readGgufHeader(await fileWith(t, bytes.subarray(0, bytes.length - 40)));
  assert.equal(header.missingBytes, 40);
});

test('given a header larger than the reading window, when it is read, then strings across its edge are whole', async (t) => {
  const long = 'x'.repeat(700_000);
  const tokens = Array.from({ length: 60_000 }, (_, index) => `token ${index}`);
  const bytes = writeGguf({ ...tinyMetadata, before: long, tokens, after: 'end' }, tinyTensors);
  const header = await readGgufHeader(await fileWith(t, bytes));
  assert.equal(header.metadata.get('before'), long);
  assert.equal(header.metadata.get('after'), 'end');
  assert.deepEqual(header.metadata.get('tokens'), { of: 'string', length: 60_000, numbers: null });
});

test('given hostile counts and lengths, when the header is read, then each is refused', async (t) => {
  const model = tinyModel();
  const huge = u64(2n ** 63n);
  const firstTensor = placeOf(model, 'token_embd.weight');
  const dimensions = firstTensor + 8 + 'token_embd.weight'.length;
  const tokens = placeOf(model, 'tokenizer.ggml.tokens') + 8 + 'tokenizer.ggml.tokens'.length;
  assert.match(await refusal(t, patched(8, huge)), /9,?223.* tensors/);
  assert.match(await refusal(t, patched(16, huge)), /metadata entries/);
  assert.match(await refusal(t, patched(24, huge)), /a metadata key is \d+ bytes long/);
  assert.match(await refusal(t, patched(tokens + 8, huge)), /values of "tokenizer\.ggml\.tokens"/);
  assert.match(await refusal(t, patched(tokens + 4, [9, 0, 0, 0])), /array of arrays/);
  assert.match(await refusal(t, patched(tokens, [200, 0, 0, 0])), /unknown type 200/);
  assert.match(await refusal(t, patched(dimensions, [9, 0, 0, 0])), /9 dimensions/);
  assert.match(await refusal(t, patched(dimensions + 4, huge)), /impossibly large/);
  assert.match(await refusal(t, patched(dimensions + 20, [4, 0, 0, 0])), /unknown type 4/);
  assert.match(await refusal(t, patched(dimensions + 20, [2, 0, 0, 0])), /not whole blocks of q4_0/);
  assert.match(await refusal(t, patched(dimensions + 24, u64(64))), /does not follow/);
});

test('given repeated names or a wrong alignment, when the header is read, then it is refused', async (t) => {
  const twice = [...tinyTensors, { name: 'token_embd.weight', shape: [8, 4] }];
  assert.match(await refusal(t, writeGguf(tinyMetadata, twice)), /two tensors named "token_embd\.weight"/);
  const alike = writeGguf({ aaa: 1, aab: 2 }, []);
  alike.write('aaa', alike.indexOf('aab'));
  assert.match(await refusal(t, alike), /key "aaa" is empty or repeated/);
  assert.match(await refusal(t, writeGguf({ 'general.alignment': 48 }, [])), /power of two/);
});

test('given files of other kinds, when they are read, then the refusal says what they are', async (t) => {
  assert.match(await refusal(t, Buffer.alloc(0)), /it is empty/);
  assert.match(
    await refusal(t, Buffer.from('version https://git-lfs.github.com/spec/v1\noid')),
    /Git LFS pointer/,
  );
  assert.match(await refusal(t, Buffer.from('<!DOCTYPE html><title>404</title>')), /web page/);
  assert.match(await refusal(t, Buffer.from('tjgg and more bytes')), /older than GGUF/);
  assert.match(await refusal(t, Buffer.from('PK\u0003\u0004 and more')), /zip archive/);
  assert.match(await refusal(t, Buffer.from('just some text')), /not a GGUF file/);
  assert.match(await refusal(t, Buffer.from('GG')), /not a GGUF file/);
  assert.match(await refusal(t, patched(4, [0, 0, 0, 3])), /big-endian/);
  assert.match(await refusal(t, patched(4, [1, 0, 0, 0])), /version 1 is not known/);
  assert.match(await refusal(t, tinyModel().subarray(0, 100)), /cut off/);
});

test('given no file, a folder or a pipe, when it is read, then it says so and does not wait', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(readGgufHeader(join(folder, 'none.gguf')), { code: 'no-model' });
  await mkdir(join(folder, 'folder.gguf'));
  await assert.rejects(readGgufHeader(join(folder, 'folder.gguf')), { code: 'bad-model' });
  if (process.platform === 'win32') return;
  execFileSync('mkfifo', [join(folder, 'pipe.gguf')]);
  await assert.rejects(readGgufHeader(join(folder, 'pipe.gguf')), {
    code: 'bad-model',
    message: /ordinary file/,
  });
});

test('given an aborted signal, when a header is read, then it ends as cancelled', async (t) => {
  const path = await fileWith(t, tinyModel());
  await assert.rejects(readGgufHeader(path, { signal: AbortSignal.abort() }), { code: 'cancelled' });
});

test('given any damage to a GGUF, when it is described, then it is described or refused, nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'damaged.gguf');
  const model = tinyModel();
  const header = model.indexOf(Buffer.from('output_norm.weight')) + 60;
  const flip = fc.tuple(fc.nat(header - 1), fc.integer({ min: 1, max: 255 }));
  const wide = fc.tuple(fc.nat(header - 8), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(flip, { maxLength: 4 }),
      fc.array(wide, { maxLength: 2 }),
      fc.option(fc.nat(model.length), { nil: undefined }),
      async (flips, overwrites, length) => {
        const bytes = Buffer.from(model);
        for (const [at, mask] of flips) bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
        for (const [at, value] of overwrites) bytes.writeBigUInt64LE(value, at);
        await writeFile(path, bytes.subarray(0, length));
        try {
          const description = await describeGguf(path);
          assert.ok(Number.isSafeInteger(description.weightBytes) && description.weightBytes >= 0);
          assert.ok(description.keyValueHeads.length <= 4096);
        } catch (error) {
          if (!PreflexorError.is(error, 'bad-model')) throw error;
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('given random bytes behind the magic, when they are read, then they are read or refused', async (t) => {
  const path = join(await temporaryFolder(t), 'random.gguf');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      await writeFile(path, Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), bytes]));
      await readGgufHeader(path).catch((error: unknown) => {
        if (!PreflexorError.is(error, 'bad-model')) throw error;
      });
    }),
    { numRuns: 500 },
  );
});
