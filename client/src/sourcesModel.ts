// What the Sources view shows, as a tree of plain nodes: the passages behind a run, those related to the paragraph
// under the cursor, and the index. Pure; every text in it is plain text.
import type { z } from 'zod';
import type {
  FailedFile,
  IndexStatus,
  LocatedPassage,
  Passage,
  relatedRequest,
  SectionSources,
  sourcesRequest,
} from '../../server/src/protocol/index.ts';
import { stateInWords } from './indexBoard.ts';

export type RunSources = z.infer<typeof sourcesRequest.result>;
export type RelatedPassages = z.infer<typeof relatedRequest.result>;

export interface SourceNode {
  /** The same for the same thing, so that the view keeps what is open. */
  readonly id: string;
  readonly kind: 'group' | 'passage' | 'page' | 'file' | 'note';
  readonly label: string;
  readonly description: string;
  /** Plain text; empty: the label says it all. */
  readonly tooltip: string;
  /** A codicon's name. */
  readonly icon: string;
  readonly open: boolean;
  readonly children: readonly SourceNode[];
  /** What a click shows. */
  readonly passage: LocatedPassage | null;
  /** A file of the folder: its absolute path. */
  readonly path: string | null;
}

export interface SourcesContent {
  /** Of the run that is shown; null: none is, or nothing is known of it. */
  readonly run: RunSources | null;
  /** null: not asked for, as the cursor is in no note. */
  readonly related: RelatedPassages | null;
  readonly indexes: readonly IndexStatus[];
}

const longestTooltip = 1200;
/** Held against where a run's passages have no threshold of their own. */
const usualThreshold = 0.3;

const sectionNames = { thinking: 'Thinking', reflection: 'Reflection', answer: 'Suggestion' } as const;

/** The whole tree; empty where there is nothing to show, so that the view's welcome is seen. */
export function sourceNodes({ run, related, indexes }: SourcesContent): SourceNode[] {
  const indexed = indexes.filter(
    ({ state, files, failed }) => state !== 'off' && (state !== 'idle' || files > 0 || failed.length > 0),
  );
  return [
    ...(run ? runNodes(run) : []),
    ...(related?.paragraph && indexed.length > 0 ? [relatedNode(related)] : []),
    ...indexed.map((status) => indexNode(status, indexed.length > 1)),
  ];
}

function runNodes(run: RunSources): SourceNode[] {
  const several = new Set(run.sections.map(({ iteration }) => iteration)).size > 1;
  const unknown = run.unknownCitations.map((key) =>
    node({
      id: `unknown ${key}`,
      kind: 'note',
      label: `Unknown citation: ${key}`,
      description: 'made up by the model',
      tooltip: 'No bibliography of this folder knows this work. It is marked in the suggestion.',
      icon: 'warning',
    }),
  );
  if (run.passages.length === 0) return unknown;
  const sections = run.sections.map((section) => sectionNode(run, section, several));
  const shown = node({
    id: `${run.run} shown`,
    label: 'Shown to the Model',
    description: String(run.passages.length),
    icon: 'library',
    children: run.passages.map((passage) =>
      passageNode(`${run.run} shown`, passage, closeness(passage.scores?.vector ?? null, usualThreshold)),
    ),
  });
  return [...unknown, ...sections, shown];
}

function sectionNode(
  run: RunSources,
  { iteration, kind, passages }: SectionSources,
  several: boolean,
): SourceNode {
  const id = `${run.run} ${iteration} ${kind}`;
  const children = passages.flatMap(({ id: wanted, support, sentence }) => {
    const passage = run.passages.find((one) => one.id === wanted);
    return passage
      ? [passageNode(id, passage, closeness(support, usualThreshold), `Behind: “${sentence}”`)]
      : [];
  });
  const name = sectionNames[kind];
  return node({
    id,
    label: several ? `${name} · Iteration ${iteration}` : name,
    description: children.length === 0 ? 'no passage behind it' : '',
    icon: 'comment',
    open: true,
    children,
  });
}

