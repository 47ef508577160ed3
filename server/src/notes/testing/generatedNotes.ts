// Arbitrary notes and hostile model texts for property tests. Only tests import this.
import fc from 'fast-check';

const words = [
  'Texture evolves',
  'grain **boundaries** [@prasad2019kanapy; @bunge1993texture]',
  'see [@a, p. 3] and @smith_2020',
  'énergie',
  'e\u0301tude de l’e\u0302tre',
  '😀 emoji 👩‍🔬 here',
  '日本語の文章。',
  '`code <b> span`',
  '$a<b$ inline',
  '<span>inline html</span>',
  'a [link](https://example.org) and ![image](fig.png)',
  'ends with spaces  ',
  'tab\tinside',
  'a \\* star \\[x]',
  'footnote[^1] call',
  '1986\\. A year.',
  'x | y',
  '<|thinking|> in passing',
  'a - dash',
  '**bold**\\',
];
const textLine = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(' '));
const textLines = fc.array(textLine, { minLength: 1, maxLength: 3 });

const lookAlikes = [
  '<!-- preflexor abc123 begin -->',
  '<!-- preflexor abc123 end -->',
  '> [!thinking]- Thinking',
  '> [!answer]+ Suggestion',
];

/** A top-level block as lines. */
const plainBlock: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 6, arbitrary: textLines },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 6 }), textLine).map(([n, t]) => [`${'#'.repeat(n)} ${t}`]),
  },
  fc.tuple(textLine, fc.constantFrom('===', '---')).map(([text, line]) => [text, line]),
  fc
    .tuple(
      fc.constantFrom('```', '~~~', '````js', '``` {.python}'),
      fc.array(fc.constantFrom('x = 1', '', '# no heading', '> no quote', '- no list', '``', ...lookAlikes), {
        maxLength: 4,
      }),
    )
    .map(([fence, lines]) => [fence, ...lines, /^[`~]+/.exec(fence)?.[0] ?? '']),
  fc.constant(['$$', 'E = mc^2 < 3', '', '$$']),
  fc.constant(['| a | b |', '| --- | :-: |', '| 1 | 2 |']),
  fc.constant(['<div class="x">', 'html text', '</div>']),
  fc.constant(['<!-- a comment', '', '```', 'of the writer -->']),
  fc.constant(['<details>', '', 'inside details', '', '</details>']),
  fc.constant(['[x]: https://example.org "title"']),
  fc.constant(['    indented code', '', '    more of it']),
  fc.constantFrom(['---'], ['* * *'], ['___']),
  fc.constant(['> [!thinking]- A callout that somebody wrote', '> with text']),
  fc.constant(['\\begin{equation}', 'a = b', '\\end{equation}']),
  fc.constant(['::: {.note}', 'A pandoc div.', ':::']),
  fc.constant(['[^1]: A footnote', '', '    with a second paragraph', '    of two lines']),
  fc.constant(['<!-- preflexor abc123 begin -->', 'no callout', '<!-- preflexor abc123 end -->']),
);

function indent(lines: readonly string[], first: string, rest: string): string[] {
  return lines.map((line, index) =>
    index === 0 ? first + line : line === '' ? rest.trimEnd() : rest + line,
  );
}

const containerPrefixes: readonly (readonly [string, string])[] = [
  ['- ', '  '],
  ['* ', '  '],
  ['1. ', '   '],
  ['1) ', '   '],
  ['- [ ] ', '  '],
  ['-\t', '\t'],
  ['> ', '> '],
  ['>', '>'],
  ['> ', ''],
  ['- ', ''],
  [' > ', '> '],
];

function inContainer(block: fc.Arbitrary<readonly string[]>): fc.Arbitrary<string[]> {
  return fc
    .array(fc.tuple(fc.constantFrom(...containerPrefixes), block, fc.boolean()), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => {
      const [[[first, rest]] = [['', '']] as const] = parts;
      return parts.flatMap(([own, lines, loose], index) => {
        const [marker, further] = index % 2 === 0 ? [first, rest] : own;
        const gap = loose && index > 0 ? [marker.includes('>') ? '>' : ''] : [];
        return [...gap, ...indent(lines, marker, further)];
      });
    });
}

const block = fc.oneof(
  { weight: 3, arbitrary: plainBlock },
  { weight: 1, arbitrary: inContainer(plainBlock) },
  { weight: 1, arbitrary: inContainer(inContainer(plainBlock)) },
);

const frontMatter = fc.constantFrom<string[]>(
  [],
  [],
  [],
  ['---', 'title: A note', 'tags: [x]', '---'],
  ['+++', 'title = "x"', '+++', ''],
  ['---', '```', '<!-- preflexor abc123 begin -->', '---', ''],
);

/** Line ends: mostly one kind throughout, sometimes mixed. */
const lineEnds = fc.oneof(
  { weight: 3, arbitrary: fc.constant(['\n']) },
  { weight: 3, arbitrary: fc.constant(['\r\n']) },
  { weight: 1, arbitrary: fc.constant(['\r']) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 2, maxLength: 5 }) },
);

/** Notes of every kind that a writer might have. */
export const generatedNote: fc.Arbitrary<string> = fc
  .record({
    mark: fc.constantFrom('', '', '', '\uFEFF'),
    front: frontMatter,
    blocks: fc.array(fc.tuple(block, fc.constantFrom(0, 1, 1, 1, 2)), { maxLength: 7 }),
    ends: lineEnds,
    finalEnd: fc.boolean(),
  })
  .map(({ mark, front, blocks, ends, finalEnd }) => {
    const lines: string[] = [...front];
    for (const [content, gap] of blocks) lines.push(...content, ...Array.from({ length: gap }, () => ''));
    return mark + joinLines(lines, ends, finalEnd);
  });

