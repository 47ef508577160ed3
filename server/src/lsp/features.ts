// What an editor shows of annotations: folding, lenses, symbols, hovers and the rewrite action.
// Pure functions of a document; they hold no state and start no work.
import {
  CodeActionKind,
  FoldingRangeKind,
  MarkupKind,
  SymbolKind,
  type CodeAction,
  type CodeLens,
  type DocumentSymbol,
  type FoldingRange,
  type Hover,
  type Position,
  type Range,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Block } from '../notes/index.ts';
import { serverCommands, type Run } from '../protocol/index.ts';
import type { BlockReader } from './blocks.ts';

/** Clients draw every range they get; a note with more annotations than this is not read by folding. */
const rangeLimit = 5000;

export const rewriteKind = `${CodeActionKind.RefactorRewrite}.preflexor`;

/** Whole blocks, their sections, and raw marker sections in the note's own text. */
export function foldingRanges(document: TextDocument, blocks: BlockReader): FoldingRange[] {
  const reading = blocks.read(document);
  const stretches = [
    ...reading.blocks.flatMap((block) => [block, ...block.sections]),
    ...reading.rawMarkers,
  ].filter((stretch) => stretch.endLine > stretch.startLine);
  return stretches
    .slice(0, rangeLimit)
    .map(({ startLine, endLine }) => ({ startLine, endLine, kind: FoldingRangeKind.Comment }));
}

const lensTitles = [
  ['Accept', serverCommands.accept],
  ['Review', serverCommands.review],
  ['Accept my edit', serverCommands.acceptEdited],
  ['Reject', serverCommands.reject],
  ['Regenerate', serverCommands.regenerate],
  ['Compare', serverCommands.compare],
] as const;

/** The decisions, above each block. */
export function codeLenses(document: TextDocument, blocks: BlockReader): CodeLens[] {
  return blocks.read(document).blocks.flatMap((block) => {
    const range = lineRange(block.startLine);
    return lensTitles.map(([title, command]) => ({
      range,
      command: { title, command, arguments: [{ uri: document.uri, block: block.id }] },
    }));
  });
}

/** `refactor.rewrite` on any line of prose; whether it is a paragraph is told when it runs. */
export function codeActions(document: TextDocument, range: Range, blocks: BlockReader): CodeAction[] {
  const { line } = range.start;
  if (lineText(document, line).trim() === '' || blockAt(document, range.start, blocks)) return [];
  const title = 'Reason about this paragraph';
  return [
    {
      title,
      kind: rewriteKind,
      command: {
        title,
        command: serverCommands.reason,
        arguments: [{ uri: document.uri, position: range.start }],
      },
    },
  ];
}

const sectionNames = { thinking: 'Thinking', reflection: 'Reflection', answer: 'Suggestion' } as const;

/** Each block with its sections, for outline and breadcrumbs. */
export function documentSymbols(document: TextDocument, blocks: BlockReader): DocumentSymbol[] {
  return blocks.read(document).blocks.map((block) => {
    const range = stretch(document, block);
    return {
      name: `Annotation ${block.id}`,
      kind: SymbolKind.Object,
      range,
      selectionRange: within(lineRange(block.startLine), range),
      children: block.sections.map((section) => {
        const sectionRange = stretch(document, section);
        return {
          name: sectionNames[section.kind],
          detail: firstLine(section.text),
          kind: SymbolKind.String,
          range: sectionRange,
          selectionRange: sectionRange,
        };
      }),
    };
  });
}

/**
 * Where an annotation came from, in plain text: model output is never rendered as markdown in a hover.
 * @param behind lines that go first: the passages behind what is hovered over
 */
export function hoverText(block: Block, run: Run | null, behind: readonly string[] = []): Hover {
  const lines = [...behind, ...(behind.length > 0 ? [''] : []), `Annotation ${block.id}`];
  if (run) {
    const { sampler, backend } = run.provenance;
    const tokens = run.iterations.reduce((sum, iteration) => sum + iteration.tokens.generated, 0);
    lines.push(
      `Question: ${run.question}`,
      `Model: ${run.model}${run.adapter ? ` with adapter ${run.adapter}` : ''} (${backend})`,
      `${new Date(run.time).toLocaleString()} · ${run.seconds.toFixed(1)} s · ${tokens} tokens`,
      `Temperature ${sampler.temperature}, seed ${sampler.seed}`,
    );
    const doubts = run.iterations
      .flatMap((iteration) => iteration.signals)
      .filter((signal) => signal.verdict !== 'fine')
      .map((signal) => signal.name);
    if (doubts.length > 0) lines.push(`Watch out: ${doubts.join(', ')}`);
    if (run.unknownCitations) lines.push(`No bibliography knows: ${run.unknownCitations.join(', ')}`);
  } else {
    lines.push('Its run is not stored in this workspace.');
  }
  return { contents: { kind: MarkupKind.PlainText, value: lines.join('\n') } };
}

/** The block that holds a position, if any. */
export function blockAt(document: TextDocument, position: Position, blocks: BlockReader): Block | undefined {
  const { line } = position;
  return blocks.read(document).blocks.find((block) => line >= block.startLine && line <= block.endLine);
}

/** A line without its end. */
export function lineText(document: TextDocument, line: number): string {
  const range = { start: { line, character: 0 }, end: { line: line + 1, character: 0 } };
  return document.getText(range).replace(/[\r\n]+$/, '');
}

function lineRange(line: number): Range {
  return { start: { line, character: 0 }, end: { line, character: 0 } };
}

/** From the start of the first line to the end of the last one. */
function stretch(
  document: TextDocument,
  { startLine, endLine }: { startLine: number; endLine: number },
): Range {
  const lineEnd = document.offsetAt({ line: endLine + 1, character: 0 });
  const text = document.getText({
    start: { line: endLine, character: 0 },
    end: document.positionAt(lineEnd),
  });
  const length = text.replace(/[\r\n]+$/, '').length;
  return { start: { line: startLine, character: 0 }, end: { line: endLine, character: length } };
}

function within(range: Range, outer: Range): Range {
  return { start: range.start, end: range.end.line <= outer.end.line ? range.end : outer.end };
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
