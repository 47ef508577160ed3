// preflexor/adapters, useAdapter, rollBackAdapter, compareAdapters, judgeComparison: which adapter the model runs with,
// and the blind comparison by which a writer chooses.
import { randomBytes } from 'node:crypto';
import type { Connection } from 'vscode-languageserver/node';
import type { Engine, FoundModel, ModelStore } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import type {
  adaptersRequest,
  AdaptersState,
  compareAdaptersRequest,
  judgeComparisonRequest,
  rollBackAdapterRequest,
  Run,
  Settings,
  useAdapterRequest,
} from '../protocol/index.ts';
import { noAdapter, type AdapterShelf, type StoredAdapter } from '../training/index.ts';
import {
  comparisonEntry,
  reasonUnkept,
  recordDecision,
  type Note,
  type RunQueue,
  type Services,
} from '../workflow/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { signalOf } from './reasoning.ts';
import type { SettingsSource } from './settings.ts';

export interface AdapterParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly queue: RunQueue;
  readonly settings: SettingsSource;
  readonly models: ModelStore;
  readonly shelf: AdapterShelf;
  readonly services: Omit<Services, 'model' | 'critic'>;
  /** The engine with what is in use. */
  readonly engineInUse: () => Promise<Engine>;
  /** Another one with this adapter (or `base`), for one answer. */
  readonly createEngine: (settings: Settings, adapter: string) => Engine;
  /** The writer decided on this adapter. */
  readonly answered: (adapter: string) => Promise<void>;
}

export interface Adapters {
  readonly handlers: {
    'preflexor/adapters': Answer<typeof adaptersRequest>;
    'preflexor/useAdapter': Answer<typeof useAdapterRequest>;
    'preflexor/rollBackAdapter': Answer<typeof rollBackAdapterRequest>;
    'preflexor/compareAdapters': Answer<typeof compareAdaptersRequest>;
    'preflexor/judgeComparison': Answer<typeof judgeComparisonRequest>;
  };
}

/** An answer with whose it is. */
interface Answered {
  readonly run: Run;
  readonly adapter: string | null;
}

interface Comparison {
  readonly uri: string;
  readonly first: Answered;
  readonly second: Answered;
}

/** Comparisons that are waited on; older ones can't be judged any more. */
const mostComparisons = 20;

