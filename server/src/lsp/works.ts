// Works of bibliographies in words, and which of them a writer means. Pure; all of it is plain text.
import type { BibliographyEntry } from './retrieval.ts';

/** A title or abstract is not cut in the middle of a word. */
const longestAbstract = 600;

/** Author and year as a list shows them: `Kocks et al. · 1998`. */
export function shortCredit({ authors, year }: BibliographyEntry): string {
  const names = authors.map(familyName);
  const [first = '', second = ''] = names;
  const who = names.length > 2 ? `${first} et al.` : names.length === 2 ? `${first} and ${second}` : first;
  return [who, year ?? ''].filter((part) => part !== '').join(' · ');
}

/** One line: authors, year and title. */
export function oneLine(entry: BibliographyEntry): string {
  return [shortCredit(entry), plain(entry.title)].filter((part) => part !== '').join(' · ');
}

/** What a hover says of a work. @param file the bibliography that it stands in */
export function describeWork(entry: BibliographyEntry, file: string): string {
  const { authors, year, title, venue, doi, url, abstract } = entry;
  const date = year === null ? '' : ` (${year})`;
  const lines = [
    plain(title) || entry.key,
    `${authors.join('; ')}${date}`.trim(),
    plain(venue),
    doi ? `doi:${plain(doi)}` : plain(url),
    shortened(plain(abstract), longestAbstract),
    `${entry.key} in ${file}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** `Lovelace` of `Lovelace, Ada` as of `Ada Lovelace`. */
export function familyName(author: string): string {
  const [family = '', given] = author.split(',');
  return given === undefined ? (author.trim().split(/\s+/).at(-1) ?? '') : family.trim();
}

/**
 * How well a work fits what was typed after `@`: lower is better, null is not at all. What was typed may begin the
 * key, stand in it, or begin a word of an author's name or of the title.
 */
export function rankOf(entry: BibliographyEntry, typed: string): number | null {
  const wanted = folded(typed);
  if (wanted === '') return 0;
  const key = folded(entry.key);
  if (key.startsWith(wanted)) return 0;
  if (beginsWord(entry.authors.join(' '), wanted)) return 1;
  if (beginsWord(entry.title ?? '', wanted)) return 2;
  return key.includes(wanted) ? 3 : null;
}

function beginsWord(text: string, wanted: string): boolean {
  return folded(text)
    .split(/[^\p{L}\p{N}]+/u)
    .some((word) => word.startsWith(wanted));
}

/** Without case and accents, so that `zofie` finds Žofie. */
function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** On one line. */
export function plain(text: string | null): string {
  return (text ?? '').replace(/\s+/g, ' ').trim();
}

/** At most `length` units, whole words, with a sign that something was left out. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), length / 2))}…`;
}
