// Reads a LaTeX document into blocks: sections, environments, paragraphs, over all the files that it takes in.
// Running text is inline.ts's; which files may be read is the caller's to say.
import { basename, dirname, join, normalize } from 'node:path/posix';
import type { Block, ReadOther, SourceDocument } from '../../ports.ts';
import { BlockCollector } from '../blockCollector.ts';
import { decodeText } from '../decodeText.ts';
import type { Pace } from '../../pace.ts';
import {
  environmentArguments,
  leftOutEnvironments,
  listEnvironments,
  mathEnvironments,
  quoteEnvironments,
  sections,
  tableEnvironments,
  verbatimEnvironments,
} from './commands.ts';
import { newSink, InlineReader } from './inline.ts';
import type { Macros, Sink } from './inline.ts';
import { copyDisplayMath } from './displayMath.ts';
import { SourceText } from './sourceText.ts';
import type { Argument, Command } from './sourceText.ts';

/** Files within files are followed this deep, and so many of them in all. */
const deepestInput = 20;
const mostFiles = 1000;
const deepestEnvironment = 200;
/** Displayed math between `\[` and `\]` is at most so long, in UTF-16 units. */
const longestDisplay = 20_000;

interface Input {
  readonly readOther: ReadOther;
  readonly maxBytes: number;
  readonly pace: Pace;
}

/**
 * Reads a LaTeX document and the files it takes in. Of a preamble only the title and the macros are read. A damaged
 * file gives what can be read of it.
 * @throws PreflexorError `cancelled`
 */
export async function readLatex(path: string, text: string, input: Input): Promise<SourceDocument> {
  const first = new LatexDocument(path, input, { wholeFile: false });
  await first.readFile(path, text, 0);
  if (first.collector.blocks.length > 0 || first.bodySeen) return first.document();
  // A preamble without a body: the file is cut or is taken in by another one, so all of it is read.
  const second = new LatexDocument(path, input, { wholeFile: true });
  await second.readFile(path, text, 0);
  return second.document();
}

class LatexDocument {
  readonly collector = new BlockCollector();
  readonly macros: Macros = new Map();
  readonly #path: string;
  readonly #input: Input;
  readonly #wholeFile: boolean;
  readonly #texts: Record<string, string> = {};
  readonly #dependencies = new Set<string>();
  readonly #tried = new Set<string>();
  title: string | null = null;
  /** Whether what is read now stands in the body: the preamble gives no blocks. */
  inBody = true;
  bodySeen = false;

  constructor(path: string, input: Input, { wholeFile }: { readonly wholeFile: boolean }) {
    this.#path = path;
    this.#input = input;
    this.#wholeFile = wholeFile;
  }

  async readFile(path: string, text: string, depth: number): Promise<void> {
    this.#texts[path] = text;
    this.#tried.add(path);
    const outer = this.inBody;
    const standsAlone = !this.#wholeFile && /^[^%\n]*\\documentclass/m.test(text);
    if (standsAlone) this.inBody = false;
    const reader = new FileReader(this, path, new SourceText(text));
    for (let wanted = reader.readOn(); !reader.done; wanted = reader.readOn()) {
      await this.#input.pace();
      if (wanted !== null) await this.#readInput(path, wanted, depth + 1);
    }
    if (standsAlone && depth > 0) this.inBody = outer;
  }

