// What the editor's door needs of retrieval: one port, implemented in the composition root.
// It says nothing of models, stores or readers, and knows paths only relative to a workspace folder.
import type { IndexedAnswer, IndexStatus, Run, SectionSources } from '../protocol/index.ts';
import type { Bibliography, IndexedFolder } from '../library/index.ts';
import type { GraphStore } from '../graph/index.ts';
import type { ForgettingLibrary, Grounding, Learner } from '../workflow/index.ts';

export type { Bibliography, IndexedFolder } from '../library/index.ts';
export type { BibliographyEntry } from '../retrieval/readers/index.ts';

/**
 * Roots are absolute paths of workspace folders, paths are relative to them with forward slashes. A root that is
 * not among the folders is answered as well as can be: nothing is found there, its index is `off`, its
 * bibliographies are read all the same.
 */
export interface Retrieval extends Grounding, Learner, ForgettingLibrary {
  /**
   * The folders that are open now; it takes the place of what was said before, and is cheap when nothing changed.
   * Indexing of those whose settings want it begins by itself, and stops for those that are gone.
   */
  setFolders(folders: readonly IndexedFolder[]): void;
  /** Which of the run's passages stand behind each of its sections. @throws PreflexorError as `search` */
  sources(root: string, run: Run, signal: AbortSignal): Promise<readonly SectionSources[]>;
  /** Vectors of texts that are no part of the index, in their order. @throws PreflexorError `no-model`, `cancelled` */
  embed(root: string, texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
  status(root: string): IndexStatus;
  /** Hears every change of a status. @returns a function that ends the listening */
  onStatus(hear: (status: IndexStatus) => void): () => void;
  /**
   * Brings the index up to date, or makes it anew beside the old one. Resolves when it is done or was paused.
   * Aborting stops this pass; what is done stays done.
   * @throws PreflexorError `cancelled`, `no-model`, `index-failed`
   */
  index(root: string, options: { readonly rebuild: boolean }, signal: AbortSignal): Promise<void>;
  /** Stops at the next file and stays so, also when files change, until `resume`. */
  pause(root: string): Promise<void>;
  resume(root: string): Promise<void>;
  /** Why a file is in the index or is not. */
  explain(root: string, path: string, signal: AbortSignal): Promise<IndexedAnswer>;
  /** The bibliographies of a folder as they are on disk now, remembered while they do not change. */
  bibliographies(root: string, signal: AbortSignal): Promise<readonly Bibliography[]>;
  /** The knowledge graph of a folder. @throws PreflexorError as its store does */
  graph(root: string): Promise<GraphStore>;
  /** Files that were made, changed or removed. */
  changed(root: string, paths: readonly string[]): void;
  dispose(): Promise<void>;
}
