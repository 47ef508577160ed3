// Forgetting what is known of one note, or all: ledger, runs, imported pairs, index, graph and caches; adapters that
// were trained on it are marked. Says what was removed where, and what it can't reach.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { sentence, throwIfCancelled } from '../errors.ts';
import { ExportRegister, ImportedPairs, notePathHash, type ForgetRule } from '../preferences/index.ts';
import type { AdapterRecord, Forgotten } from '../protocol/index.ts';
import { homePlaces, workspaceKey, workspacePlaces } from '../state/index.ts';
import { forgetTeaching } from './forgetTeaching.ts';
import type { Stores } from './stores.ts';

/** Index and graph of the workspace. */
export interface ForgettingLibrary {
  forget(
    root: string,
    what: { readonly paths: readonly string[]; readonly owners: readonly string[] } | 'all',
    signal: AbortSignal,
  ): Promise<{ readonly documents: number; readonly owners: number }>;
}

export interface ForgettingAdapters {
  list(): Promise<readonly { readonly record: AdapterRecord }[]>;
  markForgotten(id: string): Promise<unknown>;
}

export interface ForgetRequest {
  readonly root: string;
  readonly home: string;
  /** The note's path in the workspace; null: all. */
  readonly note: string | null;
}

/**
 * Forgets. What fails on the way is told in `remaining`, and the rest goes on; done again, it does what is left.
 * @throws PreflexorError `cancelled`
 */
export async function forget(
  request: ForgetRequest,
  ports: {
    readonly stores: Stores;
    readonly library: ForgettingLibrary | null;
    readonly adapters: ForgettingAdapters;
  },
  signal: AbortSignal,
): Promise<Forgotten> {
  const { root, note } = request;
  const remaining: string[] = [];
  const tryTo = async <T>(what: string, otherwise: T, work: () => Promise<T>): Promise<T> => {
    throwIfCancelled(signal);
    try {
      return await work();
    } catch (error) {
      throwIfCancelled(signal);
      remaining.push(`${what} could not be done. ${sentence(error)}`);
      return otherwise;
    }
  };
  const none = { records: [] as readonly string[], damaged: 0, unreadable: 0 };
  const { rule, names, runs, unfinished } = await whatIsKnown(request, ports.stores);
  const ledger = await tryTo('Forgetting the ledger’s lines', none, async () =>
    (await ports.stores.ledger(root)).forget(rule),
  );
  const store = ports.stores.runs(root);
  const removedRuns = await tryTo('Removing the stored runs', 0, () =>
    removed(runs, (id) => store.remove(id)),
  );
  const removedUnfinished = await tryTo('Removing unfinished runs', 0, () =>
    removed(unfinished, (id) => store.removeUnfinished(id)),
  );
  const damagedRuns = note === null ? await tryTo('Removing damaged runs', 0, () => emptyRuns(root)) : 0;
  const imported = await tryTo('Removing imported pairs', 0, () =>
    new ImportedPairs(root).removeWhere(
      ({ note: own, entries }) =>
        note === null || own?.path === note || entries.some((entry) => ledger.records.includes(entry)),
      signal,
    ),
  );
  const owners = [...runs, ...unfinished].map((id) => `run:${id}`);
  owners.push(...ledger.records.map((id) => `decision:${id}`));
  const wanted = note === null ? 'all' : { paths: [note], owners: [...owners, `document:${note}`] };
  const indexed = await tryTo('Forgetting index and graph', { documents: 0, owners: 0 }, async () =>
    ports.library ? await ports.library.forget(root, wanted, signal) : { documents: 0, owners: 0 },
  );
  const noAdapters = { marked: [] as string[], unknown: [] as string[] };
  const adapters = await tryTo('Marking adapters', noAdapters, () =>
    markAdapters(request, names, ports.adapters),
  );
  const teaching = await tryTo('Forgetting what self-teaching made of it', 0, () =>
    forgetTeaching(root, note === null ? null : names, signal),
  );
  const caches = await tryTo('Removing caches', 0, () => removeCaches(request));
  remaining.push(...whatStays(note, ledger.unreadable, indexed.documents, adapters));
  return {
    note,
    removed: {
      ...{ ledger: ledger.records.length, damagedLines: ledger.damaged },
      ...{ runs: removedRuns + damagedRuns, unfinished: removedUnfinished, imported },
      ...{ documents: indexed.documents, graph: indexed.owners, teaching, caches },
    },
    ...{ adapters, remaining },
  };
}

