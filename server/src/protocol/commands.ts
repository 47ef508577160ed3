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
  readonly menu: 'view/title' | 'view/item/context' | 'explorer/context';
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
/** The context key that holds what teaching does: off, idle, busy, paused, held or failed. */
export const teachingContext = 'preflexor.teaching';
/** What shows the runs that wait. */
export const queueView = 'preflexor.queue';

const inQueue = (states: string, group: string): MenuPlace => {
  return { menu: 'view/item/context', when: `view == ${queueView} && viewItem =~ /^(${states})$/`, group };
};
const onQueue = (key: string, mac = key): NonNullable<CommandDeclaration['key']> => {
  return { key, mac, when: `focusedView == ${queueView}` };
};
const indexable = `${indexContext} != none && ${indexContext} != off`;

const inMarkdown = 'editorLangId == markdown';

/** The context key that holds whether a suggestion of the active note is under review. */
export const reviewContext = 'preflexor.reviewing';

const inReview = (key: string, mac = key, when = ''): Pick<CommandDeclaration, 'palette' | 'key'> => ({
  palette: reviewContext,
  key: { key, mac, when: `editorTextFocus && ${reviewContext}${when}` },
});
/** What else Escape is for comes first. */
const nothingElseOpen =
  ' && !findWidgetVisible && !suggestWidgetVisible && !editorHoverVisible && !editorHasMultipleSelections';

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
  'preflexor.reasonSection': {
    title: 'Reason About This Section',
    icon: 'list-ordered',
    palette: inMarkdown,
    editorMenu: inMarkdown,
  },
  'preflexor.reasonNote': {
    title: 'Reason About the Whole Note',
    icon: 'checklist',
    palette: inMarkdown,
    editorMenu: inMarkdown,
  },
  'preflexor.showQueue': { title: 'Show Queue', icon: 'list-ordered' },
  'preflexor.queueFirst': {
    title: 'Move to the Front',
    icon: 'arrow-circle-up',
    palette: false,
    menus: [inQueue('waiting|held', 'inline@1')],
  },
  'preflexor.queueUp': {
    title: 'Move Up',
    icon: 'arrow-up',
    palette: false,
    key: onQueue('alt+up'),
    menus: [inQueue('waiting|held', '1_order@1')],
  },
  'preflexor.queueDown': {
    title: 'Move Down',
    icon: 'arrow-down',
    palette: false,
    key: onQueue('alt+down'),
    menus: [inQueue('waiting|held', '1_order@2')],
  },
  'preflexor.queueRemove': {
    title: 'Cancel This Run',
    icon: 'close',
    palette: false,
    key: onQueue('delete', 'cmd+backspace'),
    menus: [inQueue('running|waiting|held', 'inline@2')],
  },
  'preflexor.queueReveal': { title: 'Show in the Note', icon: 'go-to-file', palette: false },
  'preflexor.accept': { title: 'Accept Suggestion', icon: 'check', palette: inMarkdown },
  'preflexor.review': {
    title: 'Review Suggestion Change by Change',
    icon: 'diff',
    palette: inMarkdown,
  },
  'preflexor.takeChange': { title: 'Take This Change', icon: 'check', ...inReview('alt+y') },
  'preflexor.leaveChange': { title: 'Leave This Change', icon: 'close', ...inReview('alt+n') },
  'preflexor.takeRest': { title: 'Take All Open Changes', icon: 'check-all', ...inReview('shift+alt+y') },
  'preflexor.leaveRest': { title: 'Leave All Open Changes', icon: 'close-all', ...inReview('shift+alt+n') },
  // The keys by which the editor goes to changes of a file.
  'preflexor.nextChange': { title: 'Go to Next Change', icon: 'arrow-down', ...inReview('alt+f5') },
  'preflexor.previousChange': {
    title: 'Go to Previous Change',
    icon: 'arrow-up',
    ...inReview('shift+alt+f5'),
  },
  'preflexor.applyChanges': {
    title: 'Apply the Changes That Were Taken',
    icon: 'pass',
    ...inReview('ctrl+enter', 'cmd+enter'),
  },
  'preflexor.giveUpReview': {
    title: 'Give Up the Review',
    icon: 'discard',
    ...inReview('escape', 'escape', nothingElseOpen),
  },
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
  'preflexor.stop': {
    title: 'Stop',
    icon: 'debug-stop',
    viewTitle: 'preflexor.working',
    menus: [{ menu: 'view/title', when: `view == ${queueView} && preflexor.working`, group: 'navigation@1' }],
  },
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
  'preflexor.showTraining': {
    title: 'Show Training Runs',
    icon: 'graph-line',
    menus: [{ menu: 'view/title', when: `view == ${pairsView}`, group: 'navigation@2' }],
  },
  'preflexor.showGraph': {
    title: 'Show Knowledge Graph',
    icon: 'type-hierarchy',
    menus: [inSources('', 'navigation@3')],
  },
  'preflexor.exportPairs': {
    title: 'Export Preference Pairs',
    icon: 'export',
    menus: [{ menu: 'view/title', when: `view == ${pairsView}`, group: '1_pairs@1' }],
  },
  'preflexor.importPairs': {
    title: 'Import Preference Pairs',
    icon: 'cloud-download',
    menus: [{ menu: 'view/title', when: `view == ${pairsView}`, group: '1_pairs@2' }],
  },
  'preflexor.forgetNote': {
    title: 'Forget What Is Known of This Note',
    icon: 'trash',
    palette: inMarkdown,
    menus: [
      {
        menu: 'explorer/context',
        when: 'resourceScheme == file && resourceLangId == markdown',
        group: '7_preflexor',
      },
    ],
  },
  'preflexor.forgetAll': { title: 'Forget Everything in This Folder', icon: 'trash' },
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
  'preflexor.teachNow': {
    title: 'Teach Now',
    icon: 'mortar-board',
    palette: `${teachingContext} == idle`,
  },
  'preflexor.pauseTeaching': {
    title: 'Pause Teaching',
    icon: 'debug-pause',
    palette: `${teachingContext} == busy`,
  },
  'preflexor.resumeTeaching': {
    title: 'Resume Teaching',
    icon: 'debug-continue',
    palette: `${teachingContext} =~ /^(paused|held|failed)$/`,
  },
  'preflexor.cancelTeaching': {
    title: 'Cancel Teaching',
    icon: 'debug-stop',
    palette: `${teachingContext} =~ /^(busy|paused|held|failed)$/`,
  },
  'preflexor.showTeaching': { title: 'Show What Teaching Does', icon: 'mortar-board' },
  'preflexor.adapters': { title: 'Adapters', icon: 'layers' },
  'preflexor.compareAdapters': {
    title: 'Compare Two Adapters Blindly on This Paragraph',
    icon: 'eye-closed',
    palette: inMarkdown,
  },
  'preflexor.rollBackAdapter': { title: 'Roll Back to the Adapter Before', icon: 'history' },
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
  reasonSection: 'preflexor.section.reason',
  reasonNote: 'preflexor.note.reason',
  accept: 'preflexor.block.accept',
  acceptEdited: 'preflexor.block.acceptEdited',
  reject: 'preflexor.block.reject',
  regenerate: 'preflexor.block.regenerate',
  compare: 'preflexor.block.compare',
  review: 'preflexor.block.review',
  reviewStep: 'preflexor.review.step',
} as const;
export type ServerCommand = (typeof serverCommands)[keyof typeof serverCommands];
