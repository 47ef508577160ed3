// Running text of LaTeX as a person reads it: commands as text, accents as letters, citations in pandoc's syntax, math
// between dollars. Total: any text gives some text. Knows nothing of files and blocks.
import { isSpace, ReadableBuilder } from '../readableBuilder.ts';
import { accents, argumentsOf, definitions, notCitations, references, symbols } from './commands.ts';
import { quantity } from './quantity.ts';
import { SourceText } from './sourceText.ts';
import type { Argument, Command } from './sourceText.ts';

/** What running text is read into. */
export interface Sink {
  readonly readable: ReadableBuilder;
  readonly citations: string[];
  /** `&` and `\\` part cells and rows. */
  readonly table: boolean;
  /** Where the text's own tokens begin and end, markup around it included; -1 before there is any. */
  start: number;
  end: number;
}

export function newSink(table = false): Sink {
  return { readable: new ReadableBuilder(), citations: [], table, start: -1, end: -1 };
}

/** Commands of the writer's own without parameters, by name: what they stand for. */
export type Macros = Map<string, { readonly body: string; text: string | null }>;

/** Arguments within arguments, and commands within commands, are followed this far. */
const deepest = 40;
const longestInlineMath = 5000;
const longestMacro = 500;
const plain = /[^\\%{}~$`'\-&\s]+/y;
const citation = /^[A-Za-z]*cite[A-Za-z]*\*?$/;
/** Citations that are part of the sentence. */
const textual = /^(?:[Tt]extcite|[Cc]itet|[Cc]iteauthor|[Cc]itealt|citeA|onlinecite)\*?$/;
const spelled: readonly (readonly [string, string])[] = [
  ['---', '—'],
  ['--', '–'],
  ['``', '“'],
  ["''", '”'],
  ['`', '‘'],
];

export class InlineReader {
  readonly #source: SourceText;
  readonly #text: string;
  readonly #macros: Macros;
  readonly #comments: boolean;

  constructor(
    source: SourceText,
    macros: Macros,
    options: { readonly comments: boolean } = { comments: true },
  ) {
    this.#source = source;
    this.#text = source.text;
    this.#macros = macros;
    this.#comments = options.comments;
  }

  /** Reads `[start, end)`. */
  readRange(start: number, end: number, sink: Sink, depth = 0): void {
    let place = start;
    while (place < end) place = this.step(place, end, sink, depth);
  }

