// Reads BibTeX and BibLaTeX: every entry with its place, whatever state the file is in. Total and linear; a library of
// five thousand entries takes a fraction of a second, so that completion may read it as it is typed.
import { basename } from 'node:path/posix';
import type { SourceDocument } from '../ports.ts';
import { BibtexScanner } from './bibtexScanner.ts';
import type { RawEntry } from './bibtexScanner.ts';
import { BlockCollector } from './blockCollector.ts';
import { latexToText } from './latex/inline.ts';
import { ReadableBuilder } from './readableBuilder.ts';

/** An entry of a bibliography, as a person reads it: commands and braces of LaTeX are gone. */
export interface BibliographyEntry {
  readonly key: string;
  /** In lower case: `article`. */
  readonly type: string;
  readonly title: string | null;
  /** `First Last`, in their order; the editors where there is no author. `others` is left out. */
  readonly authors: readonly string[];
  readonly year: string | null;
  /** Journal, proceedings, publisher, school: where it came out. */
  readonly venue: string | null;
  /** Without `https://doi.org/`. */
  readonly doi: string | null;
  readonly url: string | null;
  readonly abstract: string | null;
  readonly keywords: readonly string[];
  /** Path of the first attached file, as it is written: data, not a path to be opened without a check. */
  readonly file: string | null;
  /** UTF-16 offsets of the entry, from its `@` to behind its closing brace. */
  readonly start: number;
  readonly end: number;
}

/**
 * The entries of a bibliography, in their order, those with the same key too. Entries without a key are left out; one
 * that is broken gives the fields that can be read, and the rest of the file stands.
 */
export function readBibliography(text: string): BibliographyEntry[] {
  const raw = [...new BibtexScanner(text).entries()].filter(({ key }) => key !== '');
  const byKey = new Map(raw.toReversed().map((entry) => [entry.key.toLowerCase(), entry]));
  return raw.map((entry) => {
    const parent = byKey.get(entry.fields.get('crossref')?.trim().toLowerCase() ?? '');
    return toEntry(entry, parent === entry ? undefined : parent);
  });
}

/** Reads a bibliography as a document: one block for each entry. */
export function readBibtex(path: string, text: string): SourceDocument {
  const collector = new BlockCollector();
  const entries = readBibliography(text);
  for (const entry of entries) {
    const readable = new ReadableBuilder();
    readable.put(readableEntry(entry), entry.start, entry.end);
    const { key, start, end } = entry;
    collector.add({ source: path, kind: 'entry', readable, start, end, citations: [key] });
  }
  return {
    path,
    kind: 'bibtex',
    title: basename(path).replace(/\.[^.]*$/, ''),
    tags: [],
    blocks: collector.blocks,
    texts: { [path]: text },
    dependencies: [],
    defines: [...new Set(entries.map(({ key }) => key))],
  };
}

/** What matters most comes first: an embedder may not read to the end of a long abstract. */
function readableEntry({ key, title, authors, year, venue, keywords, abstract }: BibliographyEntry): string {
  const origin = [authors.join(', '), year, venue].filter(Boolean).join('. ');
  const lines = [title ?? key, origin, keywords.join(', '), abstract ?? ''];
  return lines.filter((line) => line !== '').join('\n');
}

const venues = [
  'journal',
  'journaltitle',
  'booktitle',
  'maintitle',
  'series',
  'school',
  'institution',
  'publisher',
  'organization',
  'howpublished',
  'eventtitle',
];

function toEntry(entry: RawEntry, parent: RawEntry | undefined): BibliographyEntry {
  const { key, type, start, end } = entry;
  const written = (...names: readonly string[]): string | null => {
    const found = names.map((name) => entry.fields.get(name)?.trim()).find(Boolean);
    return found ?? null;
  };
  const read = (...names: readonly string[]): string | null => {
    const value = written(...names);
    return value === null ? null : latexToText(value) || null;
  };
  const title = [read('title', 'shorttitle'), read('subtitle')].filter(Boolean).join(': ');
  const inherited = parent?.fields.get('booktitle') ?? parent?.fields.get('title');
  const year = read('year') ?? /\d{4}/.exec(read('date') ?? parent?.fields.get('year') ?? '')?.[0] ?? null;
  return {
    key,
    type,
    title: title || null,
    authors: namesIn(written('author', 'editor', 'translator') ?? ''),
    year,
    venue: read(...venues) ?? (inherited === undefined ? null : latexToText(inherited) || null),
    doi: plainValue(written('doi'))?.replace(/^(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:\s*)/i, '') ?? null,
    url: plainValue(written('url', 'howpublished'), /^https?:\/\//),
    abstract: read('abstract'),
    keywords: (written('keywords', 'keyword') ?? '')
      .split(/[,;]/)
      .map((word) => latexToText(word))
      .filter((word) => word !== ''),
    file: fileOf(written('file')),
    start,
    end,
  };
}

/** An address or number as it is written, without commands around it and escapes in it. */
function plainValue(value: string | null, form?: RegExp): string | null {
  if (value === null) return null;
  const inside = /\\url\s*\{([^{}]*)\}/.exec(value)?.[1] ?? value;
  const text = inside.replace(/\\(?=[_%&#~{}])/g, '').replace(/[{}\s]/g, '');
  return text === '' || (form && !form.test(text)) ? null : text;
}

/** Names joined by `and`, each as it is spoken. */
function namesIn(value: string): string[] {
  return splitOutsideBraces(value, /\s+and\s+/iy)
    .map((name) => nameText(name.trim()))
    .filter((name) => name !== '' && name !== 'others');
}

/** `von Last, Jr, First` or `First von Last` or `{An Institution}` or `family=…, given=…` (BibLaTeX). */
function nameText(name: string): string {
  if (/^\{.*\}$/s.test(name) && splitOutsideBraces(name, /\s/y).length === 1) return latexToText(name);
  const parts = splitOutsideBraces(name, /\s*,\s*/y);
  const named = new Map(
    parts.map((part) => /^(\w+)\s*=\s*(.*)$/s.exec(part) ?? []).map((m) => [m[1], m[2] ?? '']),
  );
  if (named.has('family'))
    return latexToText(
      ['given', 'prefix', 'family', 'suffix'].map((part) => named.get(part) ?? '').join(' '),
    );
  const [last = '', second, third] = parts;
  if (third !== undefined) return latexToText(`${third} ${last}, ${second ?? ''}`);
  return latexToText(second === undefined ? last : `${second} ${last}`);
}

/** Splits at a separator (a sticky expression) that stands in no braces. */
function splitOutsideBraces(value: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let place = 0; place < value.length; place += 1) {
    const unit = value[place];
    if (unit === '{') depth += 1;
    else if (unit === '}') depth -= 1;
    else if (
      depth <= 0 &&
      place > 0 &&
      (unit === ',' || /\s/.test(unit ?? '')) &&
      !/\s/.test(value[place - 1] ?? '')
    ) {
      separator.lastIndex = place;
      if (!separator.test(value)) continue;
      parts.push(value.slice(from, place));
      from = separator.lastIndex;
      place = from - 1;
    }
  }
  parts.push(value.slice(from));
  return parts;
}

/** `name:path:type;…` (JabRef, Zotero), or a path. A colon or semicolon of the path itself is escaped. */
function fileOf(value: string | null): string | null {
  const [first] = (value ?? '').split(/(?<!\\);/);
  if (!first) return null;
  const parts = first.split(/(?<!\\):/);
  const path = parts.length >= 3 ? parts.slice(1, -1).join(':') : first;
  return path.replace(/\\(.)/g, '$1').trim() || null;
}
