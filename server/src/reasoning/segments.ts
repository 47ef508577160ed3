// Reads thinking, reflection and answer out of a model's text, as it streams or all at once.
// Total: any text gives segments and problems, never an exception. Knows no model and no editor.
import type { MarkerProfile, OffsetRange, Segment, SegmentKind, SegmentProblem } from '../protocol/index.ts';

type Section = Exclude<SegmentKind, 'answer'>;

interface Marker {
  readonly text: string;
  readonly kind: Section;
  readonly opens: boolean;
}

/** What the reader says while text comes in. */
export type SegmentEvent =
  | { readonly event: 'open'; readonly kind: SegmentKind }
  | { readonly event: 'text'; readonly kind: SegmentKind; readonly text: string }
  /** An end marker came without its start: the answer text since the last `open` is of this kind. */
  | { readonly event: 'reclassify'; readonly kind: Section }
  | { readonly event: 'close'; readonly kind: SegmentKind; readonly problems: readonly SegmentProblem[] };

/** Other spellings that models fall into, read as the marker they stand for. */
const aliases: readonly Marker[] = [
  { text: '<|reflection|>', kind: 'reflection', opens: true },
  { text: '<|/reflection|>', kind: 'reflection', opens: false },
];

/** Every marker of a profile with its aliases, longest first, so that the longest match wins. */
function markersOf(profile: MarkerProfile): Marker[] {
  const own: Marker[] = [
    { text: profile.thinking.start, kind: 'thinking', opens: true },
    { text: profile.thinking.end, kind: 'thinking', opens: false },
    { text: profile.reflection.start, kind: 'reflection', opens: true },
    { text: profile.reflection.end, kind: 'reflection', opens: false },
  ];
  return [...own, ...aliases].sort((a, b) => b.text.length - a.text.length);
}

/** The texts at which an enforced section ends: any marker at all. */
export function markerTexts(profile: MarkerProfile): string[] {
  return markersOf(profile).map((marker) => marker.text);
}

interface OpenSegment {
  kind: SegmentKind;
  text: string;
  /** Offset in the whole text where the content starts, and where its start marker does. */
  readonly start: number;
  readonly markerStart: number;
  readonly problems: Set<SegmentProblem>;
}

/**
 * A streaming reader. Push text as it comes, with the number of tokens it was decoded from; the result
 * does not depend on how the text was cut into pieces. Text that may be the start of a marker is held back.
 *
 * Reading follows the method's tolerance: a start marker alone opens a section to the end of the text; an end
 * marker alone makes what stands before it a section; nested and repeated sections come in order; without
 * markers all is answer. Guesses are recorded in each segment's problems.
 */
export class SegmentReader {
  readonly #markers: readonly Marker[];
  /** The characters that markers begin with: most text is passed over by them alone. */
  readonly #initials: ReadonlySet<string>;
  readonly #segments: Segment[] = [];
  /** Sections that are open, outermost first; the innermost receives text. */
  readonly #stack: Section[] = [];
  /** For each token, the offset of its first character. */
  readonly #tokenStarts: number[] = [];
  #current: OpenSegment | null = null;
  #held = '';
  /** Offset of the first held character. */
  #offset = 0;
  #received = 0;

  constructor(profile: MarkerProfile) {
    this.#markers = markersOf(profile);
    this.#initials = new Set(this.#markers.map((marker) => marker.text.charAt(0)));
  }

  /** Takes more text. `tokens` is how many tokens it came from (0 where tokens don't matter). */
  push(text: string, tokens = 0): SegmentEvent[] {
    for (let token = 0; token < tokens; token += 1) this.#tokenStarts.push(this.#received);
    this.#received += text.length;
    this.#held += text;
    return this.#read(false);
  }

