// The Training view's requests: which runs a folder has, one run's curves, and the pairs that went in. Whoever asks
// asks again while a run goes on: its files are written by another process.
import path from 'node:path';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import type {
  trainingPairRequest,
  trainingPairsRequest,
  trainingRunRequest,
  trainingRunsRequest,
} from '../protocol/index.ts';
import { systemCode } from '../state/index.ts';
import { trainedPairs, TrainingRuns } from '../teaching/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { placeOf } from './pairs.ts';
import { rootsMeant } from './passages.ts';
import { signalOf } from './reasoning.ts';

/** So many of its first words find a pair on the board. */
const searchedWords = 8;

export interface TrainingRunsHandlers {
  'preflexor/trainingRuns': Answer<typeof trainingRunsRequest>;
  'preflexor/trainingRun': Answer<typeof trainingRunRequest>;
  'preflexor/trainingPairs': Answer<typeof trainingPairsRequest>;
  'preflexor/trainingPair': Answer<typeof trainingPairRequest>;
}

export function createTrainingRuns({
  notes,
  now,
}: {
  readonly notes: Notes;
  readonly now: () => number;
}): TrainingRunsHandlers {
  const known = new Map<string, TrainingRuns>();

  async function meant(uri: string | undefined): Promise<{ root: string; runs: TrainingRuns }> {
    const [root = ''] = await rootsMeant(notes, uri);
    const runs = known.get(root) ?? new TrainingRuns({ root, now, isAlive });
    known.set(root, runs);
    return { root, runs };
  }

  return {
    'preflexor/trainingRuns': async ({ textDocument }, token) => {
      const { root, runs } = await meant(textDocument?.uri);
      return { folder: path.basename(root), runs: await runs.list(signalOf(token)) };
    },
    'preflexor/trainingRun': async ({ textDocument, run, known: cursors = [] }, token) => {
      const { runs } = await meant(textDocument?.uri);
      return await runs.detail(run, cursors, signalOf(token));
    },
    'preflexor/trainingPairs': async ({ textDocument, run, part, offset, limit }, token) => {
      const { runs } = await meant(textDocument?.uri);
      const pairs = await trainedPairs(await runs.pairsFiles(run, part, signalOf(token)), signalOf(token));
      const rows = pairs.slice(offset, offset + limit).map(({ row }) => row);
      return { matching: pairs.length, offset, rows };
    },
    'preflexor/trainingPair': async ({ textDocument, run, part, line }, token) => {
      const signal = signalOf(token);
      const { root, runs } = await meant(textDocument?.uri);
      const pairs = await trainedPairs(await runs.pairsFiles(run, part, signal), signal);
      throwIfCancelled(signal);
      const pair = pairs.find(({ row }) => row.line === line);
      if (!pair)
        throw new PreflexorError('bad-input', 'This pair is no longer in the file that was trained on.');
      const isOwn = pair.meta !== null && pair.meta.signal !== 'generated';
      return {
        board: isOwn ? pair.chosen.split(/\s+/).slice(0, searchedWords).join(' ') : null,
        place: pair.meta && (await placeOf(notes, root, pair.meta, null)),
      };
    },
  };
}

/** A process of another user is there too. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
