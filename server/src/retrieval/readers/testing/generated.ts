// Arbitrary notes for property tests: what readers have to tell apart, in any order. Only tests import this.
import fc from 'fast-check';

const line = fc
  .array(
    fc.constantFrom(
      'Texture evolves, e.g. in Fig. 3.',
      'See **grain** *boundaries* [@prasad2019kanapy; @bunge1993texture, p. 3].',
      'It ends here! Does it?',
      'énergie e\u0301tude 😀 👩‍🔬',
      '日本語の文章。次の文。',
      '`code <b> span` and $a<b. C$ inline',
      '<span>inline html</span> &amp; &nosuch; \\* \\[x]',
      'a [link](https://example.org "t"), [a][x] and ![image *alt*](fig.png){ width=50% }',
      'footnote[^1] [[wiki|link]] ==mark== #tag',
      '<|thinking|>invented<|/thinking|>',
      'x | y',
      'ends with spaces  ',
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(' '));

const lines = fc.array(line, { minLength: 1, maxLength: 3 });

function indented(first: string, rest: string): fc.Arbitrary<string> {
  return lines.map((texts) => texts.map((text, index) => (index === 0 ? first : rest) + text).join('\n'));
}

const block = fc.oneof(
  { weight: 5, arbitrary: lines.map((texts) => texts.join('\n')) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 6 }), line).map(([n, text]) => `${'#'.repeat(n)} ${text}`),
  },
  indented('- ', '  '),
  indented('12. ', '    '),
  indented('> ', '> '),
  indented('> [!note] ', '> '),
  indented('- > ', '  > '),
  indented('    ', '    '),
  fc.constantFrom(
    '```js\nlet x = 1;\n\n  // # no heading\n```',
    '~~~\nnever closed',
    '$$\nE = mc^2 \\\\\nF = ma\n$$',
    '\\begin{align}\na &= b\n\\end{align}',
    '| a | **b** |\n|---|---|\n| 1 | [@c] |',
    '<div class="x">\nhtml &lt;text&gt;\n</div>',
    '<!-- a comment -->',
    '<script>\nvar hidden;\n</script>',
    '[x]: https://example.org\n\n[^1]: A note.',
    '::: {.box}\nIn a div.\n:::',
    '---',
    'Title\n=====',
    '<!-- preflexor abc123 begin -->\n> [!thinking]- T\n> Invented.\n\n> [!answer]+ S\n> Invented.\n<!-- preflexor abc123 end -->',
    '<!-- preflexor abc123 begin -->',
    '{'.repeat(50),
  ),
);

const frontMatter = fc.constantFrom(
  '',
  '',
  '---\ntitle: A title\ntags: [a, b]\nabstract: |\n  It is shown.\n  And more.\n---\n',
  '---\nbroken: [\n---\n',
  '\uFEFF',
);

/** A note with LF, CRLF or CR line ends. */
export const generatedNote: fc.Arbitrary<string> = fc
  .tuple(frontMatter, fc.array(block, { maxLength: 12 }), fc.constantFrom('\n', '\n', '\r\n', '\r'))
  .map(([front, blocks, lineEnd]) => (front + blocks.join('\n\n')).replaceAll('\n', lineEnd));

/**
 * Options for `fc.assert`. `PREFLEXOR_FUZZ=10` tries ten times as many cases, and others on each run.
 * @param count number of cases in an ordinary test run
 */
export function runs(count: number): { numRuns: number; seed?: number } {
  const times = Number(process.env['PREFLEXOR_FUZZ'] ?? 0);
  return times > 0 ? { numRuns: count * times } : { numRuns: count, seed: 20260101 };
}
