// strip(annotate(x)) = x, byte for byte: at every paragraph, with hostile texts, after edits, beside look-alikes.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits, insertBlock, normaliseModelText, readBlocks, stripBlocks } from './index.ts';
import { lineAt } from './lines.ts';
import { StructureScanner } from './structure.ts';
import { generatedNote, hostileText } from './testing/generatedNotes.ts';
import { allParagraphs } from './testing/places.ts';
import { runs } from './testing/runs.ts';

interface Texts {
  readonly thinking: string;
  readonly reflection: string;
  readonly answer: string;
}

const texts: fc.Arbitrary<Texts> = fc.record({
  thinking: hostileText,
  reflection: hostileText,
  answer: hostileText,
});

function annotate(note: string, insertAt: number, id: string, content: Texts): string {
  const edit = insertBlock(note, insertAt, {
    id,
    ...content,
    iteration: 1,
    of: 3,
    model: content.reflection,
  });
  return applyEdits(note, [edit]);
}

test('given any note, when annotated at any paragraph and stripped, then it is as it was and nothing was lost', () => {
  fc.assert(
    fc.property(generatedNote, texts, (note, content) => {
      for (const { insertAt } of allParagraphs(note)) {
        const annotated = annotate(note, insertAt, 'k3v9q2', content);
        const [block, ...others] = readBlocks(annotated).blocks.filter(({ id }) => id === 'k3v9q2');
        assert.ok(block && others.length === 0, 'one block is read');
        for (const kind of ['thinking', 'reflection', 'answer'] as const) {
          const read: string = block.sections.find((section) => section.kind === kind)?.text ?? '';
          const written = normaliseModelText(content[kind]);
          assert.equal(read, kind === 'answer' || written.trim() !== '' ? written : '', kind);
        }
        assert.equal(stripBlocks(annotated, ['k3v9q2']).text, note);
        assert.equal(stripBlocks(annotated).text, stripBlocks(note).text);
      }
    }),
    runs(800),
  );
});

for (const file of globSync('test/fixtures/corpus/*/paper.md')) {
  test(`given ${file}, when annotated at every paragraph and stripped, then it is as it was`, () => {
    const paper = readFileSync(file, 'utf8');
    const content = {
      thinking: '> [!answer]\n<!--',
      reflection: '```',
      answer: '<!-- preflexor k3v9q2 end -->\n',
    };
    for (const note of [paper, paper.replaceAll('\n', '\r\n'), paper.trimEnd()]) {
      const places = allParagraphs(note);
      assert.ok(places.length >= 5, 'the paper has paragraphs');
      for (const { insertAt } of places) {
        assert.equal(stripBlocks(annotate(note, insertAt, 'k3v9q2', content)).text, note);
      }
    }
  });
}

test('given several blocks, also at one paragraph, when stripped together or one by one, then the note is as it was', () => {
  fc.assert(
    fc.property(
      generatedNote,
      fc.array(fc.tuple(texts, fc.nat()), { minLength: 2, maxLength: 4 }),
      (note, blocks) => {
        let annotated = note;
        const states = [note];
        const ids: string[] = [];
        for (const [index, [content, choice]] of blocks.entries()) {
          const places = allParagraphs(annotated);
          const place = places[choice % Math.max(places.length, 1)];
          if (!place) return;
          ids.push(`block0${index}`);
          annotated = annotate(annotated, place.insertAt, `block0${index}`, content);
          states.push(annotated);
        }
        assert.equal(stripBlocks(annotated, ids).text, note, 'all at once');
        let last = annotated;
        for (const [index, id] of [...ids.entries()].reverse()) {
          last = stripBlocks(last, [id]).text;
          assert.equal(last, states[index], 'the last one first');
        }
        let first = annotated;
        for (const id of ids) first = stripBlocks(first, [id]).text;
        assert.equal(first, note, 'the first one first');
      },
    ),
    runs(150),
  );
});

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Whether a block's begin comment was put into code or front matter: there it is no block. */
function isHidden(annotated: string, id: string): boolean {
  const scanner = new StructureScanner(annotated, { unclosed: 'ignored' });
  while (scanner.nextLine()) {
    if (annotated.startsWith(`<!-- preflexor ${id} begin`, scanner.start)) return scanner.region !== null;
  }
  return false;
}

