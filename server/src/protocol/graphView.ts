// The knowledge graph as the Graph view asks for it: never the whole of a large one at once. Shared by the server's
// methods and the view's own messages.
import { z } from 'zod';
import { GraphEdge, GraphNode } from './retrieval.ts';

/** More than this is never sent or drawn at once. */
export const mostGraphNodes = 5000;

/** Which part of the graph is wanted. Without `near` it is what is linked most. */
export const GraphWish = z.object({
  /** The surroundings of these nodes. */
  near: z.array(z.string().max(1000)).max(100).optional(),
  /** How many links away, with `near` or a position. */
  depth: z.int().min(1).max(3).optional(),
  /** Only nodes whose label has all of these words, and what they are linked with. */
  text: z.string().max(1000).optional(),
  /** Only what this note says, by its path in the folder. */
  note: z.string().max(1000).optional(),
  kinds: z.array(GraphNode.shape.kind).optional(),
  limit: z.int().min(1).max(mostGraphNodes),
});
export type GraphWish = z.infer<typeof GraphWish>;

export const ShownNode = GraphNode.extend({
  /** Links in the whole graph. */
  links: z.int().nonnegative(),
});
export type ShownNode = z.infer<typeof ShownNode>;

export const ShownEdge = GraphEdge.omit({ evidence: true });
export type ShownEdge = z.infer<typeof ShownEdge>;

export const GraphSelection = z.object({
  folder: z.string(),
  /** Those nearest to what was asked for come first, then those that are linked most. */
  nodes: z.array(ShownNode).max(mostGraphNodes),
  edges: z.array(ShownEdge),
  /** The nodes that were asked for, or found. */
  found: z.array(z.string()),
  /** How many nodes would fit if there were no limit. */
  matching: z.int().nonnegative(),
  /** Of the whole graph. */
  total: z.object({ nodes: z.int().nonnegative(), edges: z.int().nonnegative() }),
  /** Paths of documents in the graph, as many as a list shows. */
  notes: z.array(z.string()),
});
export type GraphSelection = z.infer<typeof GraphSelection>;

/** A place where a link can be read. */
export const EvidencePlace = z.object({
  from: z.string(),
  to: z.string(),
  kind: GraphEdge.shape.kind,
  /** The label of the node at the other end. */
  other: z.string(),
  source: z.string(),
  /** null: it is no file, or it does not lie in the folder. */
  uri: z.string().nullable(),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  /** The words there; empty where the file is no text. */
  text: z.string(),
});
export type EvidencePlace = z.infer<typeof EvidencePlace>;

export const GraphToView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('graph'), query: z.int().nonnegative(), graph: GraphSelection }),
  z.object({ type: z.literal('evidence'), node: z.string(), places: z.array(EvidencePlace) }),
  /** The cursor rests in another paragraph. */
  z.object({ type: z.literal('cursor') }),
  z.object({ type: z.literal('said'), message: z.string() }),
]);
export type GraphToView = z.infer<typeof GraphToView>;

export const GraphFromView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({
    type: z.literal('didAsk'),
    query: z.int().nonnegative(),
    wish: GraphWish,
    /** Near what the paragraph under the cursor says. */
    aroundCursor: z.boolean(),
  }),
  z.object({ type: z.literal('didAskEvidence'), node: z.string().max(1000) }),
  /** Open the place: by its number among those that came for this node. */
  z.object({ type: z.literal('didPressPlace'), node: z.string().max(1000), place: z.int().nonnegative() }),
  z.object({ type: z.literal('didFail'), message: z.string().max(4000) }),
]);
export type GraphFromView = z.infer<typeof GraphFromView>;