  /** Ends the text: what was held back is read as it stands, open sections are closed. */
  end(): SegmentEvent[] {
    const events = this.#read(true);
    if (this.#stack.length > 0) this.#current?.problems.add('unclosed');
    this.#stack.length = 0;
    this.#close(events, this.#offset);
    return events;
  }

  /** The segments so far, in order; after `end`, all of them. Blank answers between sections are left out. */
  segments(): readonly Segment[] {
    return this.#segments;
  }

  #read(final: boolean): SegmentEvent[] {
    const events: SegmentEvent[] = [];
    let position = 0;
    let plainFrom = 0;
    while (position < this.#held.length) {
      const possible = this.#initials.has(this.#held[position] ?? '');
      const marker = possible ? this.#markerAt(position) : undefined;
      if (marker) {
        this.#take(events, this.#held.slice(plainFrom, position));
        this.#meet(events, marker);
        position += marker.text.length;
        plainFrom = position;
      } else if (possible && !final && this.#mayBecomeMarker(position)) {
        break;
      } else {
        position += 1;
      }
    }
    this.#take(events, this.#held.slice(plainFrom, position));
    this.#held = this.#held.slice(position);
    return events;
  }

  #markerAt(position: number): Marker | undefined {
    return this.#markers.find((marker) => this.#held.startsWith(marker.text, position));
  }

  #mayBecomeMarker(position: number): boolean {
    return this.#markers.some(
      ({ text }) => text.length > this.#held.length - position && text.startsWith(this.#held.slice(position)),
    );
  }

  /** Plain text for the innermost open section, or for the answer. */
  #take(events: SegmentEvent[], text: string): void {
    if (text === '') return;
    this.#current ??= this.#open(events, this.#stack.at(-1) ?? 'answer', this.#offset);
    this.#current.text += text;
    this.#offset += text.length;
    events.push({ event: 'text', kind: this.#current.kind, text });
  }

  #meet(events: SegmentEvent[], marker: Marker): void {
    const start = this.#offset;
    const end = start + marker.text.length;
    if (marker.opens) {
      if (this.#stack.length > 0) this.#current?.problems.add('nested');
      this.#close(events, start);
      const nested = this.#stack.length > 0;
      this.#stack.push(marker.kind);
      this.#offset = end;
      this.#current = this.#open(events, marker.kind, end, start);
      if (nested) this.#current.problems.add('nested');
      return;
    }
    const depth = this.#stack.lastIndexOf(marker.kind);
    if (depth >= 0) {
      if (depth < this.#stack.length - 1) this.#current?.problems.add('unclosed');
      this.#current ??= this.#open(events, marker.kind, start);
      this.#stack.length = depth;
      this.#close(events, end, start);
    } else if (this.#stack.length > 0) {
      // The end of a section that is not open, inside one that is: the marker is dropped.
      this.#current?.problems.add('stray-end');
    } else {
      this.#current ??= this.#open(events, 'answer', start);
      this.#current.kind = marker.kind;
      this.#current.problems.add('stray-end');
      events.push({ event: 'reclassify', kind: marker.kind });
      this.#close(events, end, start);
    }
    this.#offset = end;
  }

  #open(events: SegmentEvent[], kind: SegmentKind, start: number, markerStart = start): OpenSegment {
    events.push({ event: 'open', kind });
    return { kind, text: '', start, markerStart, problems: new Set() };
  }

  #close(events: SegmentEvent[], markerEnd: number, contentEnd = markerEnd): void {
    const current = this.#current;
    if (!current) return;
    this.#current = null;
    const problems = [...current.problems];
    events.push({ event: 'close', kind: current.kind, problems });
    if (current.kind === 'answer' && current.text.trim() === '') return;
    this.#segments.push({
      kind: current.kind,
      text: current.text,
      tokens: this.#tokensIn(current.start, contentEnd),
      withMarkers: this.#tokensIn(current.markerStart, markerEnd),
      problems,
    });
  }

  /** The tokens whose first character lies in `[start, end)`. */
  #tokensIn(start: number, end: number): OffsetRange {
    const first = lowerBound(this.#tokenStarts, start);
    return { start: first, end: Math.max(first, lowerBound(this.#tokenStarts, end)) };
  }
}

/** Index of the first element that is not below `value`, in a sorted list. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Reads a whole text at once. */
export function readSegments(text: string, profile: MarkerProfile): readonly Segment[] {
  const reader = new SegmentReader(profile);
  reader.push(text);
  reader.end();
  return reader.segments();
}

/** The text of all segments of one kind, in order, trimmed and joined by a blank line. */
export function textOf(segments: readonly Segment[], kind: SegmentKind): string {
  return segments
    .filter((segment) => segment.kind === kind)
    .map((segment) => segment.text.trim())
    .filter((text) => text !== '')
    .join('\n\n');
}