  /** A file that another one takes in; what can't be read is passed over. Each file is read once. */
  async #readInput(from: string, { folder, name }: WantedFile, depth: number): Promise<void> {
    if (depth > deepestInput || this.#dependencies.size >= mostFiles) return;
    for (const path of candidates(dirname(this.#path), dirname(from), folder, name)) {
      if (this.#tried.has(path)) return;
      const bytes = await this.#input.readOther(path);
      await this.#input.pace();
      if (!bytes) continue;
      this.#tried.add(path);
      const decoded = bytes.length > this.#input.maxBytes ? null : decodeText(bytes);
      if (!decoded || !('text' in decoded)) return;
      this.#dependencies.add(path);
      await this.readFile(path, decoded.text, depth);
      return;
    }
  }

  document(): SourceDocument {
    const { blocks } = this.collector;
    const used = new Set(blocks.map(({ source }) => source)).add(this.#path);
    const heading = blocks.find(({ kind }) => kind === 'heading');
    return {
      path: this.#path,
      kind: 'latex',
      title: this.title ?? heading?.readable ?? basename(this.#path).replace(/\.[^.]*$/, ''),
      tags: [],
      blocks,
      texts: Object.fromEntries(Object.entries(this.#texts).filter(([path]) => used.has(path))),
      dependencies: [...this.#dependencies],
      defines: [],
    };
  }
}

interface WantedFile {
  /** The folder that `\import` names, else empty. */
  readonly folder: string;
  readonly name: string;
}

/** Where a file may stand: LaTeX looks beside the main file; `\subfile` and `\import` look beside the file itself. */
function candidates(main: string, own: string, folder: string, name: string): string[] {
  const clean = name.trim().replace(/^"|"$/g, '').replaceAll('\\', '/');
  if (clean === '' || /^(?:\/|[A-Za-z]:|~)|[\0|]/.test(clean) || /^(?:\/|[A-Za-z]:|~)/.test(folder))
    return [];
  const names = /\.[A-Za-z]{1,5}$/.test(clean) ? [clean, `${clean}.tex`] : [`${clean}.tex`, clean];
  const paths = [main, own].flatMap((base) => names.map((file) => normalize(join(base, folder, file))));
  return [...new Set(paths)].filter((path) => !path.startsWith('../') && path !== '..');
}

interface Environment {
  readonly name: string;
  readonly kind: Block['kind'];
  readonly headings: BlockCollector['headings'] | null;
}

/** One file. `readOn` goes on until another file is wanted, the end is reached, or it is time to pause. */
class FileReader {
  done = false;
  readonly #document: LatexDocument;
  readonly #path: string;
  readonly #source: SourceText;
  readonly #text: string;
  readonly #inline: InlineReader;
  readonly #environments: Environment[] = [];
  #sink: Sink = newSink();
  /** The kind of the item that is being read. */
  #item = false;
  #place = 0;
  /** A conditional without an end was found: none below has one. */
  #unended = false;
  #wanted: WantedFile | null = null;

  constructor(document: LatexDocument, path: string, source: SourceText) {
    this.#document = document;
    this.#path = path;
    this.#source = source;
    this.#text = source.text;
    this.#inline = new InlineReader(source, document.macros);
  }

  /** The file to be read before going on, or null. */
  readOn(): WantedFile | null {
    const end = this.#text.length;
    const pause = this.#place + 20_000;
    while (this.#place < end && this.#place < pause && !this.done) {
      this.#place = this.#step(this.#place, end);
      const wanted = this.#takeWanted();
      if (wanted) return wanted;
    }
    if (this.#place >= end || this.done) {
      this.#flush();
      this.done = true;
    }
    return null;
  }

  #takeWanted(): WantedFile | null {
    const wanted = this.#wanted;
    this.#wanted = null;
    return wanted;
  }

  #step(place: number, end: number): number {
    const unit = this.#text[place];
    if (unit === '\\') {
      const command = this.#source.commandAt(place);
      const next = this.#readBlockCommand(command);
      if (next !== null) return Math.min(end, Math.max(next, place + 1));
    } else if (unit === '\n') {
      const blank = /\n(?:[ \t\r]*\n)+/y;
      blank.lastIndex = place;
      if (blank.test(this.#text)) {
        this.#flush();
        return blank.lastIndex;
      }
    } else if (unit === '$' && this.#text.startsWith('$$', place)) {
      const close = this.#find('$$', place + 2);
      if (close >= 0) return this.#addMath(place, place + 2, close, close + 2);
    } else if (unit === '%') {
      return this.#skipComment(place, end);
    }
    return this.#inline.step(place, end, this.#sink, 0);
  }

  /** Where a mark stands that closes displayed math, or -1. */
  #find(mark: string, from: number): number {
    const found = this.#text.slice(from, from + longestDisplay).indexOf(mark);
    return found < 0 ? -1 : from + found;
  }

  /** Behind a comment and its line end; a blank line that follows parts paragraphs. */
  #skipComment(place: number, end: number): number {
    const next = Math.min(end, this.#source.lineEnd(place) + 1);
    const blank = /[ \t\r]*\n/y;
    blank.lastIndex = next;
    if (blank.test(this.#text)) this.#flush();
    const indent = /[ \t]*/y;
    indent.lastIndex = next;
    indent.test(this.#text);
    return Math.max(next, indent.lastIndex);
  }

  /** Where to go on behind a command that has to do with blocks; null for one of running text. */
  #readBlockCommand(command: Command): number | null {
    const { name, start, next } = command;
    const level = sections.get(name.replace(/\*$/, ''));
    if (level !== undefined) return this.#addSection(command, level);
    switch (name) {
      case 'begin':
        return this.#begin(command);
      case 'end':
        return this.#end(command);
      case 'par':
      case 'maketitle':
      case 'newpage':
      case 'clearpage':
      case 'appendix':
        this.#flush();
        return next;
      case '[': {
        const close = this.#find('\\]', next);
        return close >= 0 ? this.#addMath(start, next, close, close + 2) : null;
      }
      case 'item':
      case 'bibitem':
        return this.#beginItem(command);
      case 'title':
        return this.#readTitle(command);
      case 'caption':
      case 'caption*':
      case 'captionof':
      case 'abstract':
        return this.#addCaption(command);
      case 'iffalse':
        return this.#skipConditional(next);
      case 'input':
      case 'include':
      case 'subfile':
      case 'subfileinclude':
      case 'import':
      case 'subimport':
      case 'loadglsentries':
        return this.#wantFile(command);
      default:
        return null;
    }
  }

  #addSection(command: Command, level: number): number | null {
    const short = this.#source.optionalAt(command.next);
    const title = this.#source.argumentAt(short?.next ?? command.next);
    if (!title) return null;
    this.#flush();
    const sink = newSink();
    this.#inline.readRange(title.start, title.end, sink, 1);
    if (!this.#document.inBody) return title.next;
    this.#document.collector.addHeading(level, {
      source: this.#path,
      readable: sink.readable,
      citations: sink.citations,
      start: command.start,
      end: title.next,
    });
    return title.next;
  }

  #begin(command: Command): number {
    const argument = this.#source.argumentAt(command.next);
    const name = argument ? this.#source.slice(argument).trim() : '';
    if (!argument || !/^[A-Za-z@]+\*?$/.test(name)) return argument?.next ?? command.next;
    this.#flush();
    const plainName = name.replace(/\*$/, '');
    if (mathEnvironments.has(plainName)) {
      const close = this.#source.endOf(name, argument.next);
      if (close >= 0) return this.#addMath(command.start, argument.next, close, endOfEnd(close, name));
    }
    const table = tableEnvironments.get(name);
    if (table !== undefined) {
      const close = this.#source.endOf(name, argument.next);
      if (close >= 0)
        return this.#addTable(command, this.#inline.skipArguments(argument.next, table), close, name);
    }
    const isVerbatim = verbatimEnvironments.has(name);
    if (isVerbatim || leftOutEnvironments.has(name)) {
      const close = this.#source.endOf(name, argument.next);
      if (close >= 0) {
        if (isVerbatim) this.#addVerbatim(command, argument.next, close, name);
        else this.#document.collector.leaveOut();
        return endOfEnd(close, name);
      }
    }
    return this.#open(name, argument.next);
  }

  /** An environment whose inside is read like the text around it. */
  #open(name: string, next: number): number {
    const { collector } = this.#document;
    if (name === 'document') {
      this.#document.inBody = true;
      this.#document.bodySeen = true;
    }
    const outer = this.#environments.at(-1)?.kind ?? 'paragraph';
    const kind = listEnvironments.has(name) ? 'list' : quoteEnvironments.has(name) ? 'quote' : outer;
    const isNamed = name === 'abstract' || name === 'thebibliography';
    if (this.#environments.length < deepestEnvironment)
      this.#environments.push({ name, kind, headings: isNamed ? collector.headings : null });
    if (name === 'abstract') collector.openHeading(3, 'Abstract');
    if (name === 'thebibliography') collector.openHeading(3, 'References');
    return this.#inline.skipArguments(next, environmentArguments.get(name) ?? '');
  }

  #end(command: Command): number {
    const argument = this.#source.argumentAt(command.next);
    if (!argument) return command.next;
    this.#flush();
    this.#item = false;
    const name = this.#source.slice(argument).trim();
    const opened = this.#environments.findLastIndex((environment) => environment.name === name);
    const ended = this.#environments[opened];
    if (ended?.headings) this.#document.collector.restoreHeadings(ended.headings);
    if (opened >= 0) this.#environments.length = opened;
    if (name === 'document') this.done = true;
    return argument.next;
  }

  #beginItem({ name, start, next }: Command): number {
    this.#flush();
    this.#item = true;
    const label = this.#source.optionalAt(next);
    if (name === 'bibitem') return this.#source.argumentAt(label?.next ?? next)?.next ?? next;
    if (!label) return next;
    this.#sink.start = start;
    this.#inline.readRange(label.start, label.end, this.#sink, 1);
    this.#sink.readable.space(label.end, label.next);
    return label.next;
  }

  #readTitle(command: Command): number | null {
    const short = this.#source.optionalAt(command.next);
    const title = this.#source.argumentAt(short?.next ?? command.next);
    if (!title) return null;
    const sink = newSink();
    this.#inline.readRange(title.start, title.end, sink, 1);
    this.#document.title ??= sink.readable.text || null;
    return title.next;
  }

  /** A paragraph of its own: a figure's caption, an abstract that is a command. */
  #addCaption(command: Command): number | null {
    const short = this.#source.optionalAt(command.next);
    let text: Argument | null = this.#source.argumentAt(short?.next ?? command.next);
    if (command.name === 'captionof' && text) text = this.#source.argumentAt(text.next);
    if (!text) return null;
    this.#flush();
    this.#inline.readRange(text.start, text.end, this.#sink, 1);
    this.#sink.start = command.start;
    this.#sink.end = text.next;
    this.#flush('paragraph');
    return text.next;
  }

  #skipConditional(place: number): number {
    this.#flush();
    this.#document.collector.leaveOut();
    if (this.#unended) return place;
    const mark = /\\(if[a-zA-Z]*|fi|else)(?![a-zA-Z])/g;
    mark.lastIndex = place;
    let depth = 1;
    for (let match = mark.exec(this.#text); match; match = mark.exec(this.#text)) {
      if (match[1] === 'fi') depth -= 1;
      else if (match[1]?.startsWith('if')) depth += 1;
      if (depth === 0 || (depth === 1 && match[1] === 'else')) return mark.lastIndex;
    }
    this.#unended = true;
    return place;
  }

  #wantFile({ name, next }: Command): number {
    const first = this.#source.argumentAt(next);
    this.#flush();
    if (!first) {
      // TeX's own form: \input name
      const bare = /[ \t]+([^\s{}\\%]+)/y;
      bare.lastIndex = next;
      const file = name === 'input' ? bare.exec(this.#text)?.[1] : undefined;
      if (file === undefined) return next;
      this.#wanted = { folder: '', name: file };
      return bare.lastIndex;
    }
    const second = name.endsWith('import') ? this.#source.argumentAt(first.next) : null;
    this.#wanted = second
      ? { folder: this.#source.slice(first).trim(), name: this.#source.slice(second) }
      : { folder: '', name: this.#source.slice(first) };
    return second?.next ?? first.next;
  }

  #addMath(start: number, from: number, to: number, end: number): number {
    this.#flush();
    const sink = newSink();
    copyDisplayMath(sink.readable, this.#text, from, to);
    this.#add('math', sink, start, end);
    return end;
  }

  #addTable(command: Command, from: number, close: number, name: string): number {
    const sink = newSink(true);
    this.#inline.readRange(from, close, sink, 1);
    const end = endOfEnd(close, name);
    this.#add('table', sink, command.start, end);
    return end;
  }

  #addVerbatim(command: Command, next: number, close: number, name: string): void {
    const from = this.#inline.skipArguments(next, verbatimEnvironments.get(name) ?? '');
    const sink = newSink();
    for (const line of this.#text.slice(from, close).matchAll(/[^\r\n]+/g)) {
      sink.readable.lineBreak();
      const start = from + line.index;
      sink.readable.verbatim(this.#text, start, start + line[0].trimEnd().length);
    }
    this.#add('code', sink, command.start, endOfEnd(close, name));
  }

  #add(kind: Block['kind'], sink: Sink, start: number, end: number): void {
    if (!this.#document.inBody) return;
    const { readable, citations } = sink;
    this.#document.collector.add({ source: this.#path, kind, readable, citations, start, end });
  }

  /** Ends the block that is open. */
  #flush(as?: Block['kind']): void {
    const sink = this.#sink;
    if (sink.readable.empty) {
      if (sink.start >= 0) this.#sink = newSink();
      return;
    }
    const outer = this.#environments.at(-1)?.kind ?? 'paragraph';
    const kind = as ?? (outer === 'list' && !this.#item ? 'paragraph' : outer);
    this.#add(kind, sink, sink.start, sink.end);
    this.#sink = newSink();
  }
}

function endOfEnd(close: number, name: string): number {
  return close + `\\end{${name}}`.length;
}
