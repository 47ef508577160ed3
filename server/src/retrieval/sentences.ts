// Where the sentences of a text are. Language-neutral as far as Unicode's rules go, with what papers abbreviate.
import type { OffsetRange } from '../protocol/index.ts';

/** Longer text is looked at in windows of this many UTF-16 units. */
const windowLength = 20_000;

const abbreviations = new Set(
  `e.g i.e cf vs viz resp approx ca al etc fig figs eq eqs eqn eqns ref refs sec secs sect tab tabs no nos vol vols pp p
   ch chap chaps app appx thm lem prop def cor ex ed eds univ dept dr prof mr mrs ms st jr sr inc ltd co corp dist est
   jan feb mar apr jun jul aug sep sept oct nov dec z.b d.h u.a bzw vgl abb nr bd hrsg s.a`.split(/\s+/),
);
/** The last word before a full stop. */
const lastWord = /(?:^|[\s([{“"'’])((?:\p{L}\.)*\p{L}+)\.[)\]”"'’]*\s*$/u;

/**
 * The sentences of a text, in order and without the white space between them. `e.g.`, `Fig. 3`, `et al.`, initials and
 * math between dollars hold no end of a sentence; a line end in the text does.
 */
export function sentencesOf(text: string): OffsetRange[] {
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
  const sentences: OffsetRange[] = [];
  let from = 0;
  let dollars = 0;
  for (const { start, end } of windowsOf(text)) {
    for (const { segment, index } of segmenter.segment(text.slice(start, end))) {
      const to = start + index + segment.length;
      dollars += segment.match(/(?<!\\)\$/g)?.length ?? 0;
      if (to < text.length && to < end && goesOn(text, from, to, dollars)) continue;
      const trimmed = trim(text, from, to);
      if (trimmed) sentences.push(trimmed);
      from = to;
      dollars = 0;
    }
  }
  const rest = trim(text, from, text.length);
  if (rest) sentences.push(rest);
  return sentences;
}

function* windowsOf(text: string): Generator<OffsetRange> {
  let start = 0;
  while (start < text.length) {
    const far = Math.min(text.length, start + windowLength);
    const space = far < text.length ? text.lastIndexOf(' ', far) : far;
    const end = space > start ? Math.min(text.length, space + 1) : wholeCharacters(text, far);
    yield { start, end };
    start = end;
  }
}

/** `place`, or the one before it where that would part a surrogate pair. */
export function wholeCharacters(text: string, place: number): number {
  const unit = text.charCodeAt(place);
  return place > 0 && place < text.length && unit >= 0xdc00 && unit <= 0xdfff ? place - 1 : place;
}

/** How long math between dollars may be before the dollar is taken for money. */
const longestMath = 400;

function goesOn(text: string, from: number, to: number, dollars: number): boolean {
  const last = text.charAt(to - 1);
  if (last === '\n' || last === '\u2029') return false;
  if (dollars % 2 === 1 && closesMath(text, from, to)) return true;
  const word = lastWord.exec(text.slice(Math.max(from, to - 40), to))?.[1];
  if (word === undefined) return false;
  return abbreviations.has(word.toLowerCase()) || /^\p{Lu}$/u.test(word);
}

/** Whether an open dollar, with no space behind it, has its partner in front of a non-space soon after. */
function closesMath(text: string, from: number, to: number): boolean {
  const open = text.lastIndexOf('$', to - 1);
  if (open < from || /\s/.test(text.charAt(open + 1))) return false;
  return /^[^$]*[^$\s]\$/.test(text.slice(open + 1, open + longestMath));
}

function trim(text: string, from: number, to: number): OffsetRange | null {
  let start = from;
  let end = to;
  while (start < end && /\s/.test(text.charAt(start))) start += 1;
  while (end > start && /\s/.test(text.charAt(end - 1))) end -= 1;
  return start < end ? { start, end } : null;
}
