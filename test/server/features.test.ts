// What any editor gets of annotations: no model is loaded for any of it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { insertBlock, paragraphAt } from '../../server/src/notes/index.ts';
import { requests, serverCommands } from '../../server/src/protocol/index.ts';
import { desk, failure, firstParagraph, note } from './support.ts';
import { applyEdits } from '../../server/src/notes/index.ts';

function annotated(text = note): string {
  const place = paragraphAt(text, text.indexOf('Small grains'));
  const edit = insertBlock(text, place.insertAt, {
    id: 'k3v9q2xa',
    thinking: 'first thought\nsecond thought',
    reflection: 'a doubt',
    answer: 'Small grains make an alloy hard.',
    iteration: 0,
    of: 0,
    model: 'test',
  });
  return applyEdits(text, [edit]);
}

test('given a server, when it starts, then it offers what the issue of an editor is to use', async (t) => {
  const { client } = await desk(t);
  const { capabilities } = client.initialized;
  assert.deepEqual(capabilities.textDocumentSync, { openClose: true, change: 2 });
  assert.equal(capabilities.foldingRangeProvider, true);
  assert.deepEqual(capabilities.executeCommandProvider?.commands, Object.values(serverCommands));
});

test('given a note with a block, when folds are asked for, then block and sections fold as comments', async (t) => {
  const { client, uri } = await desk(t, annotated());
  const folds = await client.request<{ startLine: number; endLine: number; kind: string }[]>(
    'textDocument/foldingRange',
    { textDocument: { uri } },
  );
  const lines = client.text(uri).split('\n');
  const opened = folds.map(({ startLine, endLine, kind }) => [
    lines[startLine]?.slice(0, 16),
    lines[endLine],
    kind,
  ]);
  assert.ok(folds.length >= 3);
  assert.ok(opened.every(([, , kind]) => kind === 'comment'));
  assert.ok(opened.some(([start, end]) => start?.startsWith('<!-- preflexor') && end?.endsWith('end -->')));
  assert.ok(opened.some(([start, end]) => start?.startsWith('> [!thinking]-') && end === '> second thought'));
});

test('given a note with a block, when lenses are asked for, then what can be done with it stands on its first line', async (t) => {
  const { client, uri } = await desk(t, annotated());
  const lenses = await client.request<{ range: { start: { line: number } }; command: { title: string } }[]>(
    'textDocument/codeLens',
    { textDocument: { uri } },
  );
  assert.deepEqual(
    lenses.map(({ command }) => command.title),
    ['Accept', 'Review', 'Accept my edit', 'Reject', 'Regenerate', 'Compare'],
  );
  const line = client.positionOf(uri, '<!-- preflexor').line;
  assert.ok(lenses.every(({ range }) => range.start.line === line));
});

test('given lenses are switched off, when they are asked for, then there are none', async (t) => {
  const { client, uri } = await desk(t, annotated());
  await client.configure({ codeLens: { enabled: false } });
  assert.equal(await client.request('textDocument/codeLens', { textDocument: { uri } }), null);
});

test('given a line of prose, when actions are asked for, then rewriting by reasoning is one; on a blank line or in a block it is not', async (t) => {
  const { client, uri } = await desk(t, annotated());
  const at = async (line: number): Promise<{ kind: string }[]> => {
    const position = { line, character: 0 };
    const range = { start: position, end: position };
    return await client.request('textDocument/codeAction', {
      textDocument: { uri },
      range,
      context: { diagnostics: [] },
    });
  };
  assert.equal((await at(2))[0]?.kind, 'refactor.rewrite.preflexor');
  assert.deepEqual(await at(1), []);
  assert.deepEqual(await at(client.positionOf(uri, 'second thought').line), []);
});

test('given a block, when symbols and hover are asked for, then both name it, and the hover is plain text', async (t) => {
  const { client, uri } = await desk(t, annotated());
  const symbols = await client.request<{ name: string; children: { name: string }[] }[]>(
    'textDocument/documentSymbol',
    { textDocument: { uri } },
  );
  assert.deepEqual(
    symbols.map(({ name, children }) => [name, children.map((child) => child.name)]),
    [['Annotation k3v9q2xa', ['Thinking', 'Reflection', 'Suggestion']]],
  );
  const position = client.positionOf(uri, '<!-- preflexor');
  const hover = await client.request<{ contents: { kind: string; value: string } }>('textDocument/hover', {
    textDocument: { uri },
    position,
  });
  assert.equal(hover.contents.kind, 'plaintext');
  assert.match(hover.contents.value, /k3v9q2xa/);
});

