import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { showAnnotationsFolded } from './previewPlugin.ts';

/** As VS Code's preview sets it up: HTML of the note itself is let through. */
function render(text: string): string {
  const markdownIt = new MarkdownIt({ html: true, linkify: true });
  showAnnotationsFolded(markdownIt);
  return markdownIt.render(text);
}

const block = `The paragraph itself.

<!-- preflexor k3v9q2 begin -->
> [!thinking]- Thinking · iteration 2 of 3 · Llama-3.2-3B-Instruct
> text of the *thinking*
>
> and more

> [!reflection]- Reflection · iteration 2 of 3
> a critique

> [!answer]+ Suggestion · integrates 0 to 3
> The new text.
<!-- preflexor k3v9q2 end -->

The next paragraph.
`;

test('given an annotation block, when it is rendered, then thinking and reflection are folded and the answer is open', () => {
  const html = render(block);
  const details = [...html.matchAll(/<details[^>]*>/g)].map(([tag]) => tag);
  assert.deepEqual(details, [
    '<details class="preflexor-callout preflexor-thinking">',
    '<details class="preflexor-callout preflexor-reflection">',
    '<details class="preflexor-callout preflexor-answer" open="">',
  ]);
  assert.equal(html.match(/<\/details>/g)?.length, 3);
  assert.doesNotMatch(html, /blockquote|\[!/);
});

test('given a callout, when it is rendered, then its title is the summary and its text is still markdown', () => {
  const html = render(block);
  assert.match(html, /<summary>\s*Thinking · iteration 2 of 3 · Llama-3\.2-3B-Instruct<\/summary>/);
  assert.match(html, /<p>text of the <em>thinking<\/em><\/p>\s*<p>and more<\/p>/);
});

test('given a callout without a title or sign, when it is rendered, then it gets a name and is open', () => {
  assert.match(render('> [!answer]\n> text\n'), /<details[^>]* open="">\s*<summary>\s*Suggestion<\/summary>/);
});

test('given a callout with nothing but its header, when it is rendered, then no empty paragraph is left', () => {
  assert.doesNotMatch(render('> [!thinking]- Thinking\n'), /<p>/);
});

test('given quotes and callouts that are not ours, when they are rendered, then they stay quotes', () => {
  for (const text of [
    '> a quote\n',
    '> [!note] A note\n> text\n',
    '> \\[!answer]+ escaped\n',
    '> x [!answer]+\n',
  ]) {
    assert.match(render(text), /^<blockquote>/, text);
    assert.doesNotMatch(render(text), /<details/, text);
  }
});

test('given a quote after a callout, when it is rendered, then only the callout is folded', () => {
  const html = render('> [!thinking]- T\n> > inner quote\n\ntext\n\n> outer\n');
  assert.match(html, /<details[^]*<blockquote>\s*<p>inner quote<\/p>\s*<\/blockquote>\s*<\/details>/);
  assert.match(html, /<blockquote>\s*<p>outer<\/p>\s*<\/blockquote>/);
});

test('given text that turns the header into a heading, when it is rendered, then the callout still folds', () => {
  assert.match(render('> [!answer]+ Suggestion\n> ===\n> text\n'), /<details[^>]* open="">/);
});

test('given HTML in a callout, when it is rendered, then it is text, and HTML of the note is not touched', () => {
  const html = render(
    '<b>mine</b>\n\n> [!answer]+ S\n> a <img src=x onerror=alert(1)> b\n>\n> <script>alert(1)</script>\n',
  );
  assert.match(html, /<b>mine<\/b>/);
  assert.doesNotMatch(html, /<img|<script/);
  assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/);
  assert.match(html, /&lt;script&gt;/);
});

test('given pictures and command links in a callout, when it is rendered, then they lead nowhere', () => {
  const html = render(
    '> [!answer]+ S\n> ![secret](https://tracker.example/x.png) [run](command:evil) [open](vscode://a/b)\n',
  );
  assert.doesNotMatch(html, /<img|href|command:/);
  assert.match(html, /!\[secret\]\(https:\/\/tracker\.example\/x\.png\)/);
});

test('given links to the web in a callout, when it is rendered, then they work', () => {
  assert.match(
    render('> [!answer]+ S\n> [a](https://example.org) and [b](other.md)\n'),
    /href="https:\/\/example\.org"[^]*href="other\.md"/,
  );
});

test('given a title with HTML, when it is rendered, then it is text', () => {
  assert.match(render('> [!thinking]- <img src=x>\n> t\n'), /<summary>\s*&lt;img src=x&gt;<\/summary>/);
});

test('given any text in a callout, when it is rendered, then no tag of it reaches the page', () => {
  const pieces = fc.constantFrom(
    '<script>',
    '<img src=x onerror=y>',
    '</details>',
    '<iframe>',
    '\n',
    '> ',
    '- ',
    '`',
    '[a](command:b)',
    '![x](y)',
    '<!--',
    '-->',
    '[!answer]+',
    '===',
    '# ',
    'word ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const quoted = parts
        .join('')
        .split('\n')
        .map((line) => `> ${line}`)
        .join('\n');
      const html = render(`> [!answer]+ S\n${quoted}\n`);
      assert.doesNotMatch(html, /<(script|img|iframe)/);
      assert.doesNotMatch(html, /href="command:/);
      assert.equal(html.match(/<details/g)?.length, html.match(/<\/details>/g)?.length);
    }),
    { numRuns: 500 },
  );
});