  /** Reads what stands at `place`; gives where to go on, always further on. */
  step(place: number, end: number, sink: Sink, depth: number): number {
    const unit = this.#text.charAt(place);
    if (unit === '\\') return this.#readCommand(this.#source.commandAt(place), end, sink, depth);
    if (unit === '%' && this.#comments) return this.#skipComment(place, end);
    if (isSpace(unit.charCodeAt(0)) || unit === '~') {
      sink.readable.space(place, place + 1);
      return place + 1;
    }
    if (unit === '{' || unit === '}') {
      // A group that closes belongs to the text before it, one that opens to what follows.
      if (unit === '{' && sink.start < 0) sink.start = place;
      if (unit === '}' && sink.end >= 0) sink.end = place + 1;
      return place + 1;
    }
    if (unit === '$') return this.#readMath(place, end, sink);
    if (unit === '&' && sink.table) {
      sink.readable.put(' | ', place, place + 1);
      return place + 1;
    }
    const character = spelled.find(([written]) => this.#text.startsWith(written, place));
    if (character) return this.#put(sink, character[1], place, Math.min(end, place + character[0].length));
    plain.lastIndex = place;
    const next = plain.test(this.#text) ? Math.min(end, plain.lastIndex) : place + 1;
    this.#mark(sink, place, next);
    sink.readable.copy(this.#text, place, next);
    return next;
  }

  #mark(sink: Sink, start: number, end: number): void {
    if (sink.start < 0) sink.start = start;
    sink.end = Math.max(sink.end, end);
  }

  #put(sink: Sink, text: string, start: number, end: number): number {
    this.#mark(sink, start, end);
    sink.readable.put(text, start, end);
    return end;
  }

  /** A comment goes with its line end and what indents the next line; a blank line below it stays. */
  #skipComment(place: number, end: number): number {
    let next = Math.min(end, this.#source.lineEnd(place) + 1);
    while (next < end && /[ \t]/.test(this.#text.charAt(next))) next += 1;
    return next;
  }

  /** `$…$` or `$$…$$`; a dollar without its partner in the paragraph is a dollar. */
  #readMath(place: number, end: number, sink: Sink): number {
    const mark = this.#text.startsWith('$$', place) ? '$$' : '$';
    const limit = Math.min(end, place + longestInlineMath);
    for (let at = place + mark.length; at < limit; at += 1) {
      const unit = this.#text[at];
      if (unit === '\\') at += 1;
      else if (unit === '$' && this.#text.startsWith(mark, at)) {
        const next = Math.min(end, at + mark.length);
        this.#mark(sink, place, next);
        sink.readable.copy(this.#text, place, next);
        return next;
      } else if (unit === '\n' && /^[ \t\r]*\n/.test(this.#text.slice(at + 1, at + 80))) break;
    }
    return this.#put(sink, '$', place, place + 1);
  }

  #readCommand(command: Command, end: number, sink: Sink, depth: number): number {
    const { name, start, next } = command;
    const isWord = /^[A-Za-z@]/.test(name);
    if (name === '\\') return this.#readRowEnd(command, end, sink);
    if (name === '(' || name === '[') return this.#readBracketMath(command, end, sink);
    if (accents.has(name)) {
      const accented = this.#readAccent(command, end, sink);
      if (accented !== null) return accented;
    }
    const symbol = symbols.get(name);
    if (symbol !== undefined) {
      if (symbol === '') return this.#pass(sink, start, next);
      this.#put(sink, symbol, start, next);
      return isWord ? this.#source.skipSpace(next) : next;
    }
    if (!isWord) return this.#pass(sink, start, Math.max(next, start + 1));
    if (definitions.has(name)) return Math.min(end, this.readDefinition(command));
    if (citation.test(name) && !notCitations.has(name)) return this.#readCitation(command, end, sink);
    if (references.has(name.replace(/\*$/, ''))) return this.#readReference(command, end, sink);
    return this.#readOther(command, end, sink, depth);
  }

  #pass(sink: Sink, start: number, next: number): number {
    if (sink.end >= 0) sink.end = Math.max(sink.end, next);
    else if (sink.start < 0) sink.start = start;
    return next;
  }

  #readRowEnd({ start, next }: Command, end: number, sink: Sink): number {
    const star = this.#text[next] === '*' ? next + 1 : next;
    const behind = Math.min(
      end,
      this.#text[star] === '[' ? (this.#source.optionalAt(star)?.next ?? star) : star,
    );
    if (sink.table) sink.readable.lineBreak();
    else sink.readable.space(start, behind);
    return behind;
  }

  #readBracketMath({ name, start, next }: Command, end: number, sink: Sink): number {
    const close = this.#text.slice(next, next + longestInlineMath).indexOf(name === '(' ? '\\)' : '\\]');
    if (close < 0 || next + close + 2 > end) return this.#pass(sink, start, next);
    const behind = next + close + 2;
    this.#mark(sink, start, behind);
    sink.readable.put('$', start, next);
    sink.readable.copy(this.#text, next, next + close);
    sink.readable.put('$', next + close, behind);
    return behind;
  }

  /** `\'e`, `\'{e}`, `\'\i`, `\c c`. Null where no letter follows. */
  #readAccent({ name, start, next }: Command, end: number, sink: Sink): number | null {
    const letter =
      /\s*(?:\{\s*\\?([A-Za-z\u00C0-\u024F])\s*\}|\{\s*\\([a-zA-Z]+)\s*\}|\\([ij])(?![A-Za-z])|([A-Za-z\u00C0-\u024F]))/y;
    letter.lastIndex = next;
    const match = letter.exec(this.#text);
    // `\c` and its like need something between name and letter: `\ce` is another command.
    if (!match || letter.lastIndex > end || (/[A-Za-z]/.test(name) && match[0] === match[4])) return null;
    const base = (match[1] ?? match[3] ?? match[4] ?? symbols.get(match[2] ?? '') ?? '').replace('ı', 'i');
    if (base === '') return null;
    const accent = accents.get(name) ?? '';
    return this.#put(sink, (base + accent).normalize('NFC'), start, letter.lastIndex);
  }

  #readCitation({ name, start, next }: Command, end: number, sink: Sink): number {
    const first = this.#source.optionalAt(next);
    const second = first && this.#source.optionalAt(first.next);
    const keys = this.#source.argumentAt((second ?? first)?.next ?? next);
    if (!keys || keys.next > end) return this.#pass(sink, start, next);
    const cited = this.#source
      .slice(keys)
      .split(',')
      .map((key) => key.replace(/%.*|\s+/g, ''))
      .filter((key) => key !== '' && key !== '*');
    sink.citations.push(...cited);
    const notes = [second ? this.#plainText(first) : '', this.#plainText(second ?? first)];
    return this.#put(sink, citationText(cited, notes, textual.test(name)), start, keys.next);
  }

  #plainText(argument: Argument | null): string {
    if (!argument) return '';
    const sink = newSink();
    this.readRange(argument.start, argument.end, sink, deepest);
    return sink.readable.text;
  }

  #readReference({ start, next }: Command, end: number, sink: Sink): number {
    const label = this.#source.argumentAt(next);
    if (!label || label.next > end) return this.#pass(sink, start, next);
    return this.#put(sink, `[${this.#source.slice(label).trim()}]`, start, label.next);
  }

  #readOther(command: Command, end: number, sink: Sink, depth: number): number {
    const { name, start, next } = command;
    const macro = this.#macros.get(name);
    if (macro) return this.#readMacro(macro, command, sink);
    const amount = quantity(this.#source, command);
    if (amount && amount.next <= end) return this.#put(sink, amount.text, start, amount.next);
    if (name === 'footnote' || name === 'footnotetext') return this.#readFootnote(command, end, sink, depth);
    if (name === 'verb' || name === 'verb*' || name === 'lstinline')
      return this.#readVerbatim(command, end, sink);
    if (name === 'url' || name === 'path') return this.#readAddress(command, end, sink);
    const known = argumentsOf.get(name);
    if (known !== undefined) return Math.min(end, this.skipArguments(next, known));
    return this.#readUnknown(command, end, sink, depth);
  }

  #readMacro(macro: { readonly body: string; text: string | null }, command: Command, sink: Sink): number {
    const { start, next } = command;
    if (macro.text === null) {
      macro.text = '';
      const source = new SourceText(macro.body);
      const inner = newSink();
      new InlineReader(source, this.#macros).readRange(0, macro.body.length, inner, deepest);
      macro.text = inner.readable.text.slice(0, longestMacro);
    }
    if (macro.text !== '') this.#put(sink, macro.text, start, next);
    return macro.body.includes('\\xspace') ? next : this.#source.skipSpace(next);
  }

  #readFootnote({ start, next }: Command, end: number, sink: Sink, depth: number): number {
    const mark = this.#source.optionalAt(next);
    const note = this.#source.argumentAt(mark?.next ?? next);
    if (!note || note.next > end || depth > deepest) return this.#pass(sink, start, next);
    this.#put(sink, ' (', start, note.start);
    this.readRange(note.start, note.end, sink, depth + 1);
    return this.#put(sink, ')', note.end, note.next);
  }

