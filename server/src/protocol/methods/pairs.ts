// Preference pairs of a folder.
import { z } from 'zod';
import {
  CurationResult,
  PairChoice,
  PairCounts,
  PairDetail,
  PairFilter,
  PairOrder,
  PairPage,
} from '../board.ts';
import { Forgotten, PairsExport, PairsImport } from '../keeping.ts';
import { CurationAction } from '../ledger.ts';
import { PairFormat, PairId } from '../pairs.ts';
import { notification, ofFolder, request } from './kinds.ts';

/** Pairs of a folder, as many as a list shows at once. */
export const pairsRequest = request(
  'preflexor/pairs',
  z.object({
    ...ofFolder,
    filter: PairFilter.optional(),
    order: PairOrder.optional(),
    offset: z.int().nonnegative().optional(),
    limit: z.int().min(0).max(1000).optional(),
    /** Derive them anew: notes may have changed. Without it what was derived last is asked. */
    refresh: z.boolean().optional(),
  }),
  PairPage,
);

export const pairRequest = request('preflexor/pair', z.object({ ...ofFolder, pair: PairId }), PairDetail);

/** Changes pairs: one ledger entry each. */
export const curateRequest = request(
  'preflexor/curate',
  z.object({ ...ofFolder, pairs: PairChoice, action: CurationAction }),
  CurationResult,
);

/** Takes back the last change that is not taken back yet, by entries of its own. */
export const undoCurationRequest = request(
  'preflexor/undoCuration',
  z.object(ofFolder),
  CurationResult.extend({
    /** What was taken back; null: there was nothing. */
    undone: CurationAction.nullable(),
  }),
);

/** Writes the folder's pairs, as the writer left them, for another tool. */
export const exportPairsRequest = request(
  'preflexor/exportPairs',
  z.object({
    ...ofFolder,
    /** URI of the file, or of the folder where the format is one. */
    place: z.string().min(1),
    format: PairFormat,
    /** No column but those that the format has. */
    strict: z.boolean().optional(),
  }),
  PairsExport,
);

export const importPairsRequest = request(
  'preflexor/importPairs',
  z.object({ ...ofFolder, place: z.string().min(1) }),
  PairsImport,
);

/** Takes back what is known of a note, or of all notes of its folder. It cannot be undone. */
export const forgetRequest = request(
  'preflexor/forget',
  z.object({ ...ofFolder, all: z.boolean() }),
  Forgotten,
);

/** Decisions or curations changed a folder's pairs, or their checks are done. */
export const pairsNotification = notification(
  'preflexor/didChangePairs',
  z.object({ folder: z.string(), counts: PairCounts }),
);
