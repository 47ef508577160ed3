// preflexor graph export: the whole graph as JSON or GraphML, on stdout or into a file.
import path from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import {
  exportGraph,
  openGraph,
  type ExportFormat,
  type GraphReading,
  type ReadableGraph,
} from '../graph/index.ts';
import type { GraphEdge, GraphNode } from '../protocol/index.ts';
import { systemCode, writeDurably } from '../state/index.ts';
import type { Context } from './context.ts';

export interface GraphExportOptions {
  readonly format: ExportFormat;
  /** A file; left out: stdout. */
  readonly out?: string;
}

/** Gives `work` the graph of the workspace that the context names, and closes it afterwards. */
export type WithGraphStore = <T>(context: Context, work: (store: ReadableGraph) => Promise<T>) => Promise<T>;

/**
 * Writes the graph. On stdout it is the graph alone, whether or not `--json` was said; with `--out` the file appears
 * once it is whole, and `{file, format, nodes, edges}` is the result.
 * @throws PreflexorError `bad-input` for GraphML on a stdout that is to be JSON; what writing a file throws
 */
export async function graphExportCommand(
  options: GraphExportOptions,
  context: Context,
  withGraphStore: WithGraphStore,
  stdout: Writable = process.stdout,
): Promise<void> {
  const { format, out } = options;
  if (out === undefined && format === 'graphml' && context.output.json) {
    throw new PreflexorError('bad-input', 'With --json stdout holds JSON, and GraphML is XML.', {
      remedy: 'Leave --json out, or name a file with --out.',
    });
  }
  await withGraphStore(context, async (store) => {
    const { reading, counts } = counted(await openGraph(store, context.signal));
    const text = exportGraph(reading, format);
    if (out === undefined) {
      await toStdout(text, stdout);
      throwIfCancelled(context.signal);
      return;
    }
    const file = path.resolve(out);
    await writeDurably(file, text);
    const result = { file, format, ...counts };
    context.output.result(result, `${counts.nodes} nodes and ${counts.edges} edges are in ${file}.`);
  });
}

async function toStdout(text: AsyncIterable<string>, stdout: Writable): Promise<void> {
  try {
    await pipeline(Readable.from(text), stdout, { end: false });
  } catch (error) {
    // Whoever reads has read enough: `| head`.
    if (systemCode(error) !== 'EPIPE') throw error;
  }
}

/** The same reading, counting what goes through. */
function counted(graph: GraphReading): { reading: GraphReading; counts: { nodes: number; edges: number } } {
  const counts = { nodes: 0, edges: 0 };
  async function* nodes(): AsyncGenerator<GraphNode> {
    for await (const node of graph.nodes()) {
      counts.nodes += 1;
      yield node;
    }
  }
  async function* edges(): AsyncGenerator<GraphEdge> {
    for await (const edge of graph.edges()) {
      counts.edges += 1;
      yield edge;
    }
  }
  return { reading: { nodes, edges }, counts };
}
