import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../errors.ts';
import { applyEdits, insertBlock, paragraphAt, relocate } from './index.ts';
import type { Paragraph } from './index.ts';
import { describe, proseAt } from './paragraphs.ts';
import { ParsedNote } from './parsedNote.ts';
import { generatedNote, lineSoupNote } from './testing/generatedNotes.ts';
import { allParagraphs, lineStarts } from './testing/places.ts';
import { runs } from './testing/runs.ts';

/** The paragraph at `|`, which is taken out of the note. */
function at(marked: string): Paragraph & { note: string } {
  const offset = marked.indexOf('|');
  const note = marked.replace('|', '');
  return { ...paragraphAt(note, offset), note };
}

function refusal(marked: string): { message: string; remedy: string | null; code: string } {
  try {
    const { text } = at(marked);
    assert.fail(`a paragraph was found: ${text}`);
  } catch (error) {
    assert.ok(PreflexorError.is(error), String(error));
    return { message: error.message, remedy: error.remedy, code: error.code };
  }
}

test('given a cursor in a paragraph, when asked, then all of it is known', () => {
  const paragraph = at(
    '# Title\n\n## Old\n\nx\n\n## The `part`\n\nBefore it.\n\nText [@a; see @b, p. 2]|\nand more.\n\nAfter it.\n',
  );
  const { note, ...known } = paragraph;
  assert.deepEqual(known, {
    start: note.indexOf('Text'),
    end: note.indexOf('more.') + 5,
    text: 'Text [@a; see @b, p. 2]\nand more.',
    headingPath: ['Title', 'The `part`'],
    before: 'x\n\nBefore it.',
    after: 'After it.',
    citations: ['a', 'b'],
    insertAt: note.indexOf('more.') + 6,
    continuationPrefix: '',
  });
});

const cases: Readonly<Record<string, readonly [string, Partial<Paragraph>]>> = {
  'the start of a note': ['|A b', { start: 0, end: 3, insertAt: 3 }],
  'the end of a note': ['A b|', { start: 0, end: 3, insertAt: 3 }],
  'a note with a byte order mark': ['\uFEFFA|', { start: 1, end: 2, text: 'A' }],
  'text below front matter': ['---\na: b\n---\nA|\n', { start: 13, text: 'A', insertAt: 15 }],
  'a note that begins with a rule': ['---\n> A|\n', { text: 'A', continuationPrefix: '> ' }],
  'CRLF lines': ['A\r\n\r\nB |1\r\nB 2\r\n\r\nC', { start: 5, end: 13, text: 'B 1\nB 2', insertAt: 15 }],
  'CR lines': ['A\r\rB |1\rB 2\r\rC', { start: 3, end: 10, text: 'B 1\nB 2', insertAt: 11 }],
  'emoji and combining characters': ['😀 👩‍🔬\n\ne\u0301|tude\n', { start: 10, end: 16, text: 'e\u0301tude' }],
  'indentation and trailing spaces': [
    '   A  \n  B|  \n\n',
    { start: 3, end: 10, text: 'A  \nB', insertAt: 13 },
  ],
  tabs: ['-\tA|\n\tB\n', { start: 2, text: 'A\nB', continuationPrefix: '    ', insertAt: 7 }],
  'a list item': [
    '- one\n- two|\n  more\n- three\n\nAfter\n',
    { text: 'two\nmore', continuationPrefix: '  ', insertAt: 27 },
  ],
  'a nested item': [
    '1. one\n   - tw|o\n\n   end\n',
    { text: 'two', continuationPrefix: '     ', insertAt: 24 },
  ],
  'an item within an item on one line': ['- 1. a|\n     b\n', { text: 'a\nb', continuationPrefix: '     ' }],
  'a wide item': ['10)   a|\n\n      b\n', { text: 'a', continuationPrefix: '      ', insertAt: 17 }],
  'a task that begins with emphasis': ['- [x]  **do** it|\n', { start: 7, text: '**do** it' }],
  'a task of brackets': ['- [ ] [ ] x|\n', { start: 6, text: '[ ] x' }],
  'a task': ['- [ ] do|\n  it\n', { start: 6, text: 'do\nit', continuationPrefix: '  ' }],
  'a quote': ['> A\n> B|\n>\n> C\n\nD', { text: 'A\nB', continuationPrefix: '> ', insertAt: 14 }],
  'a lazy line': ['> A\nB|\n\nC', { text: 'A\nB', continuationPrefix: '> ', insertAt: 6 }],
  'a quote in a list': ['- > A|\n  > B\n', { text: 'A\nB', continuationPrefix: '  > ' }],
  'a list in a quote': ['> - A|\n>   B\n', { text: 'A\nB', continuationPrefix: '>   ' }],
  'a footnote': [
    'x[^1]\n\n[^1]: A|\n    B\n\n    C\n',
    { text: 'A\nB', continuationPrefix: '    ', insertAt: 28 },
  ],
  'a lazy line that looks like a quote': ['> A\n     > B|\n', { text: 'A\n> B' }],
  'a paragraph before a heading': ['A|\n# B\n', { text: 'A', insertAt: 2 }],
  'a paragraph in HTML': ['<div>\n\nA|\n\n</div>\n', { text: 'A' }],
  'a callout’s text': ['> [!note] Title\n> A|\n> B\n', { start: 18, text: 'A\nB' }],
  'a pandoc div': ['::: note\nA|\nB\n:::\n', { start: 9, end: 12, text: 'A\nB', insertAt: 17 }],
  'a paragraph with a block below': [
    'A|\n\n<!-- preflexor k3v9q2 begin -->\n> [!answer]+ S\n<!-- preflexor k3v9q2 end -->\n\nB\n',
    { text: 'A', insertAt: 80, after: 'B' },
  ],
  'an underlined heading above': ['Head *x*\n===\n\nA|', { headingPath: ['Head *x*'] }],
  'link definitions above an underline': ['# H\n\n[x]: y\n===\n\nA|', { headingPath: ['H'] }],
  'a definition and a heading under one underline': ['[x]: y\nHead\n===\n\nA|', { headingPath: ['Head'] }],
  'a paragraph before its heading': ['A|\n\n# H\n', { headingPath: [] }],
  'headings that skip levels': ['# A\n### B\n## C\n#### D\n\nx|', { headingPath: ['A', 'C', 'D'] }],
  'a heading in a list': ['# A\n\n- # B\n\nx|', { headingPath: ['A'] }],
  'citations of all kinds': [
    'x|[-@a:b] @{c/d}, @e_f. `@no` $@no$ me@no.org \\@no [@a:b] <i>@g</i> https://x.org/@no',
    { citations: ['a:b', 'c/d', 'e_f', 'g'] },
  ],
};

