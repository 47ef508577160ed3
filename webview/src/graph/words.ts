// What the Graph view says, in words. Pure.
import type { GraphEdge, GraphNode, GraphSelection, ShownNode } from '../../../server/src/protocol/index.ts';

/** In the order of their colours. */
export const kinds = [
  'concept',
  'citation',
  'chunk',
  'question',
  'answer',
  'document',
  'heading',
] as const satisfies readonly GraphNode['kind'][];

export const kindNames: Record<GraphNode['kind'], string> = {
  concept: 'Concept',
  citation: 'Work',
  chunk: 'Passage',
  question: 'Question',
  answer: 'Answer',
  document: 'Document',
  heading: 'Heading',
};

/** How a link reads from its beginning, and from its end. */
export const linkNames: Record<GraphEdge['kind'], readonly [from: string, to: string]> = {
  contains: ['contains', 'stands in'],
  mentions: ['mentions', 'mentioned by'],
  cites: ['cites', 'cited by'],
  'asked-from': ['asked about', 'asked in'],
  'retrieved-for': ['was found for', 'was shown'],
  answers: ['answers', 'answered by'],
  supports: ['supports', 'supported by'],
  accepted: ['accepted into', 'accepted from'],
};

export function linksWords(links: number): string {
  return links === 1 ? '1 link' : `${links.toLocaleString('en')} links`;
}

export function nodeWords({ kind, label, links, documents }: ShownNode): string {
  const where =
    documents === undefined ? '' : `, in ${documents === 1 ? '1 document' : `${documents} documents`}`;
  return `${kindNames[kind]}: ${label}, ${linksWords(links)}${where}`;
}

/** What is drawn of how much. */
export function countWords({ nodes, matching, total }: GraphSelection): string {
  const count = (value: number): string => value.toLocaleString('en');
  if (total.nodes === 0)
    return 'The graph is empty: it grows with the index of your notes and with what you accept.';
  if (nodes.length === 0) return 'Nothing fits.';
  const of = matching > nodes.length ? ` of ${count(matching)} that fit` : '';
  return `${count(nodes.length)} nodes${of}, ${count(total.nodes)} in all`;
}
