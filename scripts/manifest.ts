// What package.json contributes to VS Code, and docs/settings.md: worked out from the declarations of the
// protocol. Pure; generateManifest.ts writes and compares.
import { z } from 'zod';
import {
  clientCommands,
  indexContext,
  pairsView,
  queueView,
  serverCommands,
  settings,
  sourcesView,
  type CommandDeclaration,
  type MenuPlace,
  type SettingDeclaration,
} from '../server/src/protocol/index.ts';

const category = 'PRefLexOR';
const container = 'preflexor';
const iterationsView = 'preflexor.iterations';

const commands: readonly (readonly [string, CommandDeclaration])[] = Object.entries(clientCommands);

interface NamedSetting {
  readonly key: string;
  readonly declaration: SettingDeclaration;
}

/** Groups of the settings editor, in its order; each setting belongs to the first one that takes it. */
const groups: readonly { readonly title: string; readonly takes: (key: string) => boolean }[] = [
  { title: 'Model and Engine', takes: (key) => key === 'model' || key.startsWith('engine.') },
  { title: 'Reasoning', takes: (key) => key.startsWith('reasoning.') },
  {
    title: 'Notes and Papers',
    takes: (key) => key.startsWith('retrieval.') || key.startsWith('citations.'),
  },
  {
    title: 'Learning From Your Decisions',
    takes: (key) => ['preferences.', 'teaching.', 'adapters.'].some((begin) => key.startsWith(begin)),
  },
  { title: 'Annotations', takes: (key) => key.startsWith('annotations.') || key.startsWith('codeLens.') },
];

/** Settings by group. @throws Error for a setting that no group takes */
function grouped(): { readonly title: string; readonly members: readonly NamedSetting[] }[] {
  const members = Object.entries(settings).map(([key, declaration]) => {
    const group = groups.find(({ takes }) => takes(key));
    if (!group)
      throw new Error(
        `No group of the settings editor takes preflexor.${key}: name one in scripts/manifest.ts.`,
      );
    return { key, declaration, title: group.title };
  });
  return groups.map(({ title }) => ({ title, members: members.filter((member) => member.title === title) }));
}

/** The parts of package.json that are generated, by their keys, in the order in which they stand there. */
export function manifest(): Record<string, unknown> {
  const restricted = Object.entries(settings as Record<string, SettingDeclaration>)
    .filter(([, declaration]) => declaration.restricted)
    .map(([key]) => `preflexor.${key}`);
  return {
    icon: 'media/icon.png',
    categories: ['AI', 'Machine Learning', 'Other'],
    keywords: ['markdown', 'writing', 'reasoning', 'local model', 'gguf', 'llama.cpp', 'offline', 'notes'],
    extensionKind: ['workspace'],
    // Commands and views activate by themselves.
    activationEvents: ['onLanguage:markdown'],
    capabilities: {
      untrustedWorkspaces: {
        supported: 'limited',
        description:
          'In a folder that is not trusted, its own settings do not choose the model or what it runs on.',
        restrictedConfigurations: restricted,
      },
      virtualWorkspaces: {
        supported: 'limited',
        description: 'Notes that are not files on this machine are coloured and previewed only.',
      },
    },
    contributes: {
      commands: commands.map(([command, { title, icon, enablement }]) => {
        return {
          command,
          title,
          category,
          ...(icon && { icon: `$(${icon})` }),
          ...(enablement && { enablement }),
        };
      }),
      keybindings: commands.flatMap(([command, { key }]) => (key ? [{ command, ...key }] : [])),
      menus: menus(),
      configuration: configuration(),
      viewsContainers: { activitybar: [{ id: container, title: category, icon: 'media/preflexor.svg' }] },
      views: {
        // Heights beside one another, as long as nobody draws the borders elsewhere: a run needs most room.
        [container]: [
          view(iterationsView, 'Iterations', { type: 'webview', initialSize: 6 }),
          view(queueView, 'Queue', { visibility: 'collapsed', initialSize: 1 }),
          view(sourcesView, 'Sources', { initialSize: 3 }),
          view(pairsView, 'Preference Pairs', { initialSize: 2 }),
        ],
      },
      viewsWelcome: viewsWelcome(),
      walkthroughs: [walkthrough()],
      grammars: ['blocks', 'markers'].map((name) => ({
        scopeName: `markdown.preflexor.${name}`,
        path: `./syntaxes/preflexor-${name}.tmLanguage.json`,
        injectTo: ['text.html.markdown'],
      })),
      'markdown.markdownItPlugins': true,
      'markdown.previewStyles': ['./media/preview.css'],
    },
  };
}

