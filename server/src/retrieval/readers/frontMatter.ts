// The front matter of a note: title, tags, and prose that stands in it. What it says is data of unknown shape.
import { isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import type { OffsetRange } from '../../protocol/index.ts';

export interface FrontMatter {
  readonly title: string | null;
  /** Without `#`. */
  readonly tags: readonly string[];
  /** Prose in it, such as an abstract: its value, and where it stands in the note. */
  readonly prose: readonly (OffsetRange & { readonly name: string; readonly value: string })[];
}

const none: FrontMatter = { title: null, tags: [], prose: [] };
/** Longer front matter is data, not a note's head. UTF-16 units. */
const longest = 200_000;
/** How often aliases may be followed: a few honest ones, no bomb. */
const maxAliasCount = 100;
const proseFields = ['abstract', 'summary', 'description'];

const Word = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Words = z
  .union([z.array(z.unknown()), z.string()])
  .transform((value) =>
    typeof value === 'string'
      ? value.split(value.includes(',') ? ',' : /\s+/)
      : value.map((item) => Word.safeParse(item).data ?? ''),
  )
  .transform((words) => words.map((word) => word.trim().replace(/^#/, '')).filter((word) => word !== ''));

const Fields = z.record(z.string(), z.unknown());

/**
 * Reads the front matter at a note's start. Damaged YAML gives what can be read of it, never an exception.
 * @param end where the front matter ends, its closing fence included (notes: `frontMatterEnd`); 0 for none
 */
export function readFrontMatter(note: string, end: number): FrontMatter {
  if (end === 0 || end > longest || !note.startsWith('---')) return none;
  const start = note.indexOf('\n') + 1;
  const close = note.lastIndexOf('---', end);
  if (start === 0 || close < start) return none;
  const yaml = note.slice(start, close);
  const document = parseYaml(yaml);
  if (!document) return none;
  const fields = fieldsOf(document);
  return {
    title: Word.safeParse(fields['title']).data?.trim() || null,
    tags: [
      ...new Set(['tags', 'tag', 'keywords'].flatMap((name) => Words.safeParse(fields[name]).data ?? [])),
    ],
    prose: proseFields.flatMap((name) => proseOf(document, name, start)),
  };
}

function parseYaml(yaml: string): Document.Parsed | null {
  try {
    return parseDocument(yaml, { lineCounter: new LineCounter(), logLevel: 'silent', strict: false });
  } catch {
    return null;
  }
}

function fieldsOf(document: Document.Parsed): Record<string, unknown> {
  try {
    return Fields.safeParse(document.toJS({ maxAliasCount })).data ?? {};
  } catch {
    return {};
  }
}

function proseOf(document: Document.Parsed, name: string, offset: number): FrontMatter['prose'] {
  const node = document.get(name, true);
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return [];
  const [start, end] = node.range;
  return node.value.trim() === ''
    ? []
    : [{ name, value: node.value, start: offset + start, end: offset + end }];
}