function relatedNode({ passages, threshold }: RelatedPassages): SourceNode {
  return node({
    id: 'related',
    label: 'Related to This Paragraph',
    description: passages.length === 0 ? 'nothing relevant in your notes' : '',
    icon: 'search',
    open: true,
    children: passages.map((passage) =>
      passageNode('related', passage, closeness(passage.scores?.vector ?? null, threshold)),
    ),
  });
}

function indexNode(status: IndexStatus, several: boolean): SourceNode {
  const { root, failed, message, embedder, state } = status;
  const facts = [message, embedder === null ? null : `Embedded by ${embedder}`].filter(
    (fact) => fact !== null,
  );
  return node({
    id: `index ${root}`,
    label: several ? `Index of ${baseName(root)}` : 'Index',
    description: [stateInWords(status), failed.length > 0 ? `${failed.length} not read` : '']
      .filter((part) => part !== '')
      .join(' · '),
    tooltip: facts.join('\n'),
    icon: state === 'failed' ? 'error' : state === 'paused' ? 'debug-pause' : 'database',
    children: failed.map((file) => failedNode(root, file)),
  });
}

function failedNode(root: string, { path, reason }: FailedFile): SourceNode {
  return node({
    id: `failed ${root} ${path}`,
    kind: 'file',
    label: path,
    description: reason,
    tooltip: `${path}\n${reason}`,
    icon: 'warning',
    path: `${root.replace(/[/\\]$/, '')}/${path}`,
  });
}

function passageNode(parent: string, passage: LocatedPassage, words: string, behind?: string): SourceNode {
  const { id, page, uri, readable, text, citekey } = passage;
  const isPdf = page !== null;
  const told = readable ?? text;
  const tooltip = [
    fullPlace(passage),
    ...(citekey === undefined ? [] : [`@${citekey}`]),
    ...(behind === undefined ? [] : [behind]),
    '',
    told.length > longestTooltip ? `${told.slice(0, longestTooltip)}…` : told,
    ...(uri === null ? ['', 'Its file is not in this folder.'] : []),
  ];
  return node({
    id: `${parent} ${id}`,
    kind: isPdf ? 'page' : 'passage',
    label: shortPlace(passage),
    description: [folderOf(passage.source), words].filter((part) => part !== '').join(' · '),
    tooltip: tooltip.join('\n'),
    icon: isPdf ? 'file-pdf' : 'quote',
    passage,
  });
}

/** `alloys.md › Grain size`, `hall1951.pdf › page 3`. */
export function shortPlace({ source, heading, page }: Pick<Passage, 'source' | 'heading' | 'page'>): string {
  const inner = page === null ? heading.at(-1) : `page ${page}`;
  return inner === undefined ? baseName(source) : `${baseName(source)} › ${inner}`;
}

function fullPlace({ source, heading, page }: LocatedPassage): string {
  return page === null ? [source, ...heading].join(' › ') : `${source}, page ${page}`;
}

/**
 * A cosine similarity in words. What counts as close depends on the embedder, so it is held against the threshold
 * that was calibrated for it.
 * @param similarity null: it was found by its words only
 */
export function closeness(similarity: number | null, threshold: number): string {
  if (similarity === null) return 'same words';
  const share = (similarity - threshold) / Math.max(1 - threshold, 1e-6);
  if (share >= 0.5) return 'very close';
  if (share >= 0.25) return 'close';
  return share >= 0 ? 'related' : 'loosely related';
}

/** Papers are often called the same: their folders tell them apart. Empty at the top. */
function folderOf(source: string): string {
  return source.slice(0, Math.max(0, source.lastIndexOf('/')));
}

function baseName(path: string): string {
  return /[^/\\]+(?=[/\\]?$)/.exec(path)?.[0] ?? path;
}

function node(given: Partial<SourceNode> & Pick<SourceNode, 'id' | 'label'>): SourceNode {
  return {
    kind: 'group',
    description: '',
    tooltip: '',
    icon: 'circle-outline',
    open: false,
    children: [],
    passage: null,
    path: null,
    ...given,
  };
}
