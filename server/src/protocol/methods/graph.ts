// The knowledge graph.
import { z } from 'zod';
import { EvidencePlace, GraphSelection, GraphWish } from '../graphView.ts';
import { Position } from '../text.ts';
import { ofFolder, request } from './kinds.ts';

/** A part of the knowledge graph; with a position, what is near the paragraph there. */
export const graphRequest = request(
  'preflexor/graph',
  z.object({ ...ofFolder, position: Position.optional(), wish: GraphWish }),
  GraphSelection,
);

/** Where the links of a node can be read. */
export const graphEvidenceRequest = request(
  'preflexor/graphEvidence',
  z.object({ ...ofFolder, node: z.string().max(1000) }),
  z.object({ places: z.array(EvidencePlace) }),
);
