// Enough of BibTeX for tests: entries with their fields in braces or quotes, one level deep.
import type { BibliographyEntry } from '../../server/src/lsp/retrieval.ts';

export function readEntries(text: string): BibliographyEntry[] {
  return [...text.matchAll(/@(\w+)\s*\{\s*([^,\s]+)\s*,([^@]*?)\n\}/g)].map((match) => {
    const [whole, type = '', key = '', body = ''] = match;
    const field = (name: string): string | null =>
      new RegExp(`\\b${name}\\s*=\\s*[{"]((?:[^{}]|\\{[^{}]*\\})*?)[}"]\\s*(?:,|$)`, 'im')
        .exec(body)?.[1]
        ?.replace(/[{}]/g, '') ?? null;
    return {
      key,
      type: type.toLowerCase(),
      title: field('title'),
      authors: field('author')?.split(/\s+and\s+/) ?? [],
      year: field('year'),
      venue: field('journal') ?? field('publisher'),
      doi: field('doi'),
      url: field('url'),
      abstract: field('abstract'),
      keywords: field('keywords')?.split(/\s*,\s*/) ?? [],
      file: field('file'),
      start: match.index,
      end: match.index + whole.length,
    };
  });
}