  #readVerbatim({ start, next }: Command, end: number, sink: Sink): number {
    const from = this.#source.optionalAt(next)?.next ?? next;
    const mark = this.#text.charAt(from);
    const close = this.#text.indexOf(mark === '{' ? '}' : mark, from + 1);
    if (mark === '' || close < 0 || close >= end || close > this.#source.lineEnd(from))
      return this.#pass(sink, start, next);
    this.#mark(sink, start, close + 1);
    sink.readable.copy(this.#text, from + 1, close);
    return close + 1;
  }

  #readAddress({ start, next }: Command, end: number, sink: Sink): number {
    const address = this.#source.argumentAt(next);
    if (!address || address.next > end) return this.#pass(sink, start, next);
    this.#mark(sink, start, address.next);
    sink.readable.copy(this.#text, address.start, address.end);
    return address.next;
  }

  /** A command without a known meaning: its arguments in braces are its text, one directly behind it in brackets not. */
  #readUnknown({ start, next }: Command, end: number, sink: Sink, depth: number): number {
    const skipped = this.#text[next] === '[' ? this.#source.optionalAt(next) : null;
    let place = Math.min(end, skipped?.next ?? next);
    if (this.#text[place] !== '{') {
      const behind = Math.min(end, Math.max(this.#source.skipSpace(place), place));
      return this.#pass(sink, start, this.#text[behind] === '{' ? place : behind);
    }
    if (sink.start < 0) sink.start = start;
    if (depth > deepest) return place + 1;
    let argument = this.#source.argumentAt(place);
    for (let count = 0; argument && argument.next <= end; count += 1) {
      if (count > 0) sink.readable.space(place, place);
      this.readRange(argument.start, argument.end, sink, depth + 1);
      if (sink.end >= 0) sink.end = argument.next;
      place = argument.next;
      argument = this.#text[place] === '{' ? this.#source.argumentAt(place) : null;
    }
    return Math.max(place, next);
  }

  /** Skips arguments in the notation of `argumentsOf`. */
  skipArguments(place: number, kinds: string): number {
    let next = place;
    // `\cmidrule(lr){1-2}`
    if (this.#text[next] === '(') next = Math.max(next, this.#text.indexOf(')', next) + 1);
    for (const kind of kinds) {
      const argument = kind === 'o' ? this.#source.optionalAt(next) : this.#source.argumentAt(next);
      if (argument) next = argument.next;
      else if (kind === 'x') break;
    }
    return next;
  }

  /** Takes note of a command that is defined here; gives where its definition ends. */
  readDefinition({ name, next }: Command): number {
    if (name === 'let') return this.#afterLet(next);
    if (/^[gex]?def$/.test(name)) return this.#readPlainDefinition(next);
    const braced = this.#source.argumentAt(next);
    const bare = braced ? null : this.#commandName(next);
    let place = braced?.next ?? bare?.next ?? next;
    const defined = /\\([A-Za-z@]+)/.exec(braced ? this.#source.slice(braced) : '')?.[1] ?? bare?.name;
    const first = this.#source.optionalAt(place);
    if (first) place = this.#source.optionalAt(first.next)?.next ?? first.next;
    const bodies: Argument[] = [];
    const most = /nvironment|Document/.test(name) ? 3 : name.startsWith('DeclarePaired') ? 2 : 1;
    if (/^new(?:if|length|counter|savebox)$/.test(name)) return place;
    for (let body = this.#source.argumentAt(place); body && bodies.length < most;) {
      bodies.push(body);
      place = body.next;
      body = this.#text[this.#source.skipSpace(place)] === '{' ? this.#source.argumentAt(place) : null;
    }
    const [body] = bodies;
    if (defined && body && !first && most === 1 && !name.startsWith('newtheorem'))
      this.#macros.set(defined, { body: this.#source.slice(body), text: null });
    return place;
  }

  #afterLet(place: number): number {
    const first = this.#commandName(place);
    if (!first) return place;
    const equals = this.#text[this.#source.skipSpace(first.next)] === '=';
    const behind = equals ? this.#source.skipSpace(first.next) + 1 : first.next;
    return this.#commandName(behind)?.next ?? behind;
  }

  #readPlainDefinition(place: number): number {
    const command = this.#commandName(place);
    if (!command) return place;
    const brace = this.#text.indexOf('{', command.next);
    if (brace < 0 || brace > this.#source.lineEnd(command.next)) return command.next;
    const body = this.#source.argumentAt(brace);
    if (!body) return command.next;
    if (this.#text.slice(command.next, brace).trim() === '')
      this.#macros.set(command.name, { body: this.#source.slice(body), text: null });
    return body.next;
  }

  #commandName(place: number): Command | null {
    const at = this.#source.skipSpace(place);
    return this.#text[at] === '\\' ? this.#source.commandAt(at) : null;
  }
}

function citationText(keys: readonly string[], [before, after]: readonly string[], inText: boolean): string {
  if (keys.length === 0) return '';
  if (inText && keys.length === 1 && !before && !after) return `@${keys.join()}`;
  const all = keys.map((key) => `@${key}`).join('; ');
  return `[${before ? `${before} ` : ''}${all}${after ? `, ${after}` : ''}]`;
}

/** A value of LaTeX (a title, a name) as a person reads it. `%` begins no comment in it. */
export function latexToText(value: string): string {
  if (!/[\\{}$~`'&-]/.test(value)) return value.replace(/\s+/g, ' ').trim();
  const source = new SourceText(value, { comments: false });
  const sink = newSink();
  new InlineReader(source, new Map(), { comments: false }).readRange(0, value.length, sink);
  return sink.readable.text;
}
