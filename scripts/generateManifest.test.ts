import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  clientCommands,
  decodeSettings,
  defaultSettings,
  indexContext,
  serverCommands,
  settings,
  sourcesView,
} from '../server/src/protocol/index.ts';
import { differences, withManifest } from './generateManifest.ts';
import { manifest, settingsDocument } from './manifest.ts';

const root = join(import.meta.dirname, '..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Contributed {
  readonly command: string;
  readonly when?: string;
}

interface Contributions {
  readonly commands: readonly {
    readonly command: string;
    readonly title: string;
    readonly category: string;
  }[];
  readonly keybindings: readonly Contributed[];
  readonly menus: Readonly<Record<string, readonly Contributed[]>>;
  readonly configuration: readonly {
    readonly properties: Readonly<Record<string, { readonly default: unknown }>>;
  }[];
  readonly viewsWelcome: readonly {
    readonly view: string;
    readonly when: string;
    readonly contents: string;
  }[];
  readonly views: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
  readonly walkthroughs: readonly {
    readonly steps: readonly {
      readonly description: string;
      readonly media: { readonly svg: string };
      readonly completionEvents: readonly string[];
    }[];
  }[];
  readonly grammars: readonly { readonly path: string; readonly scopeName: string }[];
  readonly 'markdown.previewStyles': readonly string[];
}

interface PackageManifest {
  readonly icon: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: Contributions;
}

const written = JSON.parse(text('package.json')) as PackageManifest;
const { contributes } = written;

test('given package.json and docs/settings.md, when they are compared with the declarations, then nothing differs', async () => {
  assert.deepEqual(await differences(root), []);
});

test('given a package.json that was edited by hand, when it is generated anew, then only our own blocks change', () => {
  const generated = withManifest({
    name: 'x',
    main: 'm',
    contributes: { commands: [] },
    scripts: { a: 'b' },
  });
  assert.deepEqual(Object.keys(generated), ['name', 'main', ...Object.keys(manifest()), 'scripts']);
  assert.deepEqual(generated['scripts'], { a: 'b' });
  assert.deepEqual(withManifest(generated), generated);
});

test('given the commands, when the manifest is read, then each is contributed once, with a title and our category', () => {
  assert.deepEqual(
    contributes.commands.map(({ command }) => command),
    Object.keys(clientCommands),
  );
  for (const { title, category } of contributes.commands) {
    assert.equal(category, 'PRefLexOR');
    assert.match(title, /^[A-Z]/);
    assert.doesNotMatch(title, /PRefLexOR/);
  }
});

test('given the sources of the client, when commands are named in them, then each is declared, and the other way round', () => {
  const files = globSync('client/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  const sources = files.map((file) => text(file)).join('\n');
  const settingKeys = new Set(Object.keys(settings).map((key) => `preflexor.${key}`));
  const others = new Set([
    'preflexor.iterations',
    'preflexor.working',
    'preflexor.status',
    'preflexor.pdfPage',
    'preflexor.board',
    'preflexor.training',
    'preflexor.graph',
    'preflexor.teaching',
  ]);
  const named = new Set([...sources.matchAll(/'(preflexor\.[a-zA-Z.]+)'/g)].map(([, name]) => name ?? ''));
  const commands = [...named].filter((name) => !settingKeys.has(name) && !others.has(name));
  assert.deepEqual(commands.sort(), Object.keys(clientCommands).sort());
});

test('given keys, menus and the walkthrough, when they name a command, then there is one', () => {
  const known = new Set<string>([...Object.keys(clientCommands), ...Object.values(serverCommands)]);
  const steps = contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
  const named = [
    ...contributes.keybindings.map(({ command }) => command),
    ...Object.values(contributes.menus).flatMap((entries) => entries.map(({ command }) => command)),
    ...steps.flatMap(({ completionEvents }) =>
      completionEvents
        .filter((event) => event.startsWith('onCommand:'))
        .map((event) => event.slice('onCommand:'.length)),
    ),
    ...steps.flatMap(({ description }) =>
      [...description.matchAll(/\(command:([^)]+)\)/g)].map(([, name]) => name ?? ''),
    ),
  ];
  assert.deepEqual(
    named.filter((name) => !known.has(name) && !name.startsWith('workbench.action.')),
    [],
  );
});

test('given the manifest, when it names files, then they are there, and the icon is a PNG of 128 pixels or more', () => {
  const files = [
    written.icon,
    ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
    ...contributes.grammars.map(({ path }) => path),
    ...contributes['markdown.previewStyles'],
  ];
  assert.deepEqual(
    files.filter((file) => !existsSync(join(root, file))),
    [],
  );
  const icon = readFileSync(join(root, written.icon));
  assert.equal(icon.toString('latin1', 1, 4), 'PNG');
  assert.ok(icon.readUInt32BE(16) >= 128 && icon.readUInt32BE(16) === icon.readUInt32BE(20));
});

test('given the grammars, when they are read, then each has the scope that the manifest names', () => {
  for (const { path, scopeName } of contributes.grammars) {
    assert.equal((JSON.parse(text(path)) as { scopeName: string }).scopeName, scopeName);
  }
});

test('given the settings, when the manifest’s defaults are decoded as an editor sends them, then they are our defaults', () => {
  const section: Record<string, Record<string, unknown>> = {};
  for (const [id, { default: value }] of contributes.configuration.flatMap(({ properties }) =>
    Object.entries(properties),
  )) {
    const [, group = '', name] = id.split('.');
    if (name === undefined) Object.assign(section, { [group]: value });
    else (section[group] ??= {})[name] = value;
  }
  assert.deepEqual(decodeSettings(section), { settings: defaultSettings(), problems: [] });
});

test('given settings that steer what runs, when a folder is not trusted, then its own values for them are not read', () => {
  const { restrictedConfigurations } = written.capabilities.untrustedWorkspaces;
  assert.deepEqual(restrictedConfigurations, [
    'preflexor.model',
    'preflexor.engine.gpu',
    'preflexor.engine.url',
    'preflexor.engine.urlModel',
    'preflexor.engine.urlAdapter',
    'preflexor.reasoning.critic',
    'preflexor.retrieval.embedder',
    'preflexor.retrieval.reranker',
    'preflexor.retrieval.address',
    'preflexor.teaching.start',
  ]);
});

test('given the Sources view, when it is empty, then each of its states has a text with one button that leads somewhere', () => {
  const welcomes = contributes.viewsWelcome.filter(({ view }) => view === sourcesView);
  assert.deepEqual(
    welcomes.map(({ when }) => when),
    ['workspaceFolderCount == 0', `${indexContext} == off`, `${indexContext} == empty`],
  );
  for (const { contents } of welcomes) {
    const buttons = [...contents.matchAll(/^\[[^\]]+\]\(command:([\w.]+)/gm)].map(
      ([, command]) => command ?? '',
    );
    assert.equal(buttons.length, 1, contents);
    assert.ok(
      Object.hasOwn(clientCommands, buttons[0] ?? '') || /^(vscode|workbench)\./.test(buttons[0] ?? ''),
    );
  }
});

test('given the settings document, when it is read, then each setting has its section', () => {
  const sections = [...settingsDocument().matchAll(/^### `preflexor\.(.+)`$/gm)].map(([, key]) => key);
  assert.deepEqual(sections.sort(), Object.keys(settings).sort());
});
