// What the commands of self-teaching share: the corpus, the model as teacher and as student, the embedder, and room
// for the writer's own work.
import { constants, setPriority } from 'node:os';
import { createEmbedder, createEngine, createShelf, promptsFolder } from '../composition.ts';
import type { Engine } from '../engine/index.ts';
import type { Library } from '../library/index.ts';
import type { DatasetSample, Settings } from '../protocol/index.ts';
import type { PromptSet } from '../reasoning/index.ts';
import { noAdapter } from '../training/index.ts';
import type { Corpus, DatasetPorts } from '../teaching/index.ts';
import { workspaceCorpus, workspacePrompts } from '../workflow/index.ts';
import { engineOptions, logged, settingsOf, withLibrary, type Context } from './context.ts';

/** Models for making data, open until they are closed. */
export interface OpenPorts {
  readonly ports: DatasetPorts;
  readonly student: Engine;
  close(): Promise<void>;
}

export interface TeachingTools {
  readonly root: string;
  readonly settings: Settings;
  readonly prompts: PromptSet;
  readonly library: Library;
  readonly corpus: Corpus;
  /** The model as student with this adapter (an id or a path; null: none), and what making data needs beside it. */
  open(adapter: string | null, judges: boolean): OpenPorts;
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
  return await withLibrary(context, root, settings, (library) => {
    const corpus = workspaceCorpus(library, root, settings['preferences.record']);
    const learn = (sample: DatasetSample) => library.learnSample(root, sample);
    const parts = { settings, prompts, corpus, learn, context };
    return work({
      ...{ root, settings, prompts, library, corpus },
      open: (adapter, judges) => openPorts(parts, adapter, judges),
    });
  });
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
  readonly settings: Settings;
  readonly prompts: PromptSet;
  readonly corpus: Corpus;
  readonly learn: DatasetPorts['learn'];
  readonly context: Context;
}

function openPorts(
  { settings, prompts, corpus, learn, context }: Parts,
  adapter: string | null,
  judges: boolean,
): OpenPorts {
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
  const temperature = settings['reasoning.criticTemperature'];
  return {
    student,
    ports: {
      ...{ corpus, teacher, student, learn, now: Date.now },
      embed: (texts, signal) => embedder.embed(texts, 'passage', signal),
      judging: judges ? { critic: teacher, prompts, seed: 0, temperature } : null,
      giveWay: async (signal) => {
        await compute.background(signal);
      },
    },
    close: async () => {
      if (teacher !== student) await teacher.dispose();
      await student.dispose();
      await embedder.dispose();
      await shelf.dispose();
    },
  };
}
