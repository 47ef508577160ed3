// Model text inside an annotation: made harmless on the way in, given back as written on the way out.
// A backslash goes before each pattern that could become more than text. Where n backslashes stand before it already
// (the model's own), 2n + 1 are written, so an odd number always reads back as (n - 1) / 2 and an even one, typed by
// the writer, is left alone: unescape(escape(text)) is text. What counts as a pattern never depends on backslashes.

/**
 * Text of a model in the form in which it is stored and written into notes: line ends are LF, and there are no
 * control characters, no byte order marks and no halves of surrogate pairs. Doing it twice changes nothing.
 */
export function normaliseModelText(text: string): string {
  return (
    text
      .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
      .replace(/[\v\f]/g, ' ')
      // eslint-disable-next-line no-control-regex -- control characters are what is being removed
      .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufeff]/g, '')
      .replace(/\p{Surrogate}/gu, '\ufffd')
  );
}

/** Escapes normalised text, so that inside a quote it can't become HTML, a callout, a definition or a bad link. */
export function escapeModelText(text: string): string {
  return rewriteBackslashes(text, (count) => 2 * count + 1);
}

/** Gives back what `escapeModelText` was given. */
export function unescapeModelText(text: string): string {
  return rewriteBackslashes(text, (count) => (count % 2 === 1 ? (count - 1) / 2 : count));
}

function rewriteBackslashes(text: string, rewrite: (count: number) => number): string {
  const candidates = /[<\-[(:.]/g;
  const holdsHtml = wordHoldsHtml(text);
  const parts: string[] = [];
  let done = 0;
  for (let match = candidates.exec(text); match; match = candidates.exec(text)) {
    let run = match.index;
    while (run > done && text[run - 1] === '\\') run -= 1;
    if (!isPattern(text, match.index, run, holdsHtml)) continue;
    parts.push(text.slice(done, run), '\\'.repeat(rewrite(match.index - run)));
    done = match.index;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/**
 * Whether something that must not come to life begins at `at`.
 * @param run where the backslashes before `at` begin
 */
function isPattern(text: string, at: number, run: number, holdsHtml: (from: number) => boolean): boolean {
  switch (text[at]) {
    case '<':
      // HTML, comments, autolinks, and markers such as <|thinking|>.
      return /[A-Za-z/!?|]/.test(text[at + 1] ?? '');
    case '-':
      return text.startsWith('->', at + 1);
    case '[':
      // Images, which a preview would fetch, and callouts.
      return text[run - 1] === '!' || (text[at + 1] === '!' && isLineStart(text, run));
    case ':':
      // Link and footnote definitions: they would hold for the whole note. And plain addresses (below).
      return text[run - 1] === ']' || (text.startsWith('//', at + 1) && holdsHtml(at));
    case '.':
      return /^www$/i.test(text.slice(Math.max(0, run - 3), run)) && holdsHtml(at);
    default:
      return text[run - 1] === ']' && !isHarmlessTarget(text, at + 1);
  }
}

/**
 * Tells whether HTML begins further on in the same word. GFM makes a link of a plain address and takes a backslash
 * into it, so the one before the HTML would be lost: then the address must not become a link.
 */
function wordHoldsHtml(text: string): (from: number) => boolean {
  const html = forwardSearch(text, /<[A-Za-z/!?|]/g);
  const space = forwardSearch(text, /[ \t\n]/g);
  return (from) => html(from) < space(from);
}

/** Finds the next match at or after ever greater places; the text is gone through once. */
function forwardSearch(text: string, pattern: RegExp): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found < from) {
      pattern.lastIndex = from;
      found = pattern.exec(text)?.index ?? Infinity;
    }
    return found;
  };
}

function isLineStart(text: string, at: number): boolean {
  let place = at;
  while (text[place - 1] === ' ' || text[place - 1] === '\t') place -= 1;
  return place === 0 || text[place - 1] === '\n';
}

const harmlessSchemes = new Set(['http', 'https', 'mailto', 'ftp', 'doi']);
const longestScheme = 200;

/**
 * Whether the link target that begins at `from` is a relative one or has a harmless scheme. Anything that might hide
 * a scheme (a character reference, brackets, white space in angle brackets) is not harmless. Backslashes are skipped:
 * markdown drops them, and the answer must be the same before and after escaping.
 */
function isHarmlessTarget(text: string, from: number): boolean {
  let scheme = '';
  let angled = false;
  for (let place = from; place < text.length && scheme.length < longestScheme; place += 1) {
    const unit = text.charAt(place);
    if (unit === '\\') continue;
    // At the start of a further line `>` may be a quote's mark.
    if (unit === '>' && scheme === '') continue;
    if (unit === ' ' || unit === '\t' || unit === '\n') {
      if (scheme === '' || angled) continue;
      return true;
    }
    if (unit === '<' && scheme === '' && !angled) angled = true;
    else if (unit === ':') return harmlessSchemes.has(scheme.toLowerCase());
    else if (unit === '&' || unit === '(') return false;
    else if (/[/?#)>]/.test(unit)) return true;
    else scheme += unit;
  }
  return scheme.length < longestScheme;
}