for (const [name, [marked, expected]] of Object.entries(cases)) {
  test(`given ${name}, when asked, then the paragraph is told exactly`, () => {
    const found: Record<string, unknown> = { ...at(marked) };
    const shown = Object.fromEntries(Object.keys(expected).map((key) => [key, found[key]]));
    assert.deepEqual(shown, expected);
  });
}

const block = '<!-- preflexor k3v9q2 begin -->\n> [!answer]+ S\n> text|\n<!-- preflexor k3v9q2 end -->\n';
const refusals: Readonly<Record<string, readonly [string, RegExp]>> = {
  'front matter': ['---\na: |b\n---\n\nText\n', /front matter/],
  'a code block': ['Text\n\n```js\nx| = 1\n```\n', /in a code block\.$/],
  'a code block that is never closed': [
    'Text\n\n```js\nx| = 1\n\nMore\n',
    /code block that begins in line 3 and is never closed/,
  ],
  'indented code': ['Text\n\n    x| = 1\n', /in a code block\.$/],
  'code in a list': ['- a\n\n  ```\n  x|\n  ```\n', /in a code block\.$/],
  'a math block': ['$$\nx|\n$$\n', /math block/],
  'a heading': ['# Head|\n', /in a heading/],
  'an underlined heading': ['Head|\n---\n', /in a heading/],
  HTML: ['<div>\nx|\n</div>\n', /in HTML/],
  'a comment': ['<!-- x|\n-->\n', /in HTML/],
  'a rule': ['a\n\n***|\n', /on a rule/],
  'a link definition': ['[x]: ht|tp://y\n', /link definition/],
  'a LaTeX block': ['\\begin{align}\nx|\n\\end{align}\n', /LaTeX block/],
  'the title of a callout': ['> [!note] Ti|tle\n> Text\n', /title of a callout/],
  'an annotation': [`Text\n\n${block}`, /in the annotation k3v9q2/],
  'an empty line between paragraphs': ['A\n|\nB\n', /on an empty line/],
  'the empty line at the end': ['A\n\n|', /on an empty line/],
  'an empty line in a quote': ['> A\n>|\n> B\n', /on an empty line/],
  'an empty item': ['- a\n-|\n', /without text/],
  'an empty note': ['|', /no text yet/],
  'a note of white space': [' \n\t|\n', /no text yet/],
};

