// Answers for the Graph view, out of the very selection that the server makes, over graphs in memory.
import type { Page } from 'playwright-core';
import { GraphIndex } from '../../server/src/graph/index.ts';
import {
  GraphFromView,
  type GraphEdge,
  type GraphNode,
  type GraphToView,
  type GraphWish,
} from '../../server/src/protocol/index.ts';

const mostPlaces = 100;

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  await Promise.resolve();
  yield* items;
}

function indexOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Promise<GraphIndex> {
  return GraphIndex.read(
    { nodes: () => each(nodes), edges: () => each(edges) },
    new AbortController().signal,
  );
}

/** Twelve notes with two passages each, which all mention a concept and each one of five others. */
export function small(): Promise<GraphIndex> {
  const concepts = ['grain boundary', 'dislocation', 'texture', 'hardening', 'slip', 'lattice'];
  const nodes: GraphNode[] = concepts.map((label) => {
    return { id: `concept:${label}`, kind: 'concept', label, documents: 12 };
  });
  const edges: GraphEdge[] = [];
  const link = (from: string, to: string, kind: GraphEdge['kind'], source: string): void => {
    edges.push({ from, to, kind, count: 1, evidence: [{ source, start: 4, end: 18 }] });
  };
  for (let note = 0; note < 12; note += 1) {
    const source = `note${note}.md`;
    nodes.push({ id: `document:${source}`, kind: 'document', label: `Note ${note}` });
    for (const number of [2 * note, 2 * note + 1]) {
      const chunk = `chunk:${number}`;
      nodes.push({ id: chunk, kind: 'chunk', label: `Passage ${number} of the <i>notes</i>` });
      link(`document:${source}`, chunk, 'contains', source);
      link(chunk, 'concept:grain boundary', 'mentions', source);
      link(chunk, `concept:${concepts[1 + (number % 5)] ?? ''}`, 'mentions', source);
    }
  }
  return indexOf(nodes, edges);
}

/** 20,000 concepts, each linked with three others. */
export function large(): Promise<GraphIndex> {
  const count = 20_000;
  const nodes = Array.from({ length: count }, (_, at): GraphNode => {
    return { id: `n${at}`, kind: 'concept', label: `n${at}`, documents: 1 };
  });
  const edges = nodes.flatMap(({ id }, at) =>
    [at >> 1, at >> 2, (at * 7 + 3) % count].map((to): GraphEdge => {
      return { from: id, to: `n${to}`, kind: 'mentions', count: 1, evidence: [] };
    }),
  );
  return indexOf(nodes, edges);
}

export class GraphDesk {
  readonly #index: GraphIndex;
  readonly wishes: GraphWish[] = [];
  /** How often it was asked for what is near the cursor. */
  aroundCursor = 0;
  #heard = 0;

  constructor(index: GraphIndex) {
    this.#index = index;
  }

  /** As the client tells it. */
  async moveCursor(page: Page): Promise<void> {
    await send(page, { type: 'cursor' });
  }

  /** Goes on until nobody has had anything to say for so long, in milliseconds. */
  async settle(page: Page, quietMs = 100): Promise<void> {
    const step = 20;
    for (let quiet = 0; quiet < quietMs; quiet += step) {
      const all = await page.evaluate(() => window.sentByView);
      const fresh = all.slice(this.#heard).map((sent) => GraphFromView.parse(sent));
      this.#heard = all.length;
      if (fresh.length > 0) quiet = 0;
      for (const message of fresh) {
        const answer = this.#answerTo(message);
        if (answer) await send(page, answer);
      }
      await page.waitForTimeout(step);
    }
  }

  #answerTo(message: GraphFromView): GraphToView | null {
    switch (message.type) {
      case 'didAsk': {
        const { query, wish, aroundCursor } = message;
        this.wishes.push(wish);
        if (aroundCursor) this.aroundCursor += 1;
        const near = aroundCursor ? this.#index.saidIn({ note: 'note3.md', start: 0, end: 9 }) : null;
        return { type: 'graph', query, graph: { folder: 'notes', ...this.#index.select(wish, near) } };
      }
      case 'didAskEvidence': {
        const places = this.#index.evidenceOf(message.node, mostPlaces).map(({ edge, other, place }) => {
          const { from, to, kind } = edge;
          const uri = `file:///notes/${place.source}`;
          return { from, to, kind, other, ...place, uri, text: 'the <b>grain</b> boundary' };
        });
        return { type: 'evidence', node: message.node, places };
      }
      default:
        return null;
    }
  }
}

async function send(page: Page, message: GraphToView): Promise<void> {
  await page.evaluate((sent) => {
    window.postMessage(sent, '*');
  }, message);
}