/** The note's runs and blocks, also those from when it had another name, and those names. */
async function whatIsKnown(
  { root, note }: ForgetRequest,
  stores: Stores,
): Promise<{ rule: ForgetRule; names: ReadonlySet<string>; runs: string[]; unfinished: string[] }> {
  const store = stores.runs(root);
  const [runs, unfinished] = [await store.list(), await store.unfinished()];
  if (note === null) {
    return {
      rule: { kind: 'all' },
      names: new Set(),
      runs: runs.map(({ id }) => id),
      unfinished: unfinished.map(({ id }) => id),
    };
  }
  const { records } = await (await stores.ledger(root)).read();
  const blocks = new Set([
    ...records
      .filter((record) => record.kind !== 'forget' && record.note.path === note)
      .map(({ block }) => block),
    ...runs.filter(({ notePath }) => notePath === note).map(({ block }) => block),
    ...unfinished.filter((run) => run.note.path === note).map(({ block }) => block),
  ]);
  const names = new Set([
    note,
    ...records.filter(({ block }) => blocks.has(block)).map((record) => record.note.path),
    ...runs.filter(({ block }) => blocks.has(block)).map(({ notePath }) => notePath),
  ]);
  return {
    rule: { kind: 'note', path: note, blocks },
    names,
    runs: runs.filter(({ notePath, block }) => notePath === note || blocks.has(block)).map(({ id }) => id),
    unfinished: unfinished
      .filter((run) => run.note.path === note || blocks.has(run.block))
      .map(({ id }) => id),
  };
}

async function removed(ids: readonly string[], remove: (id: string) => Promise<boolean>): Promise<number> {
  let count = 0;
  for (const id of ids) if (await remove(id)) count += 1;
  return count;
}

/** Files in the runs folder that could not be read as runs, and what killed processes left there. */
async function emptyRuns(root: string): Promise<number> {
  const folder = workspacePlaces(root).runs;
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(json|tmp)$/.test(name));
  for (const name of names) await rm(path.join(folder, name), { force: true });
  return names.filter((name) => name.endsWith('.json')).length;
}

/** Summaries of runs, and vectors: a vector of a text says much of what the text said. Both are made again. */
async function removeCaches({ root, home }: ForgetRequest): Promise<number> {
  const folder = path.join(homePlaces(home).cache, await workspaceKey(root));
  const here = (await readdir(folder).catch(() => [])).filter(
    (name) => name === 'runs.json' || name === 'vectors',
  );
  for (const name of here) await rm(path.join(folder, name), { recursive: true, force: true });
  return here.length;
}

/** Adapters whose pairs file is one that this note's pairs were exported to; and those of unknown files. */
async function markAdapters(
  { root, home, note }: ForgetRequest,
  names: ReadonlySet<string>,
  adapters: ForgettingAdapters,
): Promise<{ marked: string[]; unknown: string[] }> {
  const key = await workspaceKey(root);
  const exported = new Map((await new ExportRegister(home).list()).map((entry) => [entry.sha256, entry]));
  const wanted = new Set([...names].map(notePathHash));
  const marked: string[] = [];
  const unknown: string[] = [];
  for (const { record } of await adapters.list()) {
    if (record.origin.kind !== 'trained') {
      unknown.push(record.id);
      continue;
    }
    const { pairs, heldout, anchor } = record.origin.run;
    const files = [pairs, ...(heldout ? [heldout] : [])].map(({ sha256 }) => exported.get(sha256));
    const about = files.some(
      (file) => file?.workspace === key && (note === null || file.notes.some((hash) => wanted.has(hash))),
    );
    const heldTo =
      anchor?.workspace === key && anchor.texts.some(({ file }) => note === null || names.has(file));
    if (about || heldTo) {
      await adapters.markForgotten(record.id);
      marked.push(record.id);
    } else if (!exported.has(pairs.sha256)) unknown.push(record.id);
  }
  return { marked, unknown };
}

function whatStays(
  note: string | null,
  unreadable: number,
  documents: number,
  adapters: Forgotten['adapters'],
): string[] {
  const what = note === null ? 'The notes themselves stay' : `The note ${note} itself stays`;
  const { marked, unknown } = adapters;
  return [
    `${what}, with the annotations in ${note === null ? 'them' : 'it'}: \`preflexor strip\` takes those out.`,
    ...(documents > 0
      ? [
          'The next indexing reads it again, unless .preflexorignore excludes it; old versions of the index are pruned by then.',
        ]
      : []),
    'Copies that are out of reach: the history of git, backups, other devices until they synchronise, files that you exported, folders of training runs elsewhere, journals of experiments that asked about it (.preflexor/eval).',
    ...(unreadable > 0
      ? [`${unreadable} lines of the ledger can’t be read and do not name the note; they stay.`]
      : []),
    ...(marked.length > 0
      ? [
          `Weights can’t be made to forget: ${marked.join(', ')} were trained on it and are marked; \`preflexor adapters use base\` takes them out of use.`,
        ]
      : []),
    ...(unknown.length > 0 ? [`What ${unknown.join(', ')} were trained on is not known here.`] : []),
  ];
}