/** Joins lines so that a lone CR is never followed by an LF of its own. */
function joinLines(lines: readonly string[], ends: readonly string[], finalEnd: boolean): string {
  let text = '';
  for (const [index, line] of lines.entries()) {
    text += line;
    if (index === lines.length - 1 && !finalEnd) break;
    const end = ends[index % ends.length] ?? '\n';
    text += text.endsWith('\r') && end === '\n' ? '\r' : end;
  }
  return text;
}

const lineStarts = [
  '',
  '',
  '',
  '- ',
  '* ',
  '1. ',
  '2) ',
  '10. ',
  '> ',
  '>',
  '  ',
  '   ',
  '    ',
  '\t',
  ' ',
  '-\t',
  '[^1]: ',
  '- > ',
];
const lineBodies = [
  '',
  '',
  'text',
  'more words',
  '```',
  '```js',
  '~~~',
  '~~~~',
  '````',
  '$$',
  '$$ x',
  '$',
  '# H',
  '## H ##',
  '===',
  '---',
  '***',
  '- - -',
  '<div>',
  '</div>',
  '<!-- c',
  '-->',
  '<!-- x -->',
  '<pre>',
  '</pre> x',
  '<?',
  '?>',
  '<!D',
  '>',
  '| a | b |',
  '| - | - |',
  'a | b',
  '-|-',
  ':-',
  '|',
  '-',
  '1.',
  '=',
  'a `b',
  '<![CDATA[',
  ']]>',
  '\\| q',
];
const lineSoup = fc
  .tuple(fc.array(fc.constantFrom(...lineStarts), { maxLength: 3 }), fc.constantFrom(...lineBodies))
  .map(([starts, body]) => starts.join('') + body);

/** Lines of markdown syntax in no sensible order. It begins with text, as front matter is no concern here. */
export const lineSoupNote: fc.Arbitrary<string> = fc
  .tuple(fc.array(lineSoup, { maxLength: 12 }), lineEnds)
  .map(([lines, ends]) => joinLines(['text', '', ...lines], ends, true));

const fragments = [
  ...lookAlikes,
  '<!-- preflexor k3v9q2 begin -->',
  '<!-- preflexor k3v9q2 end -->',
  '> [!reflection]- Reflection',
  '[!answer]+ x',
  '[!note]',
  '  [!tip] x',
  '```',
  '```html',
  '~~~',
  '````',
  '<div>',
  '</div>',
  '<script>alert(1)</script>',
  '<b onclick="x">',
  '<!--',
  '-->',
  '--->',
  '--!>',
  '<|thinking|>',
  '<|/thinking|>',
  '<|reflect|>',
  '<think>',
  '\\',
  '\\\\',
  '\\<b>',
  '\\\\<b>',
  '<?php ?>',
  '<![CDATA[ x ]]>',
  '<!DOCTYPE x>',
  '[x](command:a.b)',
  '[x]( command:a)',
  '[x](\ncommand:a)',
  '> [x](\n> command:a)',
  '[x](<command:a>)',
  '[x](<&#99;ommand:a>)',
  '[x](c&#111;mmand:a)',
  '[x](command&colon;a)',
  '[x](command\\:a)',
  '[x](\\command:a)',
  '[x](java\nscript:a)',
  '[x](JavaScript:alert(1))',
  '[x](< javascript:a>)',
  '[x](vscode://a)',
  '[x](file:///etc/passwd)',
  '[x](data:text/html,x)',
  '[x](https://example.org)',
  '[x](figure.png)',
  '[x][y]',
  '[y]: command:a',
  '[y]:\ncommand:a',
  '[y]: <command:a>',
  '[x]',
  '[x]: https://evil.example',
  '[^1]',
  '[^1]: footnote',
  '![i](https://track.example/i.png)',
  '![[embed]]',
  '[![a](b)](command:c)',
  '<command:a>',
  '<https://example.org>',
  'www.example.org',
  '| a | b |\n|---|---|',
  '# Heading',
  '===',
  '---',
  '$$',
  '$x<y$',
  '> ',
  '>',
  '\t',
  '    ',
  '  ',
  ' ',
  '',
  '<',
  '[',
  ']',
  '](',
  ']:',
  '!',
  ':',
  '-',
  '(',
  '&#60;b>',
  '*a*',
  '`',
  '``',
  '- item',
  '1. item',
  '- ```',
  '> ```',
  '😀',
  'e\u0301',
  'plain words',
  'Words, and more of them.',
  '@key',
  '[@key]',
];
const dirt = [
  '\r',
  '\r\n',
  '\u2028',
  '\u2029',
  '\u0085',
  '\v',
  '\f',
  '\0',
  '\u001b',
  '\u007f',
  '\ud800',
  '\udc00',
  '\ufeff',
];

/** What a model, or a document that it was shown, may come up with. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom(...fragments), fc.constantFrom('', '', ' ', '\n', '\n', '\n\n')), {
        maxLength: 8,
      })
      .map((parts) => parts.flat().join('')),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.constantFrom(...fragments, ...dirt), { maxLength: 8 })
      .map((parts) => parts.join('')),
  },
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('\\', '<', '[', ']', '(', ')', ':', '!', '-', '>', '\n', 'a', ' ', '&', '|'),
    maxLength: 24,
  }),
);
