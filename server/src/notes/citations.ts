// Citation keys in pandoc's syntax: [@key], [see @a, p. 3; @b], @key, [-@key], @{key}.
import type { Nodes } from 'mdast';

const letter = String.raw`\p{L}\p{N}_`;
const citation = new RegExp(
  String.raw`(?<![${letter}@\\/])@(?:\{([^{}\s]+)\}|([${letter}](?:[:.#$%&\-+?<>~/]?[${letter}])*))`,
  'gu',
);

/**
 * The keys that a node (a paragraph, a cell, a heading) cites, each once, in their order. Code, math and HTML cite nothing.
 * @param source the text that was parsed into `node`
 */
export function citationsOf(node: Nodes, source: string): string[] {
  const keys = new Set<string>();
  for (const text of textsOf(node, source)) {
    for (const match of text.matchAll(citation)) keys.add(match[1] ?? match[2] ?? '');
  }
  return [...keys];
}

function* textsOf(node: Nodes, source: string): Generator<string> {
  if (node.type === 'text') {
    const { start, end } = node.position ?? {};
    if (start?.offset !== undefined && end?.offset !== undefined)
      yield source.slice(start.offset, end.offset);
    return;
  }
  if ('children' in node) for (const child of node.children) yield* textsOf(child, source);
}
