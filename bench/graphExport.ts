// Export of a large graph: memory and time, with a store that makes its rows as they are read, so that what is
// measured is the reading and writing alone.
//   node bench/graphExport.ts [--edges=1000000] [--write]
import { exportFormats, exportGraph, openGraph } from '../server/src/graph/index.ts';
import type { GraphRows, ReadableGraph, StoredEdge, StoredNode } from '../server/src/graph/index.ts';
import { numberOption, report } from './measure.ts';
import { seededRandom } from './retrieval/metrics.ts';

const edgesWanted = numberOption('edges', 1_000_000);
const chunksPerDocument = 10;
const mentionsPerChunk = 9;
const edgesPerDocument = chunksPerDocument * (1 + mentionsPerChunk);
const never = new AbortController().signal;

/** One document's rows: chunks, each with mentions of concepts that others mention too, the frequent ones most. */
function rowsOf(document: number, concepts: number): GraphRows {
  const random = seededRandom(document);
  const path = `notes/folder-${document % 97}/note-${document}.md`;
  const owner = `document:${path}`;
  const common = { owner, weight: 1, strong: true, alias: null };
  const nodes = new Map<string, StoredNode>([
    [owner, { id: owner, kind: 'document', label: path, ...common }],
  ]);
  const edges: StoredEdge[] = [];
  for (let chunk = 0; chunk < chunksPerDocument; chunk += 1) {
    const id = `chunk:${document.toString(16).padStart(16, '0')}${chunk.toString(16).padStart(16, '0')}`;
    nodes.set(id, {
      id,
      kind: 'chunk',
      label: `The beginning of chunk ${chunk} of note ${document} …`,
      ...common,
    });
    const evidence = [{ source: path, start: chunk * 800, end: chunk * 800 + 800 }];
    edges.push({ owner, from: owner, to: id, kind: 'contains', evidence, count: 1 });
    const first = Math.floor(random() ** 3 * concepts);
    for (let mention = 0; mention < mentionsPerChunk; mention += 1) {
      const label = `concept number ${(first + mention * 37) % concepts}`;
      const to = `concept:${label}`;
      nodes.set(to, { id: to, kind: 'concept', label, ...common });
      edges.push({ owner, from: id, to, kind: 'mentions', evidence, count: 1 });
    }
  }
  return { nodes: [...nodes.values()], edges };
}

function storeOf(documents: number): ReadableGraph {
  return {
    async *readAll() {
      for (let document = 0; document < documents; document += 1) {
        await Promise.resolve();
        yield rowsOf(document, documents);
      }
    },
  };
}

const documents = Math.ceil(edgesWanted / edgesPerDocument);
const formats: Record<string, { megabytes: number; seconds: number; peakMegabytes: number }> = {};
for (const format of exportFormats) {
  const before = performance.now();
  let bytes = 0;
  let peak = 0;
  for await (const piece of exportGraph(await openGraph(storeOf(documents), never), format)) {
    bytes += Buffer.byteLength(piece);
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - before) / 1000;
  formats[format] = { megabytes: bytes / 1e6, seconds, peakMegabytes: peak / 1e6 };
}
await report('graphExport', {
  documents,
  edges: documents * edgesPerDocument,
  goal: 'peak memory below 1,000 MB at 1,000,000 edges',
  formats,
});
