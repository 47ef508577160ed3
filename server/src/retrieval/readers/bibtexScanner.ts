// Finds the entries of a BibTeX file and their fields, as they are written. Total and linear: an entry that is never
// closed ends where the next one begins. Knows nothing of LaTeX.

export interface RawEntry {
  /** In lower case. */
  readonly type: string;
  readonly key: string;
  /** Names in lower case; values without their outer braces or quotes, `#` and `@string`s put together. */
  readonly fields: ReadonlyMap<string, string>;
  readonly start: number;
  readonly end: number;
}

const entryStart = /@[ \t]*([A-Za-z]+)[ \t\r\n]*([{(])/g;
/** An entry that begins a line: where one that was never closed ends. */
const nextEntry =
  /^[ \t]*@[ \t]*(?:[A-Za-z]+[ \t]*[{(]\s*[^\s,{}()="]+\s*,|(?:string|preamble|comment)\s*[{(])/gim;
const fieldName = /[^\s=,{}()"#%]+/y;
const space = /[\s,]*/y;
const months = 'January February March April May June July August September October November December';
const standardNames: readonly (readonly [string, string])[] = months
  .split(' ')
  .map((month) => [month.slice(0, 3).toLowerCase(), month]);

export class BibtexScanner {
  readonly #text: string;
  readonly #strings = new Map(standardNames);
  /** Where the next entry begins a line, for a place before it. */
  #limit = { from: 0, at: -1 };

  constructor(text: string) {
    this.#text = text;
  }

  *entries(): Generator<RawEntry> {
    let place = 0;
    for (;;) {
      entryStart.lastIndex = place;
      const match = entryStart.exec(this.#text);
      if (!match) return;
      const type = (match[1] ?? '').toLowerCase();
      const inside = match.index + match[0].length;
      const close = match[2] === '(' ? ')' : '}';
      if (type === 'comment' || type === 'preamble') {
        place = this.#behindBraces(inside, this.#limitAt(inside));
      } else if (type === 'string') {
        const { fields, end } = this.#readFields(inside, close);
        for (const [name, value] of fields) this.#strings.set(name, value);
        place = end;
      } else {
        const entry = this.#readEntry(type, match.index, inside, close);
        yield entry;
        place = entry.end;
      }
      place = Math.max(place, inside);
    }
  }

  #readEntry(type: string, start: number, inside: number, close: string): RawEntry {
    const key = /\s*([^\s,={}"]*)\s*(?=[,})])/y;
    key.lastIndex = inside;
    const named = key.exec(this.#text);
    const { fields, end } = this.#readFields(named ? key.lastIndex : inside, close);
    return { type, key: named?.[1] ?? '', fields, start, end };
  }

  /** Where the next entry begins that begins a line, from `place` on; else the end of the text. */
  #limitAt(place: number): number {
    if (place < this.#limit.from || place > this.#limit.at) {
      nextEntry.lastIndex = place;
      this.#limit = { from: place, at: nextEntry.exec(this.#text)?.index ?? this.#text.length };
    }
    return this.#limit.at;
  }

  /** `name = value, …` up to the closing mark, or to where the next entry begins. */
  #readFields(from: number, close: string): { fields: Map<string, string>; end: number } {
    const fields = new Map<string, string>();
    const limit = this.#limitAt(from);
    let place = from;
    while (place < limit) {
      place = this.#skip(space, place);
      if (place >= limit) break;
      if (this.#text[place] === close) return { fields, end: place + 1 };
      fieldName.lastIndex = place;
      const name = fieldName.exec(this.#text)?.[0].toLowerCase();
      if (name === undefined) {
        place += 1;
        continue;
      }
      place = this.#skip(/\s*/y, place + name.length);
      if (this.#text[place] !== '=') continue;
      const { value, end } = this.#readValue(place + 1, limit);
      if (!fields.has(name)) fields.set(name, value);
      place = end;
    }
    return { fields, end: this.#trimmed(from, limit) };
  }

  #skip(pattern: RegExp, place: number): number {
    pattern.lastIndex = place;
    return pattern.test(this.#text) ? pattern.lastIndex : place;
  }

  /** Parts joined by `#`: in braces, in quotes, a number, or the name of a string. */
  #readValue(from: number, limit: number): { value: string; end: number } {
    let value = '';
    let place = from;
    for (;;) {
      place = this.#skip(/\s*/y, place);
      const part = this.#readPart(place, limit);
      value += part.value;
      place = this.#skip(/\s*/y, part.end);
      if (this.#text[place] !== '#' || place >= limit) return { value, end: Math.min(limit, part.end) };
      place += 1;
    }
  }

  #readPart(place: number, limit: number): { value: string; end: number } {
    const first = this.#text[place];
    if (first === '{') {
      const end = this.#behindBraces(place + 1, limit);
      if (end >= 0) return { value: this.#text.slice(place + 1, end - 1), end };
      return this.#readUnclosed(place + 1, limit);
    }
    if (first === '"') {
      const end = this.#behindQuote(place + 1, limit);
      return { value: this.#text.slice(place + 1, Math.max(place + 1, end - 1)), end };
    }
    const bare = /[^\s,{}()"#=]+/y;
    bare.lastIndex = place;
    const word = bare.exec(this.#text)?.[0] ?? '';
    return { value: this.#strings.get(word.toLowerCase()) ?? word, end: place + word.length };
  }

  /** A value whose brace is never closed ends where a line looks like the next field. */
  #readUnclosed(from: number, limit: number): { value: string; end: number } {
    const rest = this.#text.slice(from, limit);
    const length = /,?\s*\n\s*[A-Za-z][\w-]*\s*=\s*["{\w]/.exec(rest)?.index ?? rest.trimEnd().length;
    return { value: rest.slice(0, length), end: from + length };
  }

  /** Behind the brace that closes what was opened before `from`; -1 where there is none before the limit. */
  #behindBraces(from: number, limit: number): number {
    let depth = 1;
    for (let place = from; place < limit; place += 1) {
      const unit = this.#text.charCodeAt(place);
      if (unit === 123) depth += 1;
      else if (unit === 125 && (depth -= 1) === 0) return place + 1;
    }
    return -1;
  }

  #behindQuote(from: number, limit: number): number {
    let depth = 0;
    for (let place = from; place < limit; place += 1) {
      const unit = this.#text[place];
      if (unit === '{') depth += 1;
      else if (unit === '}') depth -= 1;
      else if (unit === '"' && depth <= 0) return place + 1;
    }
    return this.#trimmed(from, limit);
  }

  /** `to` without the white space before it, but not before `from`. */
  #trimmed(from: number, to: number): number {
    let end = to;
    while (end > from && /\s/.test(this.#text.charAt(end - 1))) end -= 1;
    return end;
  }
}