for (const [name, [marked, message]] of Object.entries(refusals)) {
  test(`given ${name}, when asked, then a sentence says so and what to do`, () => {
    const refused = refusal(marked);
    assert.equal(refused.code, 'not-a-paragraph');
    assert.match(refused.message, message);
    assert.ok(refused.remedy);
  });
}

test('given a table, when asked, then a sentence says so and what to do', () => {
  for (const offset of [2, 12, 24]) {
    assert.throws(
      () => paragraphAt('| a | b |\n| - | - |\n| c | d |\n', offset),
      (error) => PreflexorError.is(error, 'not-a-paragraph') && error.message.includes('in a table'),
    );
  }
});

test('given notes that are too large or not text, when asked, then they are refused with a remedy', () => {
  const refuses = (note: string, code: 'note-too-large' | 'not-text'): void => {
    assert.throws(
      () => paragraphAt(note, 0),
      (error) => PreflexorError.is(error, code) && error.remedy !== null,
    );
  };
  refuses('a '.repeat(2.5 * 1024 * 1024), 'note-too-large');
  refuses('GGUF\0\u0003\0\0', 'not-text');
  refuses('\u0001\u0002ab\ufffd\ufffd', 'not-text');
  assert.equal(paragraphAt('a\tb\u001b[0m and much more text around it', 0).start, 0);
});

test('given a block that is too long to be parsed, when asked there or beside it, then there it is refused only', () => {
  const note = `Before.\n\n${'words '.repeat(60_000)}\n\nAfter.\n`;
  assert.throws(
    () => paragraphAt(note, 20_000),
    (error) => PreflexorError.is(error, 'note-too-large') && error.remedy !== null,
  );
  assert.equal(paragraphAt(note, 0).text, 'Before.');
  assert.equal(paragraphAt(note, note.length - 3).before, '');
});

test('given a very long list, when asked within, then a block goes behind all of it', () => {
  const list = '- an item of an outline\n'.repeat(20_000);
  const note = `${list}\nAfter.\n`;
  const paragraph = paragraphAt(note, 240_000);
  assert.deepEqual([paragraph.text, paragraph.insertAt], ['an item of an outline', list.length]);
});

test('given an offset outside the note, when asked, then the nearest end counts', () => {
  assert.equal(paragraphAt('A\n\nB', 99).text, 'B');
  assert.equal(paragraphAt('A\n\nB', -5).text, 'A');
});

test('given long prose around, when asked, then whole sentences near the paragraph are given, never annotations', () => {
  const sentences = (name: string, count: number): string =>
    Array.from({ length: count }, (_, index) => `Sentence ${name}${index} is here.`).join(' ');
  const thinking = 'Secret thinking. '.repeat(1000);
  let note = `${sentences('b', 200)}\n\n\`\`\`\ncode\n\`\`\`\n\n| t |\n| - |\n\nThe one.\n\n${sentences('a', 100)}\n`;
  const content = { thinking, answer: thinking, iteration: 0, of: 0, model: 'M' };
  for (const [index, text] of ['The one.', 'Sentence b199 is here.'].entries()) {
    const { insertAt } = paragraphAt(note, note.indexOf(text));
    note = applyEdits(note, [insertBlock(note, insertAt, { id: `block0${index}`, ...content })]);
  }
  const { before, after } = paragraphAt(note, note.indexOf('The one.'));
  assert.match(before, /^Sentence b\d+ is here\. [\s\S]*Sentence b199 is here\.$/);
  assert.ok(before.length > 1000 && before.length <= 1200);
  assert.match(after, /^Sentence a0 is here\.[\s\S]* is here\.$/);
  assert.ok(after.length > 500 && after.length <= 600);
});

