import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportedNames, manifestResource, moduleDefinition } from './dll.mjs';

/** The least that is a library for 64 bits: one section at 0x1000, which holds an export table with these names. */
function library(names: readonly string[]): Buffer {
  const bytes = Buffer.alloc(0x600);
  const header = 0x80;
  const optional = header + 24;
  const section = optional + 240;
  const [address, place] = [0x1000, 0x200];
  bytes.writeUInt32LE(header, 0x3c);
  bytes.write('PE\0\0', header, 'latin1');
  bytes.writeUInt16LE(1, header + 6); // sections
  bytes.writeUInt16LE(240, header + 20); // size of the optional header
  bytes.writeUInt16LE(0x20b, optional); // 64 bits
  bytes.writeUInt32LE(address, optional + 112); // the export table
  bytes.writeUInt32LE(address, section + 12);
  bytes.writeUInt32LE(bytes.length - place, section + 16);
  bytes.writeUInt32LE(place, section + 20);
  bytes.writeUInt32LE(names.length, place + 24);
  bytes.writeUInt32LE(address + 0x40, place + 32);
  let text = 0x100;
  names.forEach((name, index) => {
    bytes.writeUInt32LE(address + text, place + 0x40 + 4 * index);
    bytes.write(`${name}\0`, place + text, 'latin1');
    text += name.length + 1;
  });
  return bytes;
}

test('given a library, when its exports are read, then they are its names in their order', () => {
  assert.deepEqual(exportedNames(library(['ggml_add', 'ggml_mul_mat'])), ['ggml_add', 'ggml_mul_mat']);
  assert.deepEqual(exportedNames(library([])), []);
});

test('given bytes that are no library or a part of one, when its exports are read, then an error says so', () => {
  assert.throws(() => exportedNames(Buffer.alloc(0x100)), /no library/);
  assert.throws(() => exportedNames(Buffer.alloc(3)), /cut off/);
  assert.throws(() => exportedNames(library(['ggml_add']).subarray(0, 0x210)), /cut off/);
  const elsewhere = library(['ggml_add']);
  elsewhere.writeUInt32LE(0x9000, 0x200 + 0x40);
  assert.throws(() => exportedNames(elsewhere), /a place that it does not have/);
});

test('given names, when a definition is made of them, then each is exported from the library', () => {
  const lines = moduleDefinition('ggml-base.dll', ['ggml_add', '?free@@YAXXZ']).split('\n');
  assert.deepEqual(lines, ['LIBRARY "ggml-base.dll"', 'EXPORTS', '  "ggml_add"', '  "?free@@YAXXZ"', '']);
});

test('given a manifest, when it is made a resource, then it stands behind the empty one, padded to four bytes', () => {
  const resource = manifestResource(Buffer.from('<x/>!'));
  assert.equal(resource.length, 32 + 32 + 8);
  assert.deepEqual([...resource.subarray(0, 16)], [0, 0, 0, 0, 32, 0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0]);
  assert.deepEqual(
    [...resource.subarray(32, 48)],
    [5, 0, 0, 0, 32, 0, 0, 0, 255, 255, 24, 0, 255, 255, 1, 0],
  );
  assert.equal(resource.toString('utf8', 64), '<x/>!\0\0\0');
});
