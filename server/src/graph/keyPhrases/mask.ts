// Stretches of a file's text that are no prose: code, math, citations, links, comments. Knows the markup of
// markdown, LaTeX and HTML by sight only; what a reader sees is the readers' business.

/** Stretches of one text. `covers` asks whether a place is no prose, `touches` whether something lies between words. */
export interface Mask {
  covers(start: number, end: number): boolean;
  /** Whether code, math, a citation or a link overlaps it; tags and comments don't part words. */
  touches(start: number, end: number): boolean;
}

/**
 * Every repetition is bounded, so that hostile text costs time linear in its length: a formula or comment that is
 * longer is taken for prose.
 */
const parting = [
  // Code: `…`, ``…``
  /(`{1,3})(?!`)[^`]{1,400}\1(?!`)/g,
  // Math: $$…$$, $…$, \(…\), \[…\], environments
  /\$\$[^$]{1,1000}\$\$/g,
  /\$(?![\s$])[^$\n]{0,200}[^\s$]\$(?!\d)/g,
  /\\\([^\n]{1,300}?\\\)/g,
  /\\\[[\s\S]{1,1000}?\\\]/g,
  /\\begin\{(?:equation|align|gather|multline|eqnarray|math|displaymath|verbatim|lstlisting)\*?\}[\s\S]{0,2000}?\\end\{/g,
  // Citations, references and files: @key, \cite{…}, \ref{…}
  /(?<![\p{L}\p{N}])@[\p{L}\p{N}_][\p{L}\p{N}_:.#$%&+?<>~/-]{0,200}/gu,
  /\\[a-zA-Z]{0,20}(?:cite|ref|label|input|include|includegraphics|url|bibliography)[a-zA-Z]{0,20}\*?(?:\[[^\]]{0,200}\]){0,2}\{[^}]{0,400}\}/g,
  // Links: addresses, targets of markdown links
  /\b(?:https?|ftp|mailto|doi):[^\s)>\]}]{1,2000}/g,
  /\]\([^)\n]{0,1000}\)(?:\{[^}\n]{0,200}\})?/g,
];

const passing = [/<!--[\s\S]{0,2000}?-->/g, /<\/?[a-zA-Z][^<>]{0,500}>/g, /\\[a-zA-Z]{1,40}\*?/g];

export function maskOf(text: string): Mask {
  const hard = stretches(text, parting);
  const all = merged([...hard, ...stretches(text, passing)]);
  const overlaps = (list: readonly Stretch[], start: number, end: number): boolean =>
    (list[firstEndingAfter(list, start)]?.start ?? Infinity) < end;
  return {
    covers: (start, end) => overlaps(all, start, end),
    touches: (start, end) => overlaps(hard, start, end),
  };
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

function stretches(text: string, patterns: readonly RegExp[]): Stretch[] {
  return merged(
    patterns.flatMap((pattern) =>
      [...text.matchAll(pattern)].map((match) => ({
        start: match.index,
        end: match.index + match[0].length,
      })),
    ),
  );
}

/** In order, overlapping ones as one. */
function merged(list: readonly Stretch[]): Stretch[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of [...list].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && start < last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}

/** Index of the first stretch that ends after `place`; binary search. */
function firstEndingAfter(list: readonly Stretch[], place: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle]?.end ?? 0) > place) high = middle;
    else low = middle + 1;
  }
  return low;
}
