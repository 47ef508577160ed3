// Where nodes are drawn: forces that pull linked ones together, worked out a little at a time so that nothing waits for
// it. Nodes that stay keep their places.
import {
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from 'd3-force';
import type { GraphSelection, ShownEdge, ShownNode } from '../../../server/src/protocol/index.ts';

export interface PlacedNode extends SimulationNodeDatum {
  readonly node: ShownNode;
  x: number;
  y: number;
}

export interface PlacedEdge extends SimulationLinkDatum<PlacedNode> {
  readonly edge: ShownEdge;
  source: PlacedNode;
  target: PlacedNode;
}

/** Work for one picture, in milliseconds, so that there is time left to draw and to listen. */
const workMs = 8;
/** Repulsion ends here, which makes large graphs quick. */
const farthest = 500;
const spacing = 12;

export class Layout {
  readonly nodes: PlacedNode[] = [];
  readonly edges: PlacedEdge[] = [];
  readonly byId = new Map<string, PlacedNode>();
  readonly #simulation: Simulation<PlacedNode, PlacedEdge>;

  /** @param before places that are kept */
  constructor(graph: Pick<GraphSelection, 'nodes' | 'edges'>, before: Layout | null) {
    let stayed = 0;
    for (const [index, node] of graph.nodes.entries()) {
      const known = before?.byId.get(node.id);
      if (known) stayed += 1;
      // In a sunflower: the first ones, which matter most, in the middle.
      const [radius, angle] = [spacing * Math.sqrt(index + 0.5), index * 2.399963];
      const placed: PlacedNode = {
        node,
        x: known?.x ?? radius * Math.cos(angle),
        y: known?.y ?? radius * Math.sin(angle),
      };
      this.nodes.push(placed);
      this.byId.set(node.id, placed);
    }
    for (const edge of graph.edges) {
      const [source, target] = [this.byId.get(edge.from), this.byId.get(edge.to)];
      if (source && target) this.edges.push({ edge, source, target });
    }
    this.#simulation = forceSimulation(this.nodes)
      .stop()
      .alpha(stayed === this.nodes.length ? 0.3 : 1)
      .alphaDecay(0.03)
      .force('links', forceLink<PlacedNode, PlacedEdge>(this.edges).distance(36))
      .force('apart', forceManyBody<PlacedNode>().strength(-40).theta(1.2).distanceMax(farthest))
      .force('x', forceX<PlacedNode>(0).strength(0.03))
      .force('y', forceY<PlacedNode>(0).strength(0.03));
  }

  /** Works for a moment. @returns whether there is more to do */
  work(now: () => number = performance.now.bind(performance)): boolean {
    const end = now() + workMs;
    do {
      if (this.isSettled) return false;
      this.#simulation.tick();
    } while (now() < end);
    return !this.isSettled;
  }

  get isSettled(): boolean {
    return this.#simulation.alpha() < this.#simulation.alphaMin();
  }
}