test('given a note that is typed in, when folds are asked for again, then they follow the text', async (t) => {
  const { client, uri } = await desk(t, annotated());
  const folds = async (): Promise<unknown[]> =>
    await client.request('textDocument/foldingRange', { textDocument: { uri } });
  assert.ok((await folds()).length > 0);
  await client.replace(uri, '<!-- preflexor k3v9q2xa end -->', '');
  assert.deepEqual(await folds(), []);
});

test('given parameters of the wrong shape, when any method is asked, then it is refused with what is wrong', async (t) => {
  const { client } = await desk(t);
  for (const { method, params } of requests) {
    if (params.safeParse({}).success) continue;
    const { data, message } = await failure(
      client.request(method, { textDocument: 7, position: 'here', id: [], file: 0 }),
    );
    assert.equal(data?.code, 'bad-input', method);
    assert.match(message, new RegExp(method));
  }
});

test('given a note that is not open, or a block that is not there, when a decision is sent, then it says so', async (t) => {
  const { client, folder, uri } = await desk(t);
  const gone = { uri: `file://${encodeURI(join(folder, 'other.md'))}` };
  const missing = await failure(
    client.request('preflexor/decide', { textDocument: gone, block: 'abcdef', as: 'accept' }),
  );
  assert.equal(missing.data?.code, 'note-missing');
  const unknown = await failure(
    client.request('preflexor/decide', { textDocument: { uri }, block: 'abcdef', as: 'accept' }),
  );
  assert.equal(unknown.data?.code, 'unknown-block');
  assert.equal(client.text(uri), note);
});

test('given a block without a stored run, when it is decided, then the note changes and the ledger has the texts of the block', async (t) => {
  const text = annotated();
  const { client, uri } = await desk(t, text);
  const { entry } = await client.request<{
    entry: { kind: string; run: null; texts: Record<string, string> };
  }>('preflexor/decide', { textDocument: { uri }, block: 'k3v9q2xa', as: 'accept' });
  assert.equal(client.text(uri), note.replace(firstParagraph, 'Small grains make an alloy hard.'));
  assert.equal(entry.run, null);
  assert.equal(entry.texts['paragraph'], firstParagraph);
  assert.equal(entry.texts['result'], 'Small grains make an alloy hard.');
});

test('given strip, when it is asked for, then the note is what it was, in one edit', async (t) => {
  const { client, uri } = await desk(t, annotated());
  assert.deepEqual(await client.request('preflexor/strip', { textDocument: { uri } }), { removed: 1 });
  assert.equal(client.text(uri), note);
  assert.equal(client.edits.length, 1);
});

test('given a home without models, when reasoning is asked for, then it says which model is missing and how to get it', async (t) => {
  const { client, uri, folder } = await desk(t, note, {
    settings: { model: 'smollm2-135m-instruct' },
    env: { PREFLEXOR_HOME: '/nonexistent-preflexor-home' },
  });
  const { data, message } = await failure(
    client.request('preflexor/reason', { textDocument: { uri }, position: { line: 2, character: 0 } }),
  );
  assert.equal(data?.code, 'no-model');
  assert.match(message, /models get smollm2-135m-instruct/);
  assert.equal(client.text(uri), note);
  assert.ok(folder);
});

test('given wrong settings, when they are read, then defaults take their place and the log names them', async (t) => {
  const { client, uri } = await desk(t, annotated(), { settings: { codeLens: { enabled: 'perhaps' } } });
  const lenses = await client.request<unknown[]>('textDocument/codeLens', { textDocument: { uri } });
  assert.equal(lenses.length, 6);
  await client.until('a line in the log', () =>
    client
      .notifications('window/logMessage')
      .some((params) => JSON.stringify(params).includes('codeLens.enabled')),
  );
});

test('given a client that can not be asked for settings, when it sends them along, then they count', async (t) => {
  const { client, uri } = await desk(t, annotated(), {
    settings: { codeLens: { enabled: false } },
    canPullSettings: false,
  });
  assert.equal(await client.request('textDocument/codeLens', { textDocument: { uri } }), null);
});

test('given shutdown and exit, when they are sent, then the server ends by itself with code 0', async (t) => {
  const { client } = await desk(t);
  assert.equal(await client.stop(), 0);
});
