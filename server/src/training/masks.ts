// Which tokens of a completion count in the loss: sections found by the tolerant reader, mapped to token spans by the
// text that each token completes. Knows no model.
import { readSections } from './sections.ts';
import type { CompletionTokens, MarkerProfile, MaskOptions } from '../protocol/index.ts';
import { draw, type Random } from './random.ts';

/** Token ids with a mask of the same length: 1 counts, 0 does not. */
export interface MaskedTokens {
  readonly tokens: readonly number[];
  readonly mask: readonly (0 | 1)[];
}

/** Everything counts. */
export const noMask: MaskOptions = {
  kind: 'none',
  share: 1,
  markers: true,
  thinkAfterToken: 0,
  thinkInRejected: false,
};

/**
 * The completion with the token that ends its turn, masked; null when no token of its text would count.
 * Source: the method's section 4; `thinking` and `thinking+reflection` drop whatever token overlaps a section or its
 * markers, `answer-only` whatever comes before the end of the last section.
 */
export function maskCompletion(
  { tokens, texts }: CompletionTokens,
  endOfTurn: number,
  profile: MarkerProfile,
  options: MaskOptions,
  random: Random,
): MaskedTokens | null {
  const mask = tokens.map((): 0 | 1 => 1);
  const spans = spansOf(texts);
  for (const span of maskedTokens(texts.join(''), spans, profile, options, random)) mask[span] = 0;
  const left = texts.filter((_, index) => mask[index] === 1).join('');
  if (left.trim() === '') return null;
  return { tokens: [...tokens, endOfTurn], mask: [...mask, 1] };
}

/** Half-open range of UTF-16 offsets, or of tokens. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where each token's text lies. A token inside a character has the place of the whole character. */
function spansOf(texts: readonly string[]): Span[] {
  const spans: Span[] = [];
  let start = 0;
  let waiting = 1;
  for (const text of texts) {
    if (text === '') {
      waiting += 1;
      continue;
    }
    const span = { start, end: start + text.length };
    for (; waiting > 0; waiting -= 1) spans.push(span);
    waiting = 1;
    start = span.end;
  }
  // Half a character at the very end belongs to what comes last.
  while (spans.length < texts.length) spans.push({ start: Math.max(0, start - 1), end: start });
  return spans;
}

function overlapping(spans: readonly Span[], range: Span): number[] {
  return spans.flatMap((span, index) => (span.start < range.end && span.end > range.start ? [index] : []));
}

function maskedTokens(
  text: string,
  spans: readonly Span[],
  profile: MarkerProfile,
  { kind, share, markers }: MaskOptions,
  random: Random,
): number[] {
  if (kind === 'none') return [];
  const sections = readSections(text, profile);
  if (kind === 'answer-only') {
    const end = Math.max(0, ...sections.map((section) => section.whole.end));
    return overlapping(spans, { start: 0, end });
  }
  return sections
    .filter((section) => section.kind === 'thinking' || kind === 'thinking+reflection')
    .flatMap(({ whole, content }) => {
      const outside = [
        ...overlapping(spans, { start: whole.start, end: content.start }),
        ...overlapping(spans, { start: content.end, end: whole.end }),
      ];
      const inside = overlapping(spans, content).filter((token) => !outside.includes(token));
      const drawn = draw(inside.length, Math.floor(inside.length * share), random);
      return [...inside.filter((_, index) => drawn.has(index)), ...(markers ? outside : [])];
    });
}

/**
 * A thinking section of `count` filler tokens after every token but the last (which ends the turn): the markers
 * count, the fillers do not. Source: the method's section 4.
 */
export function thinkAfterEveryToken(
  { tokens }: MaskedTokens,
  count: number,
  markers: { readonly start: readonly number[]; readonly end: readonly number[] },
  filler: number,
): MaskedTokens {
  const inserted = [...markers.start, ...Array<number>(count).fill(filler), ...markers.end];
  const counts = inserted.map((_, index): 0 | 1 =>
    index >= markers.start.length && index < markers.start.length + count ? 0 : 1,
  );
  const last = tokens.length - 1;
  return {
    tokens: tokens.flatMap((token, index) => (index < last ? [token, ...inserted] : [token])),
    mask: tokens.flatMap((_, index) => (index < last ? ([1, ...counts] as const) : ([1] as const))),
  };
}