function view(id: string, name: string, more: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { id, name, icon: 'media/preflexor.svg', contextualTitle: category, ...more };
}

/** What the views say while they are empty: one thing to do each. */
function viewsWelcome(): unknown[] {
  const welcome = (when: string, text: string, button: string, view: string = sourcesView) => {
    return { view, when, contents: `${text}\n${button}` };
  };
  return [
    {
      view: queueView,
      contents:
        'No paragraph waits for the model. Those of a section or of a whole note come here, and can be put in another order.\n[Reason About the Whole Note](command:preflexor.reasonNote)',
    },
    welcome(
      // Not by the index: until the server is up nothing is known of it.
      'workspaceFolderCount == 0',
      'Open the folder that your notes and papers are in, to see the passages behind each suggestion.',
      '[Open Folder](command:vscode.openFolder)',
    ),
    welcome(
      `${indexContext} == off`,
      'The notes and papers of this folder are not indexed: a setting switches that off.',
      '[Open Settings](command:workbench.action.openSettings?%5B%22preflexor.retrieval.enabled%22%5D)',
    ),
    welcome(
      `${indexContext} == empty`,
      'None of the notes and papers of this folder are indexed yet.',
      '[Index Now](command:preflexor.indexNow)',
    ),
    welcome(
      'true',
      'No preference pairs yet. They come of what you accept, edit, reject and pick.',
      '[What Is Stored Where](command:preflexor.showStored)',
      pairsView,
    ),
  ];
}

function menus(): Record<string, unknown[]> {
  const palette = commands.flatMap(([command, declaration]) =>
    declaration.palette === undefined ? [] : [{ command, when: String(declaration.palette) }],
  );
  const editor = commands
    .filter(([, { editorMenu }]) => editorMenu !== undefined)
    .map(([command, { editorMenu }], index) => ({
      command,
      when: editorMenu,
      group: `preflexor@${index + 1}`,
    }));
  const title = commands
    .filter(([, { viewTitle }]) => viewTitle !== undefined)
    .map(([command, { viewTitle }], index) => {
      return {
        command,
        when: `view == ${iterationsView} && ${viewTitle ?? ''}`,
        group: `navigation@${index + 1}`,
      };
    });
  const further = (menu: MenuPlace['menu']): unknown[] =>
    commands.flatMap(([command, declaration]) =>
      (declaration.menus ?? [])
        .filter((place) => place.menu === menu)
        .map(({ when, group }) => ({ command, when, group })),
    );
  return {
    commandPalette: palette,
    'editor/context': editor,
    'view/title': [...title, ...further('view/title')],
    'view/item/context': further('view/item/context'),
    'explorer/context': further('explorer/context'),
  };
}

function configuration(): unknown[] {
  let order = 0;
  return grouped().map(({ title, members }) => ({
    title,
    properties: Object.fromEntries(
      members.map(({ key, declaration }) => {
        order += 1;
        const { scope, fallback, description, enumDescriptions } = declaration;
        return [
          `preflexor.${key}`,
          {
            ...schemaOf(declaration),
            ...(enumDescriptions && { markdownEnumDescriptions: enumDescriptions }),
            default: fallback,
            scope,
            order,
            markdownDescription: description,
          },
        ];
      }),
    ),
  }));
}

