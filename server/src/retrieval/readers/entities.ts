// Text of HTML without its character references, by parse5's own rules.
import { parseFragment } from 'parse5';
import type { ReadableBuilder } from './readableBuilder.ts';

/** A character reference, or a tag that stands between the halves of a text that the parser put together. */
const special =
  /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});?|<[A-Za-z/!?][^<>]{0,2000}>|\0/g;
const decoded = new Map<string, string>();
const mostRemembered = 4000;

/** Copies the text `source[start, end)` of an HTML document, decoded, with its places. */
export function copyHtmlText(builder: ReadableBuilder, source: string, start: number, end: number): void {
  const text = source.slice(start, end);
  let from = 0;
  for (const match of text.matchAll(special)) {
    builder.copy(source, start + from, start + match.index);
    from = match.index + match[0].length;
    if (match[0].startsWith('&')) builder.put(decodeReference(match[0]), start + match.index, start + from);
  }
  builder.copy(source, start + from, end);
}

/** What `&name;` stands for; itself where it stands for nothing. */
function decodeReference(reference: string): string {
  const known = decoded.get(reference);
  if (known !== undefined) return known;
  const [node] = parseFragment(reference).childNodes;
  const value = node?.nodeName === '#text' && 'value' in node ? node.value : reference;
  if (decoded.size < mostRemembered) decoded.set(reference, value);
  return value;
}
