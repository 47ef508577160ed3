// What a linker needs for Windows and is not given: the names that a library exports, read out of its file, the
// definition from which its import library is made, and a program's manifest as a resource. Pure.

class DllError extends Error {}

/**
 * The names that a PE32+ file exports (Microsoft's PE format, "The .edata Section").
 * @param {Buffer} bytes the whole file
 * @throws Error for bytes that are no such library
 */
export function exportedNames(bytes) {
  try {
    return namesIn(bytes);
  } catch (error) {
    if (error instanceof RangeError) throw new DllError('The library is cut off.', { cause: error });
    throw error;
  }
}

function namesIn(bytes) {
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') throw new DllError('This is no library.');
  const sectionCount = bytes.readUInt16LE(header + 6);
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== 0x20b) throw new DllError('This is no library for 64 bits.');
  const sections = optional + bytes.readUInt16LE(header + 20);
  /** Where in the file an address of the loaded library is. */
  const place = (address) => {
    for (let index = 0; index < sectionCount; index += 1) {
      const section = sections + 40 * index;
      const offset = address - bytes.readUInt32LE(section + 12);
      const size = bytes.readUInt32LE(section + 16);
      if (offset >= 0 && offset < size) return bytes.readUInt32LE(section + 20) + offset;
    }
    throw new DllError('The library names a place that it does not have.');
  };
  const directory = bytes.readUInt32LE(optional + 112);
  if (directory === 0) return [];
  const table = place(directory);
  const count = bytes.readUInt32LE(table + 24);
  const names = place(bytes.readUInt32LE(table + 32));
  return Array.from({ length: count }, (_, index) =>
    textAt(bytes, place(bytes.readUInt32LE(names + 4 * index))),
  );
}

function textAt(bytes, start) {
  const end = bytes.indexOf(0, start);
  if (end < 0) throw new DllError('The library is cut off.');
  return bytes.toString('latin1', start, end);
}

/** A module definition (.def), which dlltool turns into an import library. */
export function moduleDefinition(file, names) {
  return [`LIBRARY "${file}"`, 'EXPORTS', ...names.map((name) => `  "${name}"`), ''].join('\n');
}

/** A program's manifest as a compiled resource (.res): an empty one first, as the format asks, then type 24, name 1. */
export function manifestResource(manifest) {
  const padding = Buffer.alloc(-manifest.length & 3);
  return Buffer.concat([
    resourceHeader(0, 0, 0, 0),
    resourceHeader(manifest.length, 24, 1, 0x30),
    manifest,
    padding,
  ]);
}

function resourceHeader(size, type, name, flags) {
  const header = Buffer.alloc(32);
  header.writeUInt32LE(size, 0);
  header.writeUInt32LE(header.length, 4);
  // Type and name are numbers, not texts.
  for (const [place, value] of [
    [8, type],
    [12, name],
  ]) {
    header.writeUInt16LE(0xffff, place);
    header.writeUInt16LE(value, place + 2);
  }
  header.writeUInt16LE(flags, 20);
  return header;
}