function schemaOf({ schema }: SettingDeclaration): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function walkthrough(): unknown {
  const step = (
    id: string,
    title: string,
    description: string,
    altText: string,
    completionEvents: string[],
  ) => {
    return {
      id,
      title,
      description,
      media: { svg: `media/walkthrough/${id}.svg`, altText },
      completionEvents,
    };
  };
  return {
    id: 'start',
    title: 'Get Started with PRefLexOR',
    description:
      'A model on this machine thinks about your paragraphs, criticises itself, and makes a suggestion.',
    steps: [
      step(
        'model',
        'Choose a model',
        'The small model is for trying things out. For real work choose a larger one that fits into your memory, or use a GGUF file that you have. It runs on this machine, and none of your text leaves it.\n[Choose Model](command:preflexor.chooseModel)',
        'A list of models with their sizes',
        [
          'onCommand:preflexor.chooseModel',
          'onCommand:preflexor.addModel',
          'onSettingChanged:preflexor.model',
        ],
      ),
      step(
        'reason',
        'Reason about a paragraph',
        'Open a markdown note, put the cursor into a paragraph and run **Reason About This Paragraph**. The Iterations view shows how the model thinks, reflects and answers.\n[Open a Note](command:workbench.action.quickOpen)\n[Reason About This Paragraph](command:preflexor.reason)',
        'A paragraph, and beside it the thinking, reflection and suggestion of the model',
        ['onCommand:preflexor.reason', 'onCommand:preflexor.ask', `onCommand:${serverCommands.reason}`],
      ),
      step(
        'decide',
        'Accept or reject',
        'The suggestion stands below its paragraph, with its thinking folded. Accept it, review it word by word and take what you like, change it and accept your own words, or reject it: the paragraph is as it was. Each decision is kept in `.preflexor/` beside your notes.\n[Accept Suggestion](command:preflexor.accept)\n[Review Suggestion](command:preflexor.review)\n[Reject Suggestion](command:preflexor.reject)',
        'A suggestion below its paragraph, with the actions Accept and Reject',
        [
          'onCommand:preflexor.accept',
          'onCommand:preflexor.acceptEdited',
          'onCommand:preflexor.applyChanges',
          'onCommand:preflexor.reject',
          `onCommand:${serverCommands.accept}`,
          `onCommand:${serverCommands.acceptEdited}`,
          `onCommand:${serverCommands.reject}`,
        ],
      ),
    ],
  };
}

/** docs/settings.md. */
export function settingsDocument(): string {
  const sections = grouped().map(({ title, members }) => {
    return [`## ${title}`, ...members.map(settingSection)].join('\n\n');
  });
  return `# Settings

Generated from \`server/src/protocol/settings.ts\` by \`npm run generate\`; edit there. \`machine\` settings belong to a machine and are never read from a folder of notes; \`resource\` settings can differ between folders.

${sections.join('\n\n')}
`;
}

function settingSection({ key, declaration }: NamedSetting): string {
  const { description, fallback, scope, enumDescriptions, restricted } = declaration;
  const schema = schemaOf(declaration);
  const values = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : [];
  const facts = [
    typeOf(schema),
    `default: \`${JSON.stringify(fallback)}\``,
    `scope: ${scope}`,
    ...(restricted ? ['not read from a folder that is not trusted'] : []),
  ];
  const meanings = values.map((value, index) => {
    const meaning = enumDescriptions?.[index];
    return meaning === undefined ? `- \`${String(value)}\`` : `- \`${String(value)}\`: ${meaning}`;
  });
  return [
    `### \`preflexor.${key}\``,
    // In VS Code `#id#` is a link to another setting.
    description.replace(/`#([^#]+)#`/g, '`$1`'),
    ...(meanings.length > 0 ? [meanings.join('\n')] : []),
    facts.join(' · '),
  ].join('\n\n');
}

function typeOf(schema: Record<string, unknown>): string {
  const { type, minimum, maximum } = schema;
  const range =
    typeof minimum === 'number' && typeof maximum === 'number' ? `, ${minimum} to ${maximum}` : '';
  return `${type === 'array' ? 'list' : String(type)}${range}`;
}
