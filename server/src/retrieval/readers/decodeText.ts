// Bytes to text. Knows encodings and what makes a file binary; knows no format.
import type { Refusal } from '../ports.ts';

/** How many control characters a thousand characters of an older encoding may have. */
const controlsPerThousand = 1;
/** How much of an HTML file is looked through for the encoding that it names, in bytes. */
const headBytes = 2048;

/**
 * The text of a file. UTF-8 and UTF-16 with a byte order mark; UTF-8; else what the file says of itself in HTML, else
 * Windows-1252, which takes in Latin-1. A byte order mark is no part of the text, as in editors; line ends stay as
 * they are. So offsets into the text of a UTF-8 file without a mark are those of the file read as UTF-8.
 */
export function decodeText(bytes: Uint8Array): { readonly text: string } | { readonly refusal: Refusal } {
  const marked = markedEncoding(bytes);
  const text = marked ? decode(bytes, marked) : (decodeStrictly(bytes) ?? decodeLeniently(bytes));
  if (text === null || text.includes('\0') || isMostlyControls(text)) {
    return { refusal: { code: 'not-text', reason: 'It is not text: it holds binary data.' } };
  }
  return { text };
}

function markedEncoding(bytes: Uint8Array): string | null {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : null;
}

function decode(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}

function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Not wholly UTF-8: UTF-8 with a few broken bytes, an encoding that the file names, or Windows-1252. */
function decodeLeniently(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  const asUtf8 = decode(bytes, 'utf-8');
  const broken = asUtf8.match(/\uFFFD/g)?.length ?? 0;
  const wide = asUtf8.match(/[^\0-\x7F\uFFFD]/g)?.length ?? 0;
  if (wide > 2 * broken) return asUtf8;
  return decodeNamed(bytes) ?? decode(bytes, 'windows-1252');
}

/** The encoding that `<meta charset=…>` names, if it is one that is known. */
function decodeNamed(bytes: Uint8Array): string | null {
  const head = decode(bytes.subarray(0, headBytes), 'windows-1252');
  const name = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})/i.exec(head)?.[1];
  if (name === undefined) return null;
  try {
    return decode(bytes, name);
  } catch {
    return null;
  }
}

function isMostlyControls(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is counted
  const controls = text.match(/[\x01-\x08\x0E-\x1A\x1C-\x1F]/g)?.length ?? 0;
  return controls > 2 && controls * 1000 > text.length * controlsPerThousand;
}