export function createAdapters(parts: AdapterParts): Adapters {
  const { notes, settings: source, shelf, services, queue } = parts;
  const { registry } = shelf;
  const comparisons = new Map<string, Comparison>();

  async function modelInUse(): Promise<FoundModel> {
    const settings = await source.for();
    if (settings['engine.url'] !== '')
      throw new PreflexorError('bad-input', 'The model runs on a server, which has adapters of its own.', {
        remedy: 'Setting preflexor.engine.urlAdapter names one of them.',
      });
    return await parts.models.findModel(settings.model, { signal: new AbortController().signal });
  }

  async function state(model: FoundModel): Promise<AdaptersState> {
    const { sha256 } = model.identity;
    const stored = await registry.list();
    const active = await registry.activeFor(sha256);
    const before = await registry.beforeFor(sha256);
    return {
      ...{ model: model.identity, active, problem: await problemOf(model, stored, active) },
      ...(before !== undefined && { before }),
      adapters: stored.map(({ record }) => ({
        ...{ id: record.id, created: record.created, base: record.base },
        ...{ fits: record.base.sha256 === sha256, active: record.id === active, origin: originOf(record) },
        heldout: record.origin.kind === 'trained' ? record.origin.heldout : null,
        verdict: record.verdict ? { offered: record.verdict.offered, why: record.verdict.why } : null,
        forgotten: record.forgotten !== undefined,
      })),
    };
  }

  /** A model file that was swapped takes no adapter of the one before it along. */
  async function problemOf(
    { identity }: FoundModel,
    stored: readonly StoredAdapter[],
    active: string | null,
  ): Promise<string | null> {
    if (active !== null) return null;
    const inUse = new Set(Object.values(await registry.inUse()));
    const lost = stored.find(
      ({ record: { id, base } }) =>
        inUse.has(id) && base.id === identity.id && base.sha256 !== identity.sha256,
    );
    if (!lost) return null;
    const { id, base } = lost.record;
    return (
      `The adapter ${id} was made for another file of ${base.id} (sha256 ${base.sha256.slice(0, 12)}) than the one ` +
      `that is there now (${identity.sha256.slice(0, 12)}), and is not used with it. Get the file that it belongs ` +
      'to back, or teach this one.'
    );
  }

  async function compare(
    note: Note,
    model: FoundModel,
    offset: number,
    adapter: string | null,
    seed: number,
    stop: AbortSignal,
  ): Promise<readonly [Answered, Answered]> {
    const active = await registry.activeFor(model.identity.sha256);
    if (adapter === active)
      throw new PreflexorError('bad-input', 'That is what is in use.', {
        remedy: 'Choose another adapter to compare it with.',
      });
    // Of another model, it is refused before anything is computed.
    if (adapter !== null) await shelf.choose(adapter, model);
    const settings = { ...(await source.for()), 'reasoning.scoring': false };
    const answer = async (engine: Engine, whose: string | null): Promise<Answered> => {
      const request = { offset, seed, iterations: 0 };
      const all = { ...services, model: engine, critic: engine };
      return { run: await reasonUnkept(note, request, settings, all, { cancel: stop }), adapter: whose };
    };
    const present = await answer(await parts.engineInUse(), active);
    const engine = parts.createEngine(settings, adapter ?? noAdapter);
    try {
      return [present, await answer(engine, adapter)];
    } finally {
      await engine.dispose();
    }
  }

  function keep(uri: string, [one, other]: readonly [Answered, Answered]): string {
    const id = randomBytes(16).toString('hex');
    const [first, second] = services.random() < 0.5 ? [one, other] : [other, one];
    comparisons.set(id, { uri, first, second });
    const oldest = [...comparisons.keys()][0];
    if (comparisons.size > mostComparisons && oldest !== undefined) comparisons.delete(oldest);
    return id;
  }

  return {
    handlers: {
      'preflexor/adapters': async () => await state(await modelInUse()),
      'preflexor/useAdapter': async ({ adapter }) => {
        const model = await modelInUse();
        if (adapter === null) await registry.useNone(model.identity.sha256);
        else {
          await shelf.choose((await registry.get(adapter)).record.id, model);
          await registry.use(adapter);
          await parts.answered(adapter);
        }
        return await state(model);
      },
      'preflexor/rollBackAdapter': async () => {
        const model = await modelInUse();
        await registry.rollBack(model.identity.sha256);
        return await state(model);
      },
      'preflexor/compareAdapters': async (params, token) => {
        const { uri } = params.textDocument;
        const { adapter, workDoneToken, position } = params;
        const seed = params.seed ?? Math.floor(services.random() * 2 ** 31);
        const offset = notes.document(uri).offsetAt(position);
        const note = await notes.note(uri);
        const model = await modelInUse();
        const progress = parts.connection.window.attachWorkDoneProgress(workDoneToken);
        progress.begin('Comparing', 0, 'Two answers to this paragraph', true);
        try {
          const about = { uri, paragraph: '', start: offset, priority: 'paragraph' } as const;
          const both = await queue.add(about, signalOf(token), (stop) =>
            compare(note, model, offset, adapter, seed, stop),
          );
          const id = keep(uri, both);
          const { first, second } = comparisons.get(id) ?? { first: both[0], second: both[1] };
          return { id, question: first.run.question, first: first.run.final, second: second.run.final };
        } finally {
          progress.done();
        }
      },
      'preflexor/judgeComparison': async ({ comparison: id, better }) => {
        const comparison = comparisons.get(id);
        if (!comparison)
          throw new PreflexorError(
            'bad-input',
            'This comparison is judged already, or is not known any more.',
            {
              remedy: 'Compare again.',
            },
          );
        comparisons.delete(id);
        const { uri, first, second } = comparison;
        const revealed = { first: first.adapter, second: second.adapter };
        if (better === 'neither') return { ...revealed, recorded: false, warning: null };
        const [preferred, other] = better === 'first' ? [first, second] : [second, first];
        const note = await notes.note(uri);
        const settings = await source.for(uri);
        const entry = await comparisonEntry(note, preferred.run, other.run, settings, services.random);
        if (!entry) return { ...revealed, recorded: false, warning: null };
        const { warning } = await recordDecision(services.stores, note.root, entry);
        return { ...revealed, recorded: true, warning };
      },
    },
  };
}

function originOf({ origin }: StoredAdapter['record']): string {
  if (origin.kind === 'imported') return `imported from ${origin.from}`;
  const { phase, loss } = origin.run.parameters;
  const what = phase === null ? loss : `phase ${phase === 1 ? 'I' : 'II'}`;
  return `${what}, ${origin.steps} steps on ${origin.run.pairs.records} pairs`;
}
