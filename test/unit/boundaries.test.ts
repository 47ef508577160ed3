// The architecture's invariants that can be read off the sources: who may import what.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const coreRooms = [
  'notes',
  'retrieval',
  'reasoning',
  'graph',
  'evaluation',
  'preferences',
  'teaching',
  'training',
  'state',
  'workflow',
  'protocol',
];
const rooms = [
  ...coreRooms,
  'retrieval/readers',
  'retrieval/store',
  'engine',
  'engine/compute',
  'engine/llama',
  'engine/models',
  'engine/openai',
  'lsp',
  'cli',
];
/** What a room needs from outside; whoever implements one may know it. */
const ports = ['server/src/engine/languageModel.ts', 'server/src/retrieval/ports.ts'];
const doors = ['server/src/languageServer.ts', 'server/src/cli.ts'];

/** Every import of a file: static, dynamic, type-only and re-exports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function sources(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
}

/** The innermost room that a path under server/src lies in. */
function roomOf(path: string): string | undefined {
  return rooms
    .filter((room) => path.startsWith(`server/src/${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function resolved(from: string, specifier: string): string {
  return relative(root, join(root, dirname(from), specifier)).replaceAll('\\', '/');
}

test('given the core, when its imports are read, then none names an editor or a native library', () => {
  const files = coreRooms
    .flatMap((room) => sources(`server/src/${room}/**/*.ts`))
    .filter((file) => !file.startsWith('server/src/retrieval/store/'));
  assert.ok(files.length > 20, 'the rooms were not found');
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((name) => /^(vscode|node-llama-cpp|@lancedb\/)/.test(name))
      .map((name) => `${file} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('given all sources, when their imports are read, then only the engine host knows node-llama-cpp', () => {
  const files = [
    ...sources('server/src/**/*.ts'),
    ...sources('client/src/**/*.ts'),
    ...sources('webview/src/**/*.ts'),
  ];
  const knowing = files.filter((file) => importsOf(file).some((name) => name.startsWith('node-llama-cpp')));
  assert.ok(knowing.length > 0);
  assert.deepEqual(
    knowing.filter((file) => !file.startsWith('server/src/engine/llama/')),
    [],
  );
});

test('given all sources, when their imports are read, then only retrieval/store knows LanceDB', () => {
  const wrong = sources('{server,client,webview}/src/**/*.ts')
    .filter((file) => !file.startsWith('server/src/retrieval/store/'))
    .filter((file) => importsOf(file).some((name) => /^(@lancedb\/|apache-arrow)/.test(name)));
  assert.deepEqual(wrong, []);
});

test('given any room, when another room imports from it, then it is by its index', () => {
  const wrong = sources('server/src/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => resolved(file, name))
      .filter((target) => {
        const room = roomOf(target);
        if (room === undefined || room === 'lsp' || room === 'cli') return false;
        const own = roomOf(file);
        const inside = own === room || own?.startsWith(`${room}/`) === true;
        return !inside && !ports.includes(target) && target !== `server/src/${room}/index.ts`;
      })
      .map((target) => `${file} imports ${target}`),
  );
  assert.deepEqual(wrong, []);
});

test('given all sources, when their imports are read, then nothing imports a door', () => {
  const wrong = sources('{server,client,webview}/src/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .filter((name) => doors.includes(resolved(file, name)))
      .map((name) => `${file} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('given the core, when its imports are read, then no arrow points outward to workflow, lsp or cli', () => {
  const inner = [...coreRooms.filter((room) => room !== 'workflow'), 'engine'];
  const wrong = inner
    .flatMap((room) => sources(`server/src/${room}/**/*.ts`))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => resolved(file, name))
        .filter((target) => /^server\/src\/(workflow|lsp|cli)\//.test(target))
        .map((target) => `${file} imports ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test('given the webviews, when their sources are read, then one file alone takes hold of VS Code', () => {
  const files = sources('webview/src/**/*.ts').filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('acquireVsCodeApi('),
  );
  assert.deepEqual(files, ['webview/src/shared/host.ts']);
});
