// preflexor forget: takes back what is known of one note, or all of it.
import path from 'node:path';
import { createShelf } from '../composition.ts';
import { PreflexorError } from '../errors.ts';
import type { Forgotten } from '../protocol/index.ts';
import { relativeNotePath, workspaceOf } from '../state/index.ts';
import { forget, Stores } from '../workflow/index.ts';
import { settingsOf, withLibrary, type Context } from './context.ts';

export interface ForgetOptions {
  readonly all?: boolean;
}

/** @param note a path; it need not exist any more. undefined with `--all` */
export async function forgetCommand(
  note: string | undefined,
  { all }: ForgetOptions,
  context: Context,
): Promise<void> {
  if ((note === undefined) === (all !== true)) {
    throw new PreflexorError('bad-input', 'Name a note, or say --all.', {
      remedy: 'Forgetting all takes back every decision and run of the workspace.',
    });
  }
  const { home, options, signal, output } = context;
  const { workspace } = options;
  const root = await workspaceOf({
    home,
    ...(workspace !== undefined && { workspace }),
    ...(note !== undefined && { note }),
  });
  const within = note === undefined ? null : relativeNotePath(root, path.resolve(note));
  const shelf = createShelf(home);
  const stores = new Stores(home, Date.now);
  const forgotten = await withLibrary(context, root, settingsOf(options), (library) =>
    forget({ root, home, note: within }, { stores, library, adapters: shelf.registry }, signal),
  );
  output.result(forgotten, readable(forgotten));
}

const names: readonly (readonly [keyof Forgotten['removed'], string])[] = [
  ['ledger', 'decisions in the ledger (tombstones without text stay)'],
  ['damagedLines', 'damaged lines of the ledger'],
  ['runs', 'runs'],
  ['unfinished', 'unfinished runs'],
  ['imported', 'imported pairs'],
  ['documents', 'documents in the index'],
  ['graph', 'parts of the graph'],
  ['teaching', 'runs of self-teaching and experiments (their reports stay)'],
  ['caches', 'caches'],
];

function readable({ note, removed, adapters, remaining }: Forgotten): string {
  const lines = names.map(([key, name]) => `  ${removed[key]} ${name}`);
  const { marked } = adapters;
  return [
    `Forgotten ${note ?? 'everything'}:`,
    ...lines,
    ...(marked.length > 0 ? [`Adapters marked: ${marked.join(', ')}.`] : []),
    ...remaining,
  ].join('\n');
}
