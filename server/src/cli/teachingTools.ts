// What the commands of self-teaching share: the corpus, the model as teacher and as student, the embedder, and room
// for the writer's own work.
import { constants, setPriority } from 'node:os';
import { createEmbedder, createEngine, createShelf, promptsFolder } from '../composition.ts';
import type { Engine } from '../engine/index.ts';
import type { Library } from '../library/index.ts';
import type { Settings } from '../protocol/index.ts';
import type { PromptSet } from '../reasoning/index.ts';
import { noAdapter } from '../training/index.ts';
import type { DatasetPorts } from '../teaching/index.ts';
import { workspaceCorpus, workspacePrompts } from '../workflow/index.ts';
import { engineOptions, logged, settingsOf, withLibrary, type Context } from './context.ts';

export interface TeachingTools {
  readonly root: string;
  readonly settings: Settings;
  readonly prompts: PromptSet;
  readonly library: Library;
  /** Runs `work` with the model as student with this adapter (an id or a path; null: none) and what data needs. */
  withPorts<T>(
    adapter: string | null,
    judges: boolean,
    work: (ports: DatasetPorts, student: Engine) => Promise<T>,
  ): Promise<T>;
}

/** Runs `work` with the library of a workspace open. Nobody waits for this process: it is to be polite. */
export async function withTeachingTools<T>(
  root: string,
  context: Context,
  work: (tools: TeachingTools) => Promise<T>,
): Promise<T> {
  const settings = settingsOf(context.options);
  const prompts = await workspacePrompts(promptsFolder(), root, settings['reasoning.promptSet']);
  lowerPriority(context);
  return await withLibrary(context, root, settings, (library) =>
    work({
      ...{ root, settings, prompts, library },
      withPorts: (adapter, judges, use) =>
        withPorts({ root, settings, prompts, library, context }, adapter, judges, use),
    }),
  );
}

/** Helper processes take it over. What the system refuses is no reason to do nothing. */
function lowerPriority(context: Context): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch (error) {
    logged(context, `The priority stays as it is: ${String(error)}`);
  }
}

interface Parts {
  readonly root: string;
  readonly settings: Settings;
  readonly prompts: PromptSet;
  readonly library: Library;
  readonly context: Context;
}

async function withPorts<T>(
  { root, settings, prompts, library, context }: Parts,
  adapter: string | null,
  judges: boolean,
  use: (ports: DatasetPorts, student: Engine) => Promise<T>,
): Promise<T> {
  const { home, compute } = context;
  const shelf = createShelf(home);
  // Without the budget: this is no work that somebody waits for, and must not be taken for it.
  const { compute: _budget, ...options } = engineOptions(context);
  const shared = { ...options, shelf };
  const student = createEngine(settings, home, { ...shared, adapter: adapter ?? noAdapter });
  // What has the passages in view is written by the model as it was: an adapter could only repeat itself.
  const teacher =
    adapter === null ? student : createEngine(settings, home, { ...shared, adapter: noAdapter });
  const embedder = createEmbedder(settings, home, { onLog: options.onLog });
  const { 'reasoning.criticTemperature': temperature } = settings;
  try {
    return await use(
      {
        ...{ teacher, student, now: Date.now },
        corpus: workspaceCorpus(library, root, settings['preferences.record']),
        embed: (texts, signal) => embedder.embed(texts, 'passage', signal),
        judging: judges ? { critic: teacher, prompts, seed: 0, temperature } : null,
        giveWay: async (signal) => void (await compute.background(signal)),
      },
      student,
    );
  } finally {
    if (teacher !== student) await teacher.dispose();
    await student.dispose();
    await embedder.dispose();
    await shelf.dispose();
  }
}
