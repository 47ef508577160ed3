// Lint rules, among them the ones that hold the architecture's invariants (docs/architecture.md).
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Rooms of the core: they know neither an editor nor a native library. */
const coreRooms = [
  'notes',
  'retrieval',
  'reasoning',
  'graph',
  'evaluation',
  'preferences',
  'teaching',
  'training',
  'workflow',
  'state',
  'protocol',
];

const editors = {
  regex: '^vscode',
  message: 'The core knows no editor: only the doors (languageServer.ts, lsp/) and the client do.',
};
const nativeLibraries = {
  regex: '^(node-llama-cpp|@lancedb/)',
  message:
    'Native libraries are reached through a port: only engine/llama/ imports node-llama-cpp, only retrieval/store/ LanceDB.',
};
const deepImports = {
  regex:
    '^\\.\\./(notes|retrieval|reasoning|graph|evaluation|preferences|teaching|training|workflow|state|protocol|engine/models|engine/llama)/(?!(readers/|store/)?index\\.ts$)',
  message: "A room's other rooms are reached through its index.ts only.",
};
const doors = {
  regex: '/(languageServer|cli|mcp)\\.ts$',
  message: 'Arrows point inward: nothing imports a door.',
};

/** The protocol imports nothing from outside itself; `outside` matches what lies there, seen from these files. */
const protocolAlone = (files, outside) => ({
  files: [files],
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [editors, nativeLibraries, { regex: outside, message: 'The protocol stands alone.' }],
      },
    ],
  },
});

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      '.cache/',
      'test-output/',
      'test/fixtures/',
      'native/build*/',
      '.vscode-test/',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions'] }],
      // An empty environment variable counts as none, so `||` is meant there.
      '@typescript-eslint/prefer-nullish-coalescing': [
        'error',
        { ignorePrimitives: { string: true, number: true } },
      ],
      // `const { id: _id, ...rest }` leaves a field out.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // Schemas and the types inferred from them share one name.
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'max-lines': ['error', 800],
      'no-restricted-imports': ['error', { patterns: [deepImports, doors] }],
    },
  },
  {
    files: coreRooms.map((room) => `server/src/${room}/**/*.ts`),
    rules: {
      'no-restricted-imports': ['error', { patterns: [editors, nativeLibraries, deepImports, doors] }],
    },
  },
  {
    files: ['server/src/retrieval/store/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [editors, deepImports, doors] }] },
  },
  protocolAlone('server/src/protocol/*.ts', '^(node:|\\.\\./)'),
  protocolAlone('server/src/protocol/methods/*.ts', '^(node:|\\.\\./\\.\\.)'),
  {
    files: ['client/**/*.ts', 'webview/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: 'server/src/(?!protocol/index\\.ts$|errors\\.ts$)',
              message: 'Client and webviews know the protocol and nothing else of the server.',
            },
            nativeLibraries,
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      // node:test registers tests by calling `test`, whose promise nobody awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
);
