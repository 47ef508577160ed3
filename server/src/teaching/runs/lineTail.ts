// Reads a file of JSON lines that another process writes: each call takes in what came since the last one. A line that
// is torn is read when it is whole, one that can't be understood is passed over.
import { open } from 'node:fs/promises';
import { isMissing } from '../../state/index.ts';

/** Bytes that are read at once. */
const pieceBytes = 1 << 20;

export class LineTail<T> {
  readonly #file: string;
  readonly #decode: (json: unknown) => T | null;
  #lines: T[] = [];
  #read = 0;
  #inode = 0;
  #changed = 0;
  #beginnings = 0;

  constructor(file: string, decode: (json: unknown) => T | null) {
    this.#file = file;
    this.#decode = decode;
  }

  /** In the order of the file. */
  get lines(): readonly T[] {
    return this.#lines;
  }

  /** When the file was last written, in milliseconds since the epoch; 0: there is none. */
  get changed(): number {
    return this.#changed;
  }

  /** How often another file, or a shorter one, took its place. */
  get beginnings(): number {
    return this.#beginnings;
  }

  async update(): Promise<void> {
    const handle = await open(this.#file, 'r').catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (handle === null) {
      if (this.#read > 0) this.#begin(0);
      this.#changed = 0;
      return;
    }
    try {
      const { size, mtimeMs, ino } = await handle.stat();
      if (size < this.#read || (this.#inode !== 0 && ino !== this.#inode)) this.#begin(ino);
      this.#inode = ino;
      this.#changed = mtimeMs;
      let rest = Buffer.alloc(0);
      for (let at = this.#read; at < size;) {
        const piece = Buffer.alloc(Math.min(pieceBytes, size - at));
        const { bytesRead } = await handle.read(piece, 0, piece.length, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        rest = this.#take(Buffer.concat([rest, piece.subarray(0, bytesRead)]));
      }
    } finally {
      await handle.close();
    }
  }

  #begin(inode: number): void {
    this.#lines = [];
    this.#read = 0;
    this.#inode = inode;
    this.#beginnings += 1;
  }

  /** Takes in whole lines. @returns what is left of the bytes */
  #take(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const end = bytes.lastIndexOf(10) + 1;
    this.#read += end;
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      const decoded = line === '' ? null : this.#decode(jsonOf(line));
      if (decoded !== null) this.#lines.push(decoded);
    }
    return bytes.subarray(end);
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
