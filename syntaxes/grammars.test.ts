// Our two injected grammars on top of VS Code's own markdown grammar, in VS Code's own tokeniser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';

const files: Readonly<Record<string, string>> = {
  'text.html.markdown': '../test/fixtures/grammars/markdown.tmLanguage.json',
  'markdown.preflexor.blocks': 'preflexor-blocks.tmLanguage.json',
  'markdown.preflexor.markers': 'preflexor-markers.tmLanguage.json',
};
const ours = ['markdown.preflexor.blocks', 'markdown.preflexor.markers'];

await oniguruma.loadWASM(
  readFileSync(createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm')),
);

async function markdown(injected: boolean): Promise<textmate.IGrammar> {
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: (scope) => {
      const file = files[scope];
      // The languages inside a note are not here: a small stand-in each, so that the rules that name them hold.
      if (file === undefined) return Promise.resolve(standIn(scope));
      const path = join(import.meta.dirname, file);
      return Promise.resolve(textmate.parseRawGrammar(readFileSync(path, 'utf8'), path));
    },
    getInjections: (scope) => (injected && scope === 'text.html.markdown' ? ours : undefined),
  });
  return (await registry.loadGrammar('text.html.markdown')) ?? assert.fail('no grammar');
}

function standIn(scopeName: string): textmate.IRawGrammar {
  const patterns = [{ match: '\\bSTANDIN\\b', name: `keyword.${scopeName}` }];
  return textmate.parseRawGrammar(JSON.stringify({ scopeName, patterns }), 'stand-in.json');
}

const plain = await markdown(false);
const injected = await markdown(true);

interface Piece {
  readonly text: string;
  readonly scopes: readonly string[];
}

/** The tokens of each line. */
function pieces(text: string, grammar = injected): Piece[][] {
  let state = textmate.INITIAL;
  return text.split('\n').map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    return tokens.map(({ startIndex, endIndex, scopes }) => ({
      text: line.slice(startIndex, endIndex),
      scopes,
    }));
  });
}

/** What of a text has a scope that begins so. */
function scoped(text: string, scope: string): string[] {
  return pieces(text)
    .flat()
    .filter(({ scopes }) => scopes.some((one) => one.startsWith(scope)))
    .map((piece) => piece.text);
}

const block = `The *paragraph* itself.

<!-- preflexor k3v9q2 begin -->
> [!thinking]- Thinking · iteration 2 of 3 · Llama
> text of the **thinking**

> [!reflection]- Reflection
> text

>[!answer]+ Suggestion
> text
<!-- preflexor k3v9q2 end -->

The **next** paragraph.

# A heading`;

test('given an annotation block, when it is coloured, then its edges, kinds, signs and titles are told apart', () => {
  assert.deepEqual(scoped(block, 'constant.other.annotation-id'), ['k3v9q2', 'k3v9q2']);
  assert.deepEqual(scoped(block, 'keyword.control.annotation'), ['begin', 'end']);
  assert.deepEqual(scoped(block, 'keyword.other.callout.thinking'), ['thinking']);
  assert.deepEqual(scoped(block, 'keyword.other.callout.reflection'), ['reflection']);
  assert.deepEqual(scoped(block, 'keyword.other.callout.answer'), ['answer']);
  assert.deepEqual(scoped(block, 'keyword.operator.fold'), ['-', '-', '+']);
  assert.deepEqual(scoped(block, 'comment.line.callout-title'), [
    'Thinking · iteration 2 of 3 · Llama',
    'Reflection',
    'Suggestion',
  ]);
});

test('given the edges of a block, when they are coloured, then they are comments still', () => {
  const lines = pieces(block);
  for (const line of [lines[2], lines.find(([first]) => first?.text.includes('<!--'))]) {
    assert.ok(line?.every(({ scopes }) => scopes.includes('comment.block.html')));
  }
});

test('given a block, when the text in and around it is coloured, then exactly as without us', () => {
  const before = pieces(block, plain);
  const after = pieces(block);
  const own = /preflexor|\[!/;
  block.split('\n').forEach((line, index) => {
    if (!own.test(line)) assert.deepEqual(after[index], before[index], line);
  });
});

test('given a callout, when its text is coloured, then it is a quote with markdown in it', () => {
  const inQuote = pieces(block)[4]?.find(({ text }) => text === 'thinking');
  assert.ok(inQuote, 'the text of the callout');
  assert.ok(inQuote.scopes.includes('markup.quote.markdown'));
  assert.ok(inQuote.scopes.some((scope) => scope.startsWith('markup.bold')));
});

test('given raw markers, when they are coloured, then each spelling is, and the paragraph around them stays one', () => {
  const text = '<|thinking|>\nsteps **bold** <|/thinking|> and <|reflect|>x<|/reflect|> or <|reflection|>';
  assert.deepEqual(scoped(text, 'keyword.control.marker.thinking'), ['thinking', 'thinking']);
  assert.deepEqual(scoped(text, 'keyword.control.marker.reflection'), ['reflect', 'reflect', 'reflection']);
  const bold = pieces(text)[1]?.find(({ text: piece }) => piece === 'bold');
  assert.ok(bold?.scopes.some((scope) => scope.startsWith('markup.bold')));
});

for (const [what, text] of Object.entries({
  'a code fence': '```\n<!-- preflexor k3v9q2 begin -->\n> [!thinking]- T\n<|thinking|>\n```',
  'an indented code block': 'text\n\n    <!-- preflexor k3v9q2 begin -->\n    <|thinking|>\n',
  'inline code': 'a `<|thinking|>` b',
  'running text': 'see [!thinking]- and > [!answer]+ here',
  'front matter': '---\ntitle: "> [!thinking]- <|thinking|>"\n---\n',
  'a comment': '<!-- a\n<|thinking|>\n> [!thinking]-\n-->',
  'other callouts': '> [!note]- Thinking\n> [!thinkings]- x',
  'a look-alike': '<!-- preflexor k3 begin -->\n<!-- preflexor k3v9q2 start -->',
})) {
  test(`given ${what}, when it is coloured, then exactly as without us`, () => {
    assert.deepEqual(pieces(text), pieces(text, plain));
  });
}

test('given a note after a block, when headings, lists and fences are coloured, then exactly as without us', () => {
  const tail =
    '\n\n- a list\n  - <|thinking\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nx\n```\n\n> quote\n\nSetext\n===\n';
  const lines = (block + tail).split('\n').length;
  const from = block.split('\n').length;
  assert.deepEqual(pieces(block + tail).slice(from, lines), pieces(block + tail, plain).slice(from, lines));
});
