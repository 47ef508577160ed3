// Search filters as SQL predicates. Every value that comes from outside passes `literal`; no pattern matching
// is used, so that %, _ and backslashes mean nothing.
import type { SearchFilter } from '../../protocol/index.ts';

/** A string literal of SQL. Standard quoting knows one special character: the quote, doubled. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function literals(texts: readonly string[]): string {
  return texts.map(literal).join(', ');
}

/** A tag as it is compared: without case. */
export function tagKey(tag: string): string {
  return tag.toLowerCase();
}

/**
 * The predicate for a filter, or null where it does not narrow. An empty list of folders, tags or kinds
 * narrows to nothing, since none of them holds.
 */
export function predicateOf(filter: SearchFilter): string | null {
  const parts: string[] = [];
  if (filter.folders) parts.push(anyOf(filter.folders.map(inFolder)));
  if (filter.tags)
    parts.push(
      filter.tags.length === 0
        ? 'false'
        : `array_has_any(tag_keys, [${literals(filter.tags.map((tag) => tagKey(tag.replace(/^#/, ''))))}])`,
    );
  if (filter.kinds) parts.push(filter.kinds.length === 0 ? 'false' : `kind IN (${literals(filter.kinds)})`);
  if (filter.since !== undefined) parts.push(`modified >= ${milliseconds(filter.since)}`);
  if (filter.until !== undefined) parts.push(`modified < ${milliseconds(filter.until)}`);
  if (filter.notSources && filter.notSources.length > 0)
    parts.push(`source NOT IN (${literals(filter.notSources)})`);
  return parts.length === 0 ? null : parts.map((part) => `(${part})`).join(' AND ');
}

/**
 * Sources below a folder, as a range that a sorted index answers: `/` is followed by `0` in Unicode, so
 * everything that begins with `a/` lies in ['a/', 'a0').
 */
function inFolder(folder: string): string {
  const name = folder.replace(/^\.?\/+/, '').replace(/\/+$/, '');
  if (name === '' || name === '.') return 'true';
  return `(source >= ${literal(`${name}/`)} AND source < ${literal(`${name}0`)})`;
}

function anyOf(parts: readonly string[]): string {
  return parts.length === 0 ? 'false' : parts.join(' OR ');
}

function milliseconds(time: string): string {
  // With a point: the column is floating point, and Lance does not compare an integer literal by its index.
  return new Date(time).getTime().toFixed(1);
}
