// Commands, declared once: the block in package.json is generated from here and compared in a test.

export interface CommandDeclaration {
  readonly title: string;
  /** A codicon's name. */
  readonly icon?: string;
  /** When the command palette shows it: a when-clause, or `false` for never. */
  readonly palette?: string | false;
  readonly enablement?: string;
  readonly key?: { readonly key: string; readonly mac: string; readonly when: string };
  /** Shown in the editor's context menu under this when-clause. */
  readonly editorMenu?: string;
  /** A button in the title of the Iterations view, under this when-clause. */
  readonly viewTitle?: string;
  /** Further menus that show it. */
  readonly menus?: readonly MenuPlace[];
}

export interface MenuPlace {
  readonly menu: 'view/title' | 'explorer/context';
  readonly when: string;
  readonly group: string;
}

/** What shows the passages behind a run and the index. */
export const sourcesView = 'preflexor.sources';
/** What counts preference pairs and leads to the curation board. */
export const pairsView = 'preflexor.pairs';
/** The context key that holds the index's state: none, off, empty, idle, busy, paused or failed. */
export const indexContext = 'preflexor.index';

const inSources = (when: string, group: string): MenuPlace => {
  return { menu: 'view/title', when: `view == ${sourcesView}${when && ` && ${when}`}`, group };
};
const indexable = `${indexContext} != none && ${indexContext} != off`;

const inMarkdown = 'editorLangId == markdown';

/** Commands of the VS Code client. */
export const clientCommands = {
  'preflexor.reason': {
    title: 'Reason About This Paragraph',
    icon: 'sparkle',
    palette: inMarkdown,
    key: {
      key: 'ctrl+alt+r',
      // cmd+alt+r is "Toggle Regex" of the find widget.
      mac: 'ctrl+alt+r',
      when: `editorTextFocus && ${inMarkdown}`,
    },
    editorMenu: inMarkdown,
    viewTitle: `${inMarkdown} && !preflexor.working`,
  },
  'preflexor.ask': {
    title: 'Ask a Question About This Paragraph',
    icon: 'question',
    palette: inMarkdown,
    editorMenu: inMarkdown,
  },
  'preflexor.accept': { title: 'Accept Suggestion', icon: 'check', palette: inMarkdown },
  'preflexor.acceptEdited': { title: 'Accept My Edit of the Suggestion', icon: 'edit', palette: inMarkdown },
  'preflexor.reject': { title: 'Reject Suggestion', icon: 'close', palette: inMarkdown },
  'preflexor.regenerate': { title: 'Regenerate Suggestion', icon: 'refresh', palette: inMarkdown },
  'preflexor.compare': {
    title: 'Compare Suggestion With Paragraph',
    icon: 'compare-changes',
    palette: inMarkdown,
  },
  'preflexor.strip': {
    title: 'Remove All Annotations From This Note',
    icon: 'clear-all',
    palette: inMarkdown,
  },
  'preflexor.stop': { title: 'Stop', icon: 'debug-stop', viewTitle: 'preflexor.working' },
  'preflexor.chooseModel': { title: 'Choose Model', icon: 'server-environment' },
  'preflexor.addModel': { title: 'Use a GGUF File That I Have', icon: 'folder-opened' },
  'preflexor.setKey': { title: 'Set Key of the Model Server', icon: 'key' },
  'preflexor.unload': { title: 'Unload Model', icon: 'circle-slash' },
  'preflexor.showMenu': { title: 'Show Model and Run State', icon: 'info' },
  'preflexor.showIterations': { title: 'Show Iterations', icon: 'list-tree' },
  'preflexor.searchPassages': {
    title: 'Search My Notes and Papers',
    icon: 'search',
    menus: [inSources('', 'navigation@1')],
  },
  'preflexor.showSources': { title: 'Show Sources', icon: 'references' },
  'preflexor.openPassage': { title: 'Open Passage', icon: 'go-to-file', palette: false },
  'preflexor.pauseIndexing': {
    title: 'Pause Indexing',
    icon: 'debug-pause',
    palette: `${indexContext} == busy`,
    menus: [inSources(`${indexContext} == busy`, 'navigation@2')],
  },
  'preflexor.resumeIndexing': {
    title: 'Resume Indexing',
    icon: 'debug-continue',
    palette: `${indexContext} == paused`,
    menus: [inSources(`${indexContext} == paused`, 'navigation@2')],
  },
  'preflexor.indexNow': {
    title: 'Index Now',
    icon: 'sync',
    palette: indexable,
    menus: [inSources(indexable, '1_index@1')],
  },
  'preflexor.rebuildIndex': {
    title: 'Rebuild Index',
    icon: 'refresh',
    palette: indexable,
    menus: [inSources(indexable, '1_index@2')],
  },
  'preflexor.whyNotIndexed': {
    title: 'Why Is This File Not Indexed?',
    icon: 'question',
    palette: 'resourceScheme == file',
    menus: [
      {
        menu: 'explorer/context',
        when: 'resourceScheme == file && !explorerResourceIsFolder',
        group: '7_preflexor',
      },
    ],
  },
  'preflexor.showPairs': {
    title: 'Curate Preference Pairs',
    icon: 'checklist',
    menus: [{ menu: 'view/title', when: `view == ${pairsView}`, group: 'navigation@1' }],
  },
  'preflexor.showPairsOf': { title: 'Show These Preference Pairs', icon: 'list-flat', palette: false },
  'preflexor.pauseRecording': {
    title: 'Pause Recording of Decisions',
    icon: 'debug-pause',
    palette: 'config.preflexor.preferences.record',
  },
  'preflexor.resumeRecording': {
    title: 'Resume Recording of Decisions',
    icon: 'debug-continue',
    palette: '!config.preflexor.preferences.record',
  },
  'preflexor.showStored': { title: 'Show What Is Stored Where', icon: 'shield' },
  'preflexor.showLog': { title: 'Show Log', icon: 'output' },
} as const satisfies Record<string, CommandDeclaration>;
export type ClientCommand = keyof typeof clientCommands;

/**
 * Commands that the server executes (`workspace/executeCommand`): what code lenses and code actions carry,
 * so that any editor can run them. Arguments: one object, see docs/lsp-extensions.md.
 */
export const serverCommands = {
  reason: 'preflexor.paragraph.reason',
  accept: 'preflexor.block.accept',
  acceptEdited: 'preflexor.block.acceptEdited',
  reject: 'preflexor.block.reject',
  regenerate: 'preflexor.block.regenerate',
  compare: 'preflexor.block.compare',
} as const;
export type ServerCommand = (typeof serverCommands)[keyof typeof serverCommands];
