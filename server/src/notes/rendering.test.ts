import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import type { Nodes, RootContent } from 'mdast';
import { frontMatterEnd } from './closers.ts';
import { applyEdits, insertBlock, readBlocks } from './index.ts';
import { textStart } from './lines.ts';
import { parseMarkdown } from './markdown.ts';
import { generatedNote, hostileText } from './testing/generatedNotes.ts';
import { allParagraphs } from './testing/places.ts';
import { runs } from './testing/runs.ts';

const id = 'k3v9q2';

/** The engine of VS Code's preview, which lets HTML through; links are for us to judge. */
const preview = new MarkdownIt({ html: true, linkify: true });
preview.validateLink = () => true;

function isHarmless(address: string): boolean {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(address)?.[1];
  return scheme === undefined || ['http', 'https', 'mailto', 'ftp', 'doi'].includes(scheme.toLowerCase());
}

interface Case {
  readonly note: string;
  readonly annotated: string;
  readonly insertAt: number;
}

const annotatedCase: fc.Arbitrary<Case | null> = fc
  .tuple(generatedNote, hostileText, hostileText, hostileText, fc.nat())
  .map(([note, thinking, reflection, answer, choice]) => {
    const places = allParagraphs(note);
    const place = places[choice % Math.max(places.length, 1)];
    if (!place) return null;
    const content = { id, thinking, reflection, answer, iteration: 2, of: 3, model: reflection };
    const edit = insertBlock(note, place.insertAt, content);
    return { note, annotated: applyEdits(note, [edit]), insertAt: place.insertAt };
  });

/** Top-level nodes with the offset in the note where each begins. */
function topLevel(note: string): { node: RootContent; start: number }[] {
  const base = frontMatterEnd(note) || textStart(note);
  return parseMarkdown(note.slice(base)).children.map((node) => ({
    node,
    start: base + (node.position?.start.offset ?? 0),
  }));
}

/**
 * What a reader gets of these nodes. micromark cuts indented code behind a list in two and counts the empty lines
 * below an open math block as its content: neither is looked at.
 */
function content(nodes: readonly { node: RootContent; start: number }[], note: string): string[] {
  return nodes
    .filter(({ node, start }) => node.type !== 'code' || /^[`~]/.test(note.slice(start)))
    .map(({ node }) =>
      JSON.stringify(node, (key, value: unknown): unknown =>
        key === 'position' ? undefined : typeof value === 'string' ? value.trimEnd() : value,
      ),
    );
}

function* descendants(node: Nodes): Generator<Nodes> {
  yield node;
  if ('children' in node) for (const child of node.children) yield* descendants(child);
}

test('given hostile texts, when the annotated note is parsed, then the block holds quotes and nothing that lives', () => {
  fc.assert(
    fc.property(annotatedCase, (given) => {
      if (!given) return;
      const { note, annotated, insertAt } = given;
      const block = readBlocks(annotated).blocks.find((candidate) => candidate.id === id);
      assert.ok(block, 'the block is read back');
      const nodes = topLevel(annotated);
      const inside = nodes.filter(({ start }) => start >= block.comments.start && start < block.comments.end);
      assert.deepEqual(
        inside.map(({ node }) => node.type),
        ['html', ...block.sections.map(() => 'blockquote'), 'html'],
        'two comments and the callouts between them',
      );
      for (const { node } of inside.slice(1, -1)) {
        for (const { type, ...rest } of descendants(node)) {
          const lives = ['html', 'definition', 'footnoteDefinition', 'image', 'imageReference'];
          assert.ok(!lives.includes(type), `${type} in ${JSON.stringify(annotated)}`);
          if ('url' in rest) assert.ok(isHarmless(rest.url), `${rest.url} in ${JSON.stringify(annotated)}`);
        }
      }
      const after = nodes.filter(({ start }) => start >= block.comments.end);
      const plain = topLevel(note);
      assert.deepEqual(
        content(after, annotated),
        content(
          plain.filter(({ start }) => start >= insertAt),
          note,
        ),
        'what follows means what it meant',
      );
      const before = nodes.filter(({ start }) => start < block.comments.start);
      assert.deepEqual(
        content(before, annotated),
        content(
          plain.filter(({ start }) => start < insertAt),
          note,
        ),
        'what stands before means what it meant',
      );
    }),
    runs(600),
  );
});

test('given hostile texts, when VS Code’s preview renders the note, then the block brings no HTML and no bad link', () => {
  fc.assert(
    fc.property(annotatedCase, (given) => {
      if (!given) return;
      const render = (note: string) => {
        const environment: { references?: Record<string, { href: string; title: string }> } = {};
        const body = note.slice(frontMatterEnd(note) || textStart(note)).replace(/\r\n?/g, '\n');
        return { tokens: preview.parse(body, environment), references: environment.references ?? {} };
      };
      const { tokens, references } = render(given.annotated);
      assert.deepEqual(references, render(given.note).references, 'no definition came with the block');
      const comment = (edge: string) =>
        tokens.findIndex(
          ({ type, level, content: html }) =>
            type === 'html_block' && level === 0 && html.startsWith(`<!-- preflexor ${id} ${edge}`),
        );
      assert.ok(comment('begin') >= 0 && comment('end') > comment('begin'), 'both comments are HTML blocks');
      for (const token of tokens.slice(comment('begin') + 1, comment('end'))) {
        for (const part of [token, ...(token.children ?? [])]) {
          const lives = part.type.startsWith('html_') || part.type === 'image';
          assert.ok(!lives, `${part.type} ${part.content} in ${JSON.stringify(given.annotated)}`);
          const href = part.attrGet('href');
          const address = href === null ? null : String(href);
          assert.ok(
            address === null || isHarmless(address),
            `${address} in ${JSON.stringify(given.annotated)}`,
          );
        }
      }
    }),
    runs(600),
  );
});
