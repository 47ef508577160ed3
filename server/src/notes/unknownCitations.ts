// A work that a model made up is never cited as if it were real: its citation becomes words that no reader of
// markdown takes for one. Changes nothing else of a text.
import { citationsIn, inlineTexts, type CitationPlace, type InlineText } from './citations.ts';
import { applyEdits } from './edits.ts';
import type { TextEdit } from '../protocol/index.ts';

export interface MarkedText {
  readonly text: string;
  /** The keys that are not known, each once, in their order. */
  readonly unknown: string[];
}

/**
 * Turns citations of unknown works into `[unknown citation: key]`. In a bracket with known ones those stay a
 * citation, and the unknown ones follow in a bracket of their own. Doing it twice changes nothing.
 * @param known the keys of the workspace's bibliographies
 * @param alsoKnown further keys: those that stand in the note itself
 */
export function markUnknownCitations(
  text: string,
  known: ReadonlySet<string>,
  alsoKnown: ReadonlySet<string> = new Set(),
): MarkedText {
  return markCitations(text, (key) => !known.has(key) && !alsoKnown.has(key));
}

/** The same for whatever keys `isUnknown` names. */
export function markCitations(text: string, isUnknown: (key: string) => boolean): MarkedText {
  const unknown = new Set<string>();
  let marked = text;
  // What a citation turns into may let the text be read in another way. Each round takes away an `@`, so it ends.
  for (;;) {
    const edits = inlineTexts(marked).flatMap((inline) => editsOf(marked, inline, isUnknown, unknown));
    if (edits.length === 0) return { text: marked, unknown: [...unknown] };
    marked = applyEdits(marked, edits);
  }
}

function editsOf(
  source: string,
  inline: InlineText,
  isUnknown: (key: string) => boolean,
  unknown: Set<string>,
): TextEdit[] {
  const citations = inline.texts.flatMap((text) =>
    citationsIn(source, text).map((place) => ({ ...place, linked: text.linked })),
  );
  const wrong = citations.filter(({ key }) => isUnknown(key));
  for (const { key } of wrong) unknown.add(key);
  if (wrong.length === 0) return [];
  const groups = citationGroups(source, inline, citations);
  const grouped = new Set(groups.flatMap((group) => group.items.flatMap((item) => item.citations)));
  const bare = wrong.filter((place) => !grouped.has(place));
  const wrongGroups = groups.filter((group) =>
    group.items.some((item) => item.citations.some(({ key }) => isUnknown(key))),
  );
  // A group that holds another one waits for the next round, when that one's text is settled.
  const innermost = wrongGroups.filter(
    (group) =>
      !wrongGroups.some((other) => other !== group && other.start > group.start && other.end < group.end),
  );
  return [
    ...innermost.map((group) => editOfGroup(source, group, isUnknown)),
    ...bare.map(({ key, start, end }) => ({ start, end, text: bracketed(shown(key), source, end) })),
  ].sort((a, b) => a.start - b.start);
}

/** A bracket that pandoc reads as citations: `[` … `;` … `]`, each part with a key. */
interface Group {
  readonly start: number;
  readonly end: number;
  readonly items: readonly Item[];
}

interface Item {
  readonly start: number;
  readonly end: number;
  readonly citations: readonly CitationPlace[];
}

interface Bracket {
  readonly start: number;
  readonly end: number;
  /** The semicolons in it, but not in a bracket inside. */
  readonly semicolons: readonly number[];
}

function citationGroups(
  source: string,
  inline: InlineText,
  citations: readonly (CitationPlace & { readonly linked: boolean })[],
): Group[] {
  const brackets = bracketsOf(source, inline);
  const holding = new Map<Bracket, CitationPlace[]>();
  for (const place of citations) {
    if (place.linked) continue;
    // Brackets come in the order in which they close: the innermost is the first one that holds it.
    const bracket = brackets.find(({ start, end }) => start < place.start && place.end < end);
    if (bracket) holding.set(bracket, [...(holding.get(bracket) ?? []), place]);
  }
  return [...holding].flatMap(([bracket, places]) => {
    const edges = [bracket.start, ...bracket.semicolons, bracket.end - 1];
    const items = edges.slice(1).map((end, index) => {
      const start = (edges[index] ?? 0) + 1;
      return { start, end, citations: places.filter((place) => place.start >= start && place.end <= end) };
    });
    // `^[` is a footnote, whose text may cite.
    const isGroup = source[bracket.start - 1] !== '^' && items.every((item) => item.citations.length > 0);
    return isGroup ? [{ start: bracket.start, end: bracket.end, items }] : [];
  });
}

/** The pairs of brackets in the plain text, in the order in which they close. */
function bracketsOf(source: string, { texts }: InlineText): Bracket[] {
  const found: Bracket[] = [];
  const open: { start: number; semicolons: number[] }[] = [];
  for (const { start, end, linked } of texts) {
    if (linked) continue;
    for (let at = start; at < end; at += 1) {
      const unit = source[at];
      if (unit === '\\') at += 1;
      else if (unit === '[') open.push({ start: at, semicolons: [] });
      else if (unit === ';') open.at(-1)?.semicolons.push(at);
      else if (unit === ']') {
        const closed = open.pop();
        if (closed) found.push({ ...closed, end: at + 1 });
      }
    }
  }
  return found;
}

function editOfGroup(source: string, group: Group, isUnknown: (key: string) => boolean): TextEdit {
  const kept: string[] = [];
  const marked: string[] = [];
  for (const item of group.items) {
    const wrong = item.citations.filter(({ key }) => isUnknown(key));
    if (wrong.length < item.citations.length) kept.push(replaced(source, item, wrong, 'unknown citation: '));
    else marked.push(replaced(source, item, wrong, '').trim());
  }
  const real = kept.length === 0 ? '' : `[${kept.join(';').trim()}]`;
  const unreal = marked.length === 0 ? '' : bracketed(marked.join('; '), source, group.end);
  return { start: group.start, end: group.end, text: [real, unreal].filter((part) => part !== '').join(' ') };
}

/** The source of one part with keys instead of citations. */
function replaced(source: string, item: Item, places: readonly CitationPlace[], before: string): string {
  const parts: string[] = [];
  let done = item.start;
  for (const { key, start, end } of places) {
    // `-@key` leaves the author out.
    const from = source[start - 1] === '-' && start > item.start ? start - 1 : start;
    parts.push(source.slice(done, from), before, shown(key));
    done = end;
  }
  parts.push(source.slice(done, item.end));
  return parts.join('');
}

/** A bracket that what follows it can't turn into a link, a definition or a span. */
function bracketed(content: string, source: string, end: number): string {
  return `[unknown citation: ${content}]${/[([:{]/.test(source[end] ?? '') ? ' ' : ''}`;
}

/** A key without what could mean something else in markdown. */
function shown(key: string): string {
  return key.replace(/[@[\]{}<>$`*\\|]/g, '') || '?';
}
