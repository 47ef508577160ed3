// micromark with GFM and math: exact offsets, no transforms. The one place that knows the parser.
import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { mathFromMarkdown } from 'mdast-util-math';
import { gfm } from 'micromark-extension-gfm';
import { math } from 'micromark-extension-math';

const extensions = [gfm(), math()];
const mdastExtensions = [
  // Its transforms make links of plain addresses and lose the positions of the text around them.
  ...gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] })),
  mathFromMarkdown(),
];

/**
 * Parses markdown without front matter: that is told apart by the line scanner, as the parser's own extension
 * misreads a note that begins with a thematic break.
 */
export function parseMarkdown(text: string): Root {
  return fromMarkdown(text, { extensions, mdastExtensions });
}
