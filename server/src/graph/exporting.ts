// Writes a graph as text, piece by piece: what is held is one piece, however large the graph is.
import type { GraphEdge, GraphNode } from '../protocol/index.ts';
import type { GraphReading } from './reading.ts';

export const exportFormats = ['json', 'graphml'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Pieces are about so many UTF-16 units long. */
const pieceLength = 1 << 16;

/** The whole graph in the format asked for. @throws PreflexorError `cancelled`; whatever the reading throws */
export function exportGraph(graph: GraphReading, format: ExportFormat): AsyncGenerator<string> {
  return pieces(format === 'json' ? jsonLines(graph) : graphmlLines(graph));
}

async function* pieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** The `Graph` of the protocol, one node or edge on a line. */
async function* jsonLines(graph: GraphReading): AsyncGenerator<string> {
  yield '{"nodes":[';
  yield* jsonItems(graph.nodes());
  yield '\n],"edges":[';
  yield* jsonItems(graph.edges());
  yield '\n]}\n';
}

async function* jsonItems(items: AsyncIterable<GraphNode | GraphEdge>): AsyncGenerator<string> {
  let between = '\n';
  for await (const item of items) {
    yield between + JSON.stringify(item);
    between = ',\n';
  }
}

const graphmlHead = `<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
<key id="node_id" for="node" attr.name="id" attr.type="string"/>
<key id="node_kind" for="node" attr.name="kind" attr.type="string"/>
<key id="node_label" for="node" attr.name="label" attr.type="string"/>
<key id="node_documents" for="node" attr.name="documents" attr.type="int"/>
<key id="edge_kind" for="edge" attr.name="kind" attr.type="string"/>
<key id="edge_count" for="edge" attr.name="count" attr.type="int"/>
<key id="edge_evidence" for="edge" attr.name="evidence" attr.type="string"/>
<graph id="preflexor" edgedefault="directed">
`;

/** GraphML 1.0; evidence is JSON in one attribute, as GraphML has no lists. */
async function* graphmlLines(graph: GraphReading): AsyncGenerator<string> {
  yield graphmlHead;
  for await (const { id, kind, label, documents } of graph.nodes()) {
    const counted = documents === undefined ? '' : datum('node_documents', String(documents));
    const data = datum('node_id', id) + datum('node_kind', kind) + datum('node_label', label) + counted;
    yield `<node id="${nameToken(id)}">${data}</node>\n`;
  }
  for await (const { from, to, kind, evidence, count } of graph.edges()) {
    const data =
      datum('edge_kind', kind) +
      datum('edge_count', String(count)) +
      datum('edge_evidence', JSON.stringify(evidence));
    yield `<edge source="${nameToken(from)}" target="${nameToken(to)}">${data}</edge>\n`;
  }
  yield '</graph>\n</graphml>\n';
}

function datum(key: string, text: string): string {
  return `<data key="${key}">${xmlText(text)}</data>`;
}

/** Characters that XML 1.0 has no way to write become U+FFFD. */
function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** GraphML's ids are name tokens (xs:NMTOKEN): all else becomes `_` hexadecimal code point `_`, which is reversible. */
export function nameToken(id: string): string {
  return id.replace(/[^A-Za-z0-9.:-]/gu, (letter) => `_${(letter.codePointAt(0) ?? 0).toString(16)}_`);
}
