// What is known of a note's runs, finished and unfinished: preflexor/runs, run, unfinishedRun, deleteRun.
import type { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import type {
  deleteRunRequest,
  runRequest,
  runsRequest,
  SectionRating,
  unfinishedRunRequest,
} from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import type { Stores } from '../workflow/index.ts';
import type { Notes } from './documents.ts';

export interface HistoryParts {
  readonly notes: Notes;
  readonly stores: Stores;
  /** Whether a run goes on now: its record is being written, and it is not over. */
  readonly isRunning: (run: string) => boolean;
}

type Answer<M extends { params: z.ZodType; result: z.ZodType }> = (
  params: z.infer<M['params']>,
) => Promise<z.infer<M['result']>>;

export interface History {
  'preflexor/runs': Answer<typeof runsRequest>;
  'preflexor/run': Answer<typeof runRequest>;
  'preflexor/unfinishedRun': Answer<typeof unfinishedRunRequest>;
  'preflexor/deleteRun': Answer<typeof deleteRunRequest>;
}

export function createHistory({ notes, stores, isRunning }: HistoryParts): History {
  const runsOf = async (uri: string) => stores.runs((await notes.note(uri)).root);

  /** The last one of each section. A ledger that can't be read costs the ratings, not the run. */
  async function ratingsOf(root: string, run: string): Promise<SectionRating[]> {
    const { records } = await (await stores.ledger(root)).read();
    const last = new Map<string, SectionRating>();
    for (const record of records) {
      if (record.run !== run || record.kind !== 'rate' || !record.rating) continue;
      const { iteration, rating } = record;
      last.set(`${iteration}/${rating.segment}`, { iteration, ...rating });
    }
    return [...last.values()];
  }

  return {
    'preflexor/runs': async ({ textDocument: { uri } }) => {
      if (!uri.startsWith('file:')) return { runs: [], unfinished: [] };
      const { root, file } = await notes.note(uri);
      const path = relativeNotePath(root, file);
      const ledger = await stores.ledger(root);
      const store = stores.runs(root);
      const [runs, unfinished, decided] = await Promise.all([
        store.list(path),
        store.unfinished(path),
        ledger.lastDecisions(),
      ]);
      // A run that was finished and could not be taken from the unfinished ones is finished.
      const finished = new Set(runs.map(({ id }) => id));
      return {
        runs: runs.map((run) => ({ ...run, decision: decided.get(run.block)?.kind ?? null })),
        unfinished: unfinished
          .filter(({ id }) => !finished.has(id) && !isRunning(id))
          .map(({ id, block, time, task, steps }) => {
            return { id, block, time, question: task.question, steps: steps.length };
          }),
      };
    },
    'preflexor/run': async ({ textDocument: { uri }, run: id }) => {
      const { root } = await notes.note(uri);
      const run = await stores.runs(root).load(id);
      return { run, ratings: await ratingsOf(root, id).catch(() => []) };
    },
    'preflexor/unfinishedRun': async ({ textDocument: { uri }, run }) => ({
      run: await (await runsOf(uri)).loadUnfinished(run),
    }),
    'preflexor/deleteRun': async ({ textDocument: { uri }, run }) => {
      if (isRunning(run)) {
        throw new PreflexorError('bad-input', 'This run still goes on.', { remedy: 'Stop it first.' });
      }
      const store = await runsOf(uri);
      const deleted = [await store.remove(run), await store.removeUnfinished(run)];
      return { deleted: deleted.includes(true) };
    },
  };
}