/** Moves a place in a note so that it splits no CRLF. */
function whole(note: string, place: number): number {
  return note[place - 1] === '\r' && note[place] === '\n' ? place + 1 : place;
}

test('given edits around a block, when stripped, then the note is as if it had been edited without the block', () => {
  const edits = fc.array(
    fc.tuple(
      fc.nat(),
      fc.nat(12),
      fc.constantFrom('', 'x', 'new words ', '# ', '> ', '- ', '```', '<!--', '😀', 'EOL', 'EOLEOL'),
    ),
    { minLength: 1, maxLength: 3 },
  );
  let tried = 0;
  fc.assert(
    fc.property(generatedNote, texts, fc.nat(), edits, (note, content, choice, drafts) => {
      const places = allParagraphs(note);
      const place = places[choice % Math.max(places.length, 1)];
      if (!place) return;
      const { insertAt } = place;
      const annotated = annotate(note, insertAt, 'k3v9q2', content);
      const added = annotated.length - note.length;
      // The line end above the block is where it hangs: what may be edited before ends with the text of that line.
      const atEnd = insertAt === note.length && lineAt(note, insertAt).start !== insertAt;
      const anchor = atEnd ? insertAt : lineAt(note, insertAt - 1).end;
      let plain = note;
      let edited = annotated;
      let shift = 0;
      let limit = anchor;
      for (const [at, length, draft] of drafts) {
        const text = draft.replaceAll(
          'EOL',
          note.includes('\r\n') ? '\r\n' : note.includes('\r') ? '\r' : '\n',
        );
        const before = at % 2 === 0;
        const from = before ? 0 : insertAt + shift + (atEnd ? 1 : 0);
        const to = before ? limit : plain.length;
        if (from > to) continue;
        const start = whole(plain, from + (Math.floor(at / 2) % (to - from + 1)));
        const end = whole(plain, Math.min(start + length, to));
        if (start > to || end > to) continue;
        const edit: Edit = { start, end, text };
        if (joinsLineEnds(plain, edit)) continue;
        plain = applyEdits(plain, [edit]);
        edited = applyEdits(edited, [before ? edit : { start: start + added, end: end + added, text }]);
        if (before) {
          shift += text.length - (end - start);
          limit += text.length - (end - start);
        }
      }
      if (isHidden(edited, 'k3v9q2')) return;
      tried += 1;
      assert.equal(stripBlocks(edited, ['k3v9q2']).text, plain, JSON.stringify({ edited }));
    }),
    runs(1000),
  );
  assert.ok(tried > 300, `${tried} cases were tried`);
});

/** Whether an edit would make one line end of a CR and an LF that were two. */
function joinsLineEnds(note: string, { start, end, text }: Edit): boolean {
  const joined = note.slice(0, start) + text + note.slice(end);
  const seams = [start, start + text.length];
  return seams.some((place) => joined[place - 1] === '\r' && joined[place] === '\n');
}

test('given look-alikes around a block, when stripped, then they stay', () => {
  const lookAlike =
    '<!-- preflexor abc123 begin -->\n> [!answer]+ Suggestion\n> x\n<!-- preflexor abc123 end -->';
  const note = [
    `~~~md\n${lookAlike}\n~~~`,
    '> [!thinking]- Thinking\n> by hand',
    'The paragraph.',
    `- item\n\n${lookAlike.replaceAll(/^/gm, '  ')}`,
    '<!-- preflexor abc123 begin -->',
    'Text.',
    '<!-- preflexor abc124 end -->',
    '',
  ].join('\n\n');
  for (const { insertAt } of allParagraphs(note)) {
    const content = { thinking: lookAlike, reflection: '~~~', answer: lookAlike };
    assert.equal(stripBlocks(annotate(note, insertAt, 'k3v9q2', content)).text, note);
  }
});

test('given ids, when stripped, then only their blocks go', () => {
  const one = annotate('A\n\nB\n', 2, 'block01', { thinking: '', reflection: '', answer: 'x' });
  const both = annotate(one, one.length, 'block02', { thinking: '', reflection: '', answer: 'y' });
  assert.deepEqual(stripBlocks(both, ['block02']).text, one);
  assert.deepEqual(stripBlocks(both, ['nothing']), { text: both, edits: [], removed: 0 });
});
