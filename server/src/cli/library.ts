// What the commands of index and graph need of the library, opened for one workspace.
import path from 'node:path';
import { relativeNotePath, workspaceOf } from '../state/index.ts';
import { libraryOf, settingsOf, withLibrary } from './context.ts';
import type { WithGraphStore } from './graph.ts';
import type { OpenRetrievalOf } from './indexing.ts';

/** The index of a workspace folder. */
export const openRetrieval: OpenRetrievalOf = (root, context) => {
  const library = libraryOf(context, root, settingsOf(context.options));
  return Promise.resolve({
    index: (paths, onStep, signal) => library.indexOnce(root, paths, onStep, signal),
    explain: async (file, signal) => {
      const inside = path.isAbsolute(file) ? relativeNotePath(root, file) : file;
      return await library.explain(root, inside, signal);
    },
    close: () => library.dispose(),
  });
};

/** The graph of the workspace that the context names, else of the current folder. */
export const withGraphStore: WithGraphStore = async (context, work) => {
  const { workspace } = context.options;
  const root = await workspaceOf({ home: context.home, ...(workspace !== undefined && { workspace }) });
  return await withLibrary(context, root, settingsOf(context.options), async (library) =>
    work(await library.graph(root)),
  );
};
