// Citations over a real connection: completion, hover, definition and diagnostics out of the folder's bibliographies.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CompletionItem, Diagnostic, Location } from 'vscode-languageserver/node';
import { LspClient, uriOf } from '../support/lspClient.ts';
import { bib, draft, library, type Library } from './librarySupport.ts';
import { reason } from './support.ts';

/** What is offered behind the first occurrence of `words`. */
async function offered({ client, uri }: Library, words: string): Promise<CompletionItem[]> {
  const { line, character } = client.positionOf(uri, words);
  const position = { line, character: character + words.length };
  const list = await client.request<{ items: CompletionItem[] } | null>('textDocument/completion', {
    textDocument: { uri },
    position,
  });
  return list?.items ?? [];
}

const keys = (items: readonly CompletionItem[]): string[] => items.map(({ label }) => label);

/** The ranges of the keys that the last diagnostics mark, as text. */
function marked(client: LspClient, uri: string): string[] | undefined {
  const last = client
    .notifications('textDocument/publishDiagnostics')
    .map((params) => params as { uri: string; diagnostics: Diagnostic[] })
    .findLast((params) => params.uri === uri);
  const lines = client.text(uri).split('\n');
  return last?.diagnostics.map(({ range }) =>
    (lines[range.start.line] ?? '').slice(range.start.character, range.end.character),
  );
}

test('given a bibliography, when [@ is typed, then every work is offered with author, year and title', async (t) => {
  const desk = await library(t, { files: { 'draft.md': 'See [@' } });
  const items = await offered(desk, '[@');
  assert.deepEqual(keys(items), ['hall1951deformation', 'kocks1998texture']);
  assert.equal(items[1]?.detail, 'Kocks et al. · 1998 · Texture and Anisotropy');
});

test('given words of a title or of an author, when they are typed as a key, then the work is found and its key inserted in their place', async (t) => {
  const desk = await library(t, { files: { 'draft.md': 'See [@anisotr and [@Tome and @mild and @xyz' } });
  const [byTitle] = await offered(desk, '[@anisotr');
  assert.deepEqual(byTitle?.textEdit, {
    range: { start: { line: 0, character: 6 }, end: { line: 0, character: 13 } },
    newText: 'kocks1998texture',
  });
  assert.deepEqual(keys(await offered(desk, '[@Tome')), ['kocks1998texture']);
  assert.deepEqual(keys(await offered(desk, '@mild')), ['hall1951deformation']);
  assert.deepEqual(await offered(desk, '@xyz'), []);
});

test('given code or an address, when @ is typed in it, then nothing is offered', async (t) => {
  const desk = await library(t, { files: { 'draft.md': '`[@ha` and ada@ha\n' } });
  assert.deepEqual(await offered(desk, '`[@ha'), []);
  assert.deepEqual(await offered(desk, 'ada@ha'), []);
});

test('given a note that names its bibliography, when a key is typed, then only the works in it are offered', async (t) => {
  const own = '@misc{own2024,\n  title = {Mine}\n}\n';
  const text = '---\nbibliography: lists/own.bib\n---\n\nSee [@';
  const desk = await library(t, { files: { 'draft.md': text, 'lists/own.bib': own } });
  assert.deepEqual(keys(await offered(desk, '[@')), ['own2024']);
});

test('given a key, when it is hovered over, then the work is described in plain text', async (t) => {
  const { client, uri } = await library(t);
  const position = client.positionOf(uri, 'kocks1998');
  const hover = await client.request<{ contents: { kind: string; value: string } }>('textDocument/hover', {
    textDocument: { uri },
    position,
  });
  assert.equal(hover.contents.kind, 'plaintext');
  assert.match(
    hover.contents.value,
    /^Texture and Anisotropy\nKocks, U\. F\.; Tomé, C\. N\.; Wenk, H\.-R\. \(1998\)\n/,
  );
  assert.match(hover.contents.value, /works\.bib$/);
});

test('given a key, when its definition is asked for, then it is the entry in the bibliography', async (t) => {
  const { client, folder, uri } = await library(t);
  const position = client.positionOf(uri, 'kocks1998');
  const [location] = await client.request<Location[]>('textDocument/definition', {
    textDocument: { uri },
    position,
  });
  assert.equal(location?.uri, uriOf(join(folder, 'works.bib')));
  assert.deepEqual(location.range.start, { line: 0, character: 0 });
  assert.equal(location.range.end.line, bib.split('\n').indexOf('}'));
});

test('given keys that no bibliography knows, when a note is open, then they are marked; known ones, code and cross-references are not', async (t) => {
  const text = `${draft}\n\`@code\` $@math$ <!-- @comment --> @fig:one ada@b.org @other\n`;
  const { client, uri } = await library(t, { files: { 'draft.md': text } });
  await client.until('diagnostics', () => (marked(client, uri)?.length ?? 0) > 0);
  assert.deepEqual(marked(client, uri), ['@nobody2020', '@other']);
});

test('given a work is added to the bibliography, when the editor tells so, then its key is no longer marked', async (t) => {
  const { client, folder, uri, write } = await library(t);
  await client.until('diagnostics', () => marked(client, uri)?.length === 1);
  await write('works.bib', `${bib}\n@misc{nobody2020,\n  title = {Somebody}\n}\n`);
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', {
    changes: [{ uri: uriOf(join(folder, 'works.bib')), type: 2 }],
  });
  await client.until('no diagnostics', () => marked(client, uri)?.length === 0);
});

test('given a marked key, when it is corrected or the setting is switched off, then the mark goes', async (t) => {
  const { client, uri } = await library(t);
  await client.until('diagnostics', () => marked(client, uri)?.length === 1);
  await client.replace(uri, 'nobody2020', 'hall1951deformation');
  await client.until('no diagnostics', () => marked(client, uri)?.length === 0);
  await client.replace(uri, '@hall1951deformation', '@nobody2020');
  await client.until('diagnostics', () => marked(client, uri)?.length === 1);
  await client.configure({ citations: { diagnostics: false } });
  await client.until('no diagnostics', () => marked(client, uri)?.length === 0);
});

test('given a folder without a bibliography, when a note cites, then nothing is marked', async (t) => {
  const { client, uri } = await library(t, { files: { 'works.bib': '' } });
  await client.until('diagnostics', () => marked(client, uri) !== undefined);
  assert.deepEqual(marked(client, uri), []);
});

test('given a model that makes a work up, when a paragraph is reasoned about, then the note never cites it', async (t) => {
  const script = ['As @ghost1999 says.', 'A doubt.', 'So it is [@kocks1998texture; @ghost1999].'];
  const desk = await library(t, { env: { PREFLEXOR_TEST_SCRIPT: JSON.stringify(script) } });
  const { run, placement } = await reason(desk, 'Small grains');
  assert.equal(placement, 'inserted');
  assert.deepEqual(run.unknownCitations, ['ghost1999']);
  const text = desk.client.text(desk.uri);
  assert.match(text, /So it is \[@kocks1998texture\] \[unknown citation: ghost1999\]\./);
  assert.doesNotMatch(text, /@ghost/);
});
