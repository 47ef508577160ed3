// Markers of a model that stand in a note's own text, as when an answer was pasted: they fold like callouts.
// Total and linear, like the reader of blocks.
import type { SegmentKind } from '../protocol/index.ts';
import { readBlocks } from './blocks.ts';
import { StructureScanner } from './structure.ts';

/** From a start marker to its end marker. Lines are counted from 0. */
export interface RawMarker {
  readonly kind: Exclude<SegmentKind, 'answer'>;
  readonly start: number;
  readonly end: number;
  readonly startLine: number;
  readonly endLine: number;
}

const marker = /<\|(\/?)(thinking|reflect|reflection)\|>|<(\/?)(think|thinking)>/g;

interface Mark {
  readonly family: string;
  readonly closes: boolean;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/**
 * The pairs of markers in a note, in the order of their start: `<|thinking|>`, `<|reflect|>` (also `<|reflection|>`),
 * `<think>` and `<thinking>`. Not in annotation blocks, front matter or code; what has no partner is left out.
 */
export function readRawMarkers(note: string): RawMarker[] {
  if (!/<\|\/(?:thinking|reflect)|<\/think/.test(note)) return [];
  const open = new Map<string, Mark>();
  const found: RawMarker[] = [];
  for (const mark of marks(note)) {
    const start = open.get(mark.family);
    if (!mark.closes) {
      if (!start) open.set(mark.family, mark);
      continue;
    }
    if (!start) continue;
    open.delete(mark.family);
    found.push({
      kind: mark.family === 'reflect' ? 'reflection' : 'thinking',
      start: start.start,
      end: mark.end,
      startLine: start.line,
      endLine: mark.line,
    });
  }
  return found.sort((a, b) => a.start - b.start);
}

function* marks(note: string): Generator<Mark> {
  const blocks = readBlocks(note).blocks;
  let block = 0;
  const scanner = new StructureScanner(note, { unclosed: 'ignored' });
  let match = nextMatch(note, 0);
  while (match && scanner.nextLine()) {
    while ((blocks[block]?.end ?? Infinity) <= scanner.start) block += 1;
    const inBlock = scanner.start >= (blocks[block]?.start ?? Infinity);
    while (match && match.index < scanner.end) {
      const start = match.index;
      const end = start + match[0].length;
      const text = !inBlock && scanner.region === null && !isQuotedCode(note, start, end);
      if (text && match.index >= scanner.start) yield { ...reading(match), start, end, line: scanner.line };
      match = nextMatch(note, end);
    }
  }
}

function nextMatch(note: string, from: number): RegExpExecArray | null {
  marker.lastIndex = from;
  return marker.exec(note);
}

function reading(match: RegExpExecArray): { family: string; closes: boolean } {
  const name = match[2] ?? match[4] ?? '';
  const closes = (match[1] ?? match[3]) === '/';
  if (match[4] !== undefined) return { family: `<${name}>`, closes };
  return { family: name.startsWith('reflect') ? 'reflect' : name, closes };
}

/** A marker that is only spoken of: in backticks, or behind a backslash. */
function isQuotedCode(note: string, start: number, end: number): boolean {
  return note[start - 1] === '\\' || (note[start - 1] === '`' && note[end] === '`');
}