test('given any notes, when only a window is parsed, then each line gives what the whole note gives', () => {
  const filler = `\n\n${`${'Some filler prose here. '.repeat(20)}\n\n`.repeat(10)}`;
  const longList = fc
    .array(
      fc.constantFrom(
        '- item',
        '- ',
        '- > quoted',
        '  more',
        '  - nested',
        '',
        '1. one',
        '2) two',
        '* star',
        '  ```',
        'lazy',
        '    code',
      ),
    )
    .map((lines) =>
      lines
        .flatMap((line) => [line, ...Array.from({ length: 20 }, () => '- an item of some words')])
        .join('\n'),
    );
  let windows = 0;
  const answer = (parsed: ParsedNote, offset: number): Paragraph | string => {
    try {
      return describe(parsed, proseAt(parsed, offset));
    } catch (error) {
      if (!PreflexorError.is(error, 'not-a-paragraph')) throw error;
      return `${error.message} ${error.remedy ?? ''}`;
    }
  };
  fc.assert(
    fc.property(
      fc.array(fc.oneof(generatedNote, lineSoupNote, longList), { minLength: 2, maxLength: 4 }),
      (parts) => {
        const note = parts.join(filler);
        const whole = new ParsedNote(note, { whole: true });
        const windowed = new ParsedNote(note);
        const lines = lineStarts(note);
        if ((windowed.windowAt(0)?.end ?? 0) < note.length) windows += 1;
        for (const line of lines) assert.deepEqual(answer(windowed, line), answer(whole, line), `at ${line}`);
      },
    ),
    runs(12),
  );
  assert.ok(windows >= 6, 'a window is less than the note, but where something is left open');
});

test('given any note, when its paragraphs are listed, then their places and texts agree with the note', () => {
  fc.assert(
    fc.property(generatedNote, (note) => {
      for (const { start, end, text, insertAt } of allParagraphs(note)) {
        assert.ok(start < end && end <= insertAt && insertAt <= note.length);
        const [first = '', ...others] = text.split('\n');
        assert.ok(note.startsWith(first, start));
        assert.ok(note.slice(start, end).endsWith(others.at(-1) ?? first));
        assert.equal(paragraphAt(note, start).text, text);
        assert.equal(paragraphAt(note, end).start, start);
      }
    }),
    runs(100),
  );
});

test('given edits elsewhere, when a paragraph is looked for, then it is found where it is now', () => {
  const note = '# A\n\nOne.\n\n- The text\n  of two lines\n\nOne.\n';
  const item = paragraphAt(note, note.indexOf('The'));
  const moved = `New.\r\n\r\n> quoted\n\n${note.replace('  of', '   of')}`;
  const found = relocate(moved, item);
  assert.equal(found?.start, moved.indexOf('The'));
  assert.equal(found.text, item.text);
  const quoted = relocate('> The text\n> of two lines\n', item);
  assert.equal(quoted?.continuationPrefix, '> ', 'it may be in another container by now');
});

test('given the same text several times, when looked for, then the nearest paragraph is taken', () => {
  const note = 'Same.\n\n```\nSame.\n```\n\nSame.\n\n| Same. |\n| - |\n\nSame. But more.\n\nSame.\n';
  assert.equal(relocate(note, { text: 'Same.', start: 20 })?.start, note.indexOf('Same.', 20));
  assert.equal(relocate(note, { text: 'Same.', start: 0 })?.start, 0);
  assert.equal(relocate(note, { text: 'Same.', start: 999 })?.start, note.lastIndexOf('Same.'));
});

test('given a paragraph that was changed, is gone, or is only in an annotation, when looked for, then there is none', () => {
  const edit = insertBlock('A\n', 2, { id: 'k3v9q2', answer: 'Text.', iteration: 0, of: 0, model: 'M' });
  for (const note of [
    'Text!\n',
    'More Text.\n',
    'Text. More\n',
    'Text.\nmore\n',
    '# Text.\n',
    '',
    applyEdits('A\n', [edit]),
  ]) {
    assert.equal(relocate(note, { text: 'Text.', start: 0 }), null, JSON.stringify(note));
  }
  assert.equal(relocate('Text.\n', { text: '', start: 0 }), null);
});

test('given any note, when each of its paragraphs is looked for after an edit above, then it is found', () => {
  fc.assert(
    fc.property(generatedNote, (note) => {
      const above = 'New paragraph above.\n\n';
      if (note.startsWith('---') || note.startsWith('+++') || note.startsWith('\uFEFF')) return;
      for (const paragraph of allParagraphs(note)) {
        const found = relocate(above + note, paragraph);
        assert.equal(found?.text, paragraph.text, JSON.stringify(note));
      }
    }),
    runs(80),
  );
});
