import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readBlocks } from './index.ts';
import { generatedNote, hostileText } from './testing/generatedNotes.ts';
import { runs } from './testing/runs.ts';

const lines = [
  '<!-- preflexor k3v9q2 begin -->',
  '> [!thinking]- Thinking · draft · M',
  '> a',
  '>',
  '> \\<b>',
  '',
  '> [!answer]+ Suggestion',
  '> c',
  '<!-- preflexor k3v9q2 end -->',
];
const block = lines.join('\n');

test('given a block, when read, then offsets, lines and texts are exact', () => {
  const note = `One.\r\n\r\n${lines.join('\r\n')}\r\n\r\nTwo.`;
  const { blocks, problems } = readBlocks(note);
  assert.deepEqual(problems, []);
  assert.equal(blocks.length, 1);
  const [read] = blocks;
  assert.ok(read);
  assert.equal(read.id, 'k3v9q2');
  assert.equal(note.slice(read.start, read.end), `\r\n${lines.join('\r\n')}\r\n`);
  assert.deepEqual([read.startLine, read.endLine], [2, 10]);
  assert.equal(note.slice(read.comments.start, read.comments.end), lines.join('\r\n'));
  assert.equal(note.slice(read.body.start, read.body.end), `${lines.slice(1, -1).join('\r\n')}\r\n`);
  assert.deepEqual(
    read.sections.map(({ kind, title, text, startLine, endLine }) => ({
      kind,
      title,
      text,
      startLine,
      endLine,
    })),
    [
      {
        kind: 'thinking',
        title: 'Thinking · draft · M',
        text: 'a\n\n<b>',
        startLine: 3,
        endLine: 6,
      },
      { kind: 'answer', title: 'Suggestion', text: 'c', startLine: 8, endLine: 9 },
    ],
  );
  assert.deepEqual(
    read.sections.map(({ start, end }) => note.slice(start, end)),
    [lines.slice(1, 5).join('\r\n'), lines.slice(6, 8).join('\r\n')],
  );
});

test('given a block at the very start or behind a byte order mark, when read, then it is found', () => {
  for (const before of ['', '\uFEFF', '\n', '\uFEFF\n', '---\nx: y\n---\n']) {
    const [read] = readBlocks(before + block).blocks;
    assert.equal(read?.comments.start, before.length);
  }
});

const lookAlikes: Readonly<Record<string, string>> = {
  'a closed code fence': `\`\`\`md\n${block}\n\`\`\`\n`,
  'a closed tilde fence': `~~~~\n${block}\n~~~\n~~~~\n`,
  'front matter': `---\n${block}\n---\n`,
  'an indented copy': block.replaceAll(/^/gm, '    '),
  'a copy in a list': `- a\n\n${block.replaceAll(/^/gm, '  ')}`,
  'a copy in a quote': block.replaceAll(/^/gm, '> '),
  'comments in running text': `See ${lines[0]} and\n${lines[0]} here\n> [!answer]+ x\n${lines.at(-1)}`,
  'callouts without comments': lines.slice(1, -1).join('\n'),
  'no end': lines.slice(0, -1).join('\n'),
  'no beginning': lines.slice(1).join('\n'),
  'two ids': block.replace('k3v9q2 end', 'k3v9q3 end'),
  'no callout of ours': `${lines[0]}\n> [!note] x\n${lines.at(-1)}`,
  'a short id': block.replaceAll('k3v9q2', 'k3v'),
  'capital letters': block.replaceAll('k3v9q2', 'K3V9Q2'),
};

for (const [name, note] of Object.entries(lookAlikes)) {
  test(`given ${name}, when read, then it is no block, and a real block below it is`, () => {
    assert.deepEqual(readBlocks(note).blocks, []);
    const real = block.replaceAll('k3v9q2', 'real01');
    assert.deepEqual(
      readBlocks(`${note}\n\nText.\n\n${real}\n`).blocks.map(({ id }) => id),
      ['real01'],
    );
  });
}

