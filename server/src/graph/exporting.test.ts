import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOMParser, onErrorStopParsing, type Document } from '@xmldom/xmldom';
import fc from 'fast-check';
import { Graph, type GraphEdge, type GraphNode } from '../protocol/index.ts';
import { exportGraph, nameToken } from './exporting.ts';
import type { GraphReading } from './reading.ts';

function reading(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphReading {
  return { nodes: () => stream(nodes), edges: () => stream(edges) };
}

async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

async function text(graph: GraphReading, format: 'json' | 'graphml'): Promise<string> {
  let whole = '';
  for await (const piece of exportGraph(graph, format)) whole += piece;
  return whole;
}

const evidence = [{ source: 'a <b> & "c".md', start: 1, end: 4 }];
const nodes: GraphNode[] = [
  { id: 'document:notes/a b.md', kind: 'document', label: 'A & B <script>alert(1)</script>' },
  {
    id: 'concept:korngröße',
    kind: 'concept',
    label: 'Korngröße\u0000\u001b[31m \ud800 \u{1f600}',
    documents: 2,
  },
];
const edges: GraphEdge[] = [
  { from: 'document:notes/a b.md', to: 'concept:korngröße', kind: 'mentions', evidence, count: 12 },
];

/** Throws at the first thing that is no well-formed XML. */
function parse(xml: string): Document {
  return new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, 'text/xml');
}

interface Parsed {
  readonly nodes: Map<string, Record<string, string>>;
  readonly edges: { source: string; target: string; data: Record<string, string> }[];
  readonly keys: Map<string, string>;
}

function parsed(xml: string): Parsed {
  const document = parse(xml);
  const all = (name: string) => [...document.getElementsByTagName(name)];
  const keys = new Map(all('key').map((key) => [key.getAttribute('id')!, key.getAttribute('attr.name')!]));
  const dataOf = (element: ReturnType<typeof all>[number]) =>
    Object.fromEntries(
      [...element.getElementsByTagName('data')].map((data) => [
        keys.get(data.getAttribute('key')!)!,
        data.textContent!,
      ]),
    );
  return {
    keys,
    nodes: new Map(all('node').map((node) => [node.getAttribute('id')!, dataOf(node)])),
    edges: all('edge').map((edge) => ({
      source: edge.getAttribute('source')!,
      target: edge.getAttribute('target')!,
      data: dataOf(edge),
    })),
  };
}

test('given a graph, when it is exported as JSON, then the protocol decodes it to the same graph', async () => {
  const decoded = Graph.parse(JSON.parse(await text(reading(nodes, edges), 'json')));
  assert.deepEqual(decoded, { nodes, edges });
});

test('given an empty graph, when it is exported, then both formats hold an empty graph', async () => {
  assert.deepEqual(JSON.parse(await text(reading([], []), 'json')), { nodes: [], edges: [] });
  assert.equal(parsed(await text(reading([], []), 'graphml')).nodes.size, 0);
});

test('given a graph, when it is exported as GraphML and parsed, then nodes and edges are there with their data', async () => {
  const found = parsed(await text(reading(nodes, edges), 'graphml'));
  const [first] = [...found.nodes.values()];
  assert.deepEqual(first, { id: nodes[0]!.id, kind: 'document', label: nodes[0]!.label });
  const [edge] = found.edges;
  assert.deepEqual(edge?.data, { kind: 'mentions', count: '12', evidence: JSON.stringify(evidence) });
  assert.ok(found.nodes.has(edge.source) && found.nodes.has(edge.target));
});

test('given characters that XML forbids, when a label is exported, then they are replaced and the rest stays', async () => {
  const found = parsed(await text(reading(nodes, []), 'graphml'));
  assert.equal([...found.nodes.values()][1]?.['label'], 'Korngröße\u{fffd}\u{fffd}[31m \u{fffd} \u{1f600}');
});

test('given any texts, when they are exported as GraphML, then it is well-formed, keys are declared, ids are name tokens', async () => {
  const anything = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anything, { minLength: 2, maxLength: 6 }),
      anything,
      async (ids, label) => {
        const all = ids.map((id): GraphNode => ({ id, kind: 'chunk', label }));
        const some = ids.slice(1).map((to): GraphEdge => ({
          from: ids[0]!,
          to,
          kind: 'cites',
          evidence: [{ source: label, start: 0, end: 1 }],
          count: 1,
        }));
        const found = parsed(await text(reading(all, some), 'graphml'));
        assert.equal(found.nodes.size, ids.length);
        assert.equal(found.edges.length, ids.length - 1);
        for (const [id, data] of found.nodes) {
          assert.match(id, /^[\p{L}\p{N}.:_-]+$/u);
          assert.ok(!('undefined' in data));
        }
        for (const { source, target } of found.edges)
          assert.ok(found.nodes.has(source) && found.nodes.has(target));
      },
    ),
    { numRuns: 300 },
  );
});

test('given two different ids, when they become name tokens, then they stay different', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
      assert.equal(nameToken(one) === nameToken(other), one === other);
    }),
  );
  assert.notEqual(nameToken('a_20_b'), nameToken('a b'));
});

test('given a graph much larger than a piece, when it is exported, then no piece holds much of it', async () => {
  const many = Array.from({ length: 20_000 }, (_none, index): GraphNode => ({
    ...nodes[0]!,
    id: `document:${index}`,
  }));
  for (const format of ['json', 'graphml'] as const) {
    let longest = 0;
    let whole = 0;
    for await (const piece of exportGraph(reading(many, edges), format)) {
      longest = Math.max(longest, piece.length);
      whole += piece.length;
    }
    assert.ok(whole > 1_500_000 && longest < 70_000, `${longest} of ${whole}`);
  }
});