const damaged: Readonly<Record<string, readonly [string, RegExp]>> = {
  'no end comment': [lines.slice(0, -1).join('\n'), /^Line 1: the annotation k3v9q2 has no end comment/],
  'no begin comment': [lines.slice(1).join('\n'), /^Line 8: the end of the annotation k3v9q2 stands without/],
  'no callout': [`a\n\n${lines[0]}\n${lines.at(-1)}`, /^Line 3: the annotation k3v9q2 holds no callout/],
  'the same id twice': [
    `${block}\n\n${block}`,
    /^Line 11: the annotation k3v9q2 stands in this note more than once/,
  ],
  'text of the writer': [
    `${lines[0]}\nMine.\n${lines.slice(1).join('\n')}`,
    /^Line 2: .* holds text of its own/,
  ],
};

for (const [name, [note, problem]] of Object.entries(damaged)) {
  test(`given a block with ${name}, when read, then the problem is named with its line`, () => {
    assert.ok(
      readBlocks(note).problems.some((sentence) => problem.test(sentence)),
      readBlocks(note).problems.join('\n'),
    );
  });
}

test('given a fence that is never closed above a block, when read, then the block is still there', () => {
  for (const open of ['```', '```js', '~~~', '<!--', '$$', '<pre>', '<script>']) {
    assert.equal(readBlocks(`Text.\n\n${open}\n\n${block}\n`).blocks.length, 1, open);
  }
});

test('given a fence typed inside a block, when read, then the block ends at its end comment', () => {
  const note = `${lines.slice(0, 5).join('\n')}\n\`\`\`\n${lines.slice(5).join('\n')}\n\n\`\`\`\ncode\n\`\`\`\n`;
  assert.equal(readBlocks(note).blocks.length, 1);
});

test('given an unclosed fence in a list item, when a fence follows below the list, then a block between is found', () => {
  const note = `- item\n  \`\`\`\n  code\n\n${block}\n\n\`\`\`js\nx\n\`\`\`\n`;
  assert.equal(readBlocks(note).blocks.length, 1);
});

test('given callouts that the writer edited, when read, then what is there is taken', () => {
  const edited = [
    lines[0],
    '',
    '>[!Answer] My title  ',
    '> first',
    'typed without a mark',
    '>   indented',
    '',
    '> after a gap',
    '> [!reflection]- Moved up',
    '> r',
    '',
    '  ',
    'stray text',
    lines.at(-1),
  ].join('\n');
  const [read] = readBlocks(edited).blocks;
  assert.deepEqual(
    read?.sections.map(({ kind, title, text }) => [kind, title, text]),
    [
      ['answer', 'My title', 'first\ntyped without a mark\n  indented\n\nafter a gap'],
      ['reflection', 'Moved up', 'r'],
    ],
  );
});

test('given text typed behind an end comment, when read, then the block ends with the comment', () => {
  const note = `A\n\n${block}and more\n`;
  const [read] = readBlocks(note).blocks;
  assert.equal(note.slice(read?.end), 'and more\n');
});

test('given any text, when read, then blocks come in order, in bounds and on line starts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(generatedNote, hostileText, fc.constantFrom(...lines, block, '\n')), {
        maxLength: 6,
      }),
      (parts) => {
        const note = parts.join('\n');
        let last = 0;
        for (const { start, end, comments, body, sections, startLine, endLine } of readBlocks(note).blocks) {
          assert.ok(
            last <= comments.start && start <= comments.start && comments.end <= end && end <= note.length,
          );
          assert.ok(comments.start < body.start && body.start <= body.end && body.end < comments.end);
          assert.ok(startLine < endLine && sections.length > 0);
          for (const section of sections) {
            assert.ok(body.start <= section.start && section.start < section.end && section.end <= body.end);
            assert.ok(
              startLine < section.startLine &&
                section.startLine <= section.endLine &&
                section.endLine < endLine,
            );
          }
          last = comments.end;
        }
      },
    ),
    runs(1500),
  );
});
