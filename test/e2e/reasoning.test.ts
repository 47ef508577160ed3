// The whole way in a real workbench, as a writer goes it, on the real small model: reason, watch, accept,
// undo, reject, stop, and what happens when the engine dies or the note is edited meanwhile.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Frame } from 'playwright-core';
import { repository } from '../../scripts/setup/paths.ts';
import { Workbench } from '../support/workbench.ts';

const corpus = path.join(repository, 'test/fixtures/corpus/kanapy');
const command = 'PRefLexOR: Reason About This Paragraph';
/** The paragraph about texture: one long line. Lines are counted from 1. */
const line = 32;
/** A run of the small model takes seconds; a machine that does other things as well takes longer. */
const runPatience = 120_000;

const settings = {
  'preflexor.reasoning.iterations': 0,
  'preflexor.reasoning.thinkingTokens': 64,
  'preflexor.reasoning.reflectionTokens': 24,
  'preflexor.reasoning.answerTokens': 32,
  'preflexor.reasoning.temperature': 0,
  // grounded.test.ts has passages.
  'preflexor.retrieval.enabled': false,
};

/** Whole numbers from `start` up to but without `end`. */
function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** A whole block as it stands in a note, with the blank line that it begins with. */
const blockPattern = /\n<!-- preflexor ([0-9a-z]{6,}) begin -->\n([\s\S]*?)<!-- preflexor \1 end -->\n/;

describe('given paper.md in the workbench', { timeout: 10 * 60_000 }, () => {
  let workbench: Workbench;
  let original: string;

  before(async () => {
    workbench = await Workbench.start({ folder: corpus, name: 'e2e', settings });
    original = await readFile(path.join(corpus, 'paper.md'), 'utf8');
  });
  after(async () => {
    await workbench.close();
  });
  afterEach(async (test) => {
    if ('passed' in test && !test.passed) await workbench.screenshot(`failed ${test.name.slice(0, 60)}`);
  });

  /** Opens a copy of the paper under its own name, with the cursor in the paragraph. */
  async function open(name: string): Promise<void> {
    if (name !== 'paper.md') await workbench.addFile(name, original);
    await workbench.openFile(name);
    await workbench.placeCursor(line, 20);
  }

  function view(timeout?: number): Promise<Frame> {
    return workbench.webview('preflexor-iterations', timeout);
  }

  /** How much text the view shows so far. */
  async function shownText(timeout?: number): Promise<string> {
    const streams = (await view(timeout)).locator('preflexor-stream');
    const texts = await streams.evaluateAll((all) =>
      all.map((one) => (one as unknown as { text: string }).text),
    );
    return texts.join('');
  }

  /** Starts a run and waits until the model has written something that the writer can see. */
  async function begin(): Promise<void> {
    // The first run is what opens the view.
    const earlier = await shownText(500).catch(() => '');
    await workbench.runCommand(command);
    await workbench.until(
      'text of a new run in the view',
      async () => {
        const text = await shownText();
        return text !== '' && text !== earlier;
      },
      runPatience,
    );
  }

  async function reason(name: string): Promise<string> {
    await open(name);
    await workbench.runCommand(command);
    await workbench.waitForLens('Accept', runPatience);
    return workbench.savedText(name);
  }

  /** The suggestion of the run that is shown, as the view shows it. */
  async function suggestion(): Promise<string> {
    const stream = (await view()).locator('preflexor-disclosure.answer preflexor-stream').last();
    const text = await stream.evaluate((one) => (one as unknown as { text: string }).text);
    assert.notEqual(text.trim(), '');
    return text.trim();
  }

  async function ledger(): Promise<{ kind: string; texts: Record<string, string | null> }[]> {
    const folder = path.join(workbench.folder, '.preflexor', 'ledger');
    const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl'));
    const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
    return texts
      .join('')
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { kind: string; texts: Record<string, string | null> });
  }

  it('when a paragraph is reasoned about then its text streams, and a folded block with lenses appears below', async () => {
    await open('paper.md');
    await workbench.screenshot('1 before');
    await begin();
    const first = (await shownText()).length;
    await workbench.screenshot('2 streaming');
    await workbench.until('the text to grow', async () => (await shownText()).length > first, runPatience);

    await workbench.waitForLens('Accept', runPatience);
    assert.deepEqual(await workbench.lenses(), [
      'Accept',
      'Review',
      'Accept my edit',
      'Reject',
      'Regenerate',
      'Compare',
    ]);
    const text = await workbench.savedText('paper.md');
    assert.equal(text.replace(blockPattern, ''), original);
    const lines = text.split('\n');
    const header = lines.findIndex((candidate) => candidate.startsWith('> [!thinking]-'));
    const reflection = lines.findIndex((candidate) => candidate.startsWith('> [!reflection]-'));
    assert.ok(header > line && reflection > header);
    // What is hidden: both bodies whole, and nothing else. A body ends at the blank line.
    const body = (from: number): number[] =>
      range(from + 2, lines.findIndex((candidate, index) => index > from && candidate === '') + 1);
    const wanted = [...body(header), ...body(reflection)];
    await workbench.until('the thinking and the reflection to be folded', async () => {
      return (await workbench.foldedLines()).join() === wanted.join();
    });
    await workbench.screenshot('3 folded');
    assert.equal(lines.slice(0, line).join('\n'), original.split('\n').slice(0, line).join('\n'));
  });

  it('when the suggestion is accepted by its lens then it takes the place of the paragraph, and one undo brings all back', async () => {
    const annotated = await reason('accept.md');
    const answer = await suggestion();
    const paragraph = original.split('\n')[line - 1] ?? '';
    await workbench.clickLens('Accept');
    await workbench.lens('Accept').waitFor({ state: 'hidden' });
    await workbench.screenshot('4 accepted');
    assert.equal(
      await workbench.savedText('accept.md'),
      original.replace(paragraph, () => answer),
    );
    await (await view()).getByText('Accepted').first().waitFor();

    await workbench.undo();
    await workbench.waitForLens('Accept');
    await workbench.screenshot('5 undone');
    assert.equal(await workbench.savedText('accept.md'), annotated);
    const entry = (await ledger()).at(-1);
    assert.deepEqual(
      [entry?.kind, entry?.texts['paragraph'], entry?.texts['result']],
      ['accept', paragraph, answer],
    );
  });

  it('when the suggestion is rejected with a reason then the note is what it was, byte for byte', async () => {
    await reason('reject.md');
    await workbench.clickLens('Reject');
    await workbench.answer('Too vague.');
    await workbench.lens('Reject').waitFor({ state: 'hidden' });
    assert.equal(await workbench.savedText('reject.md'), original);
    const entry = (await ledger()).at(-1);
    assert.deepEqual([entry?.kind, entry?.texts['reason']], ['reject', 'Too vague.']);
  });

  it('when the suggestion is edited and the edit accepted, all by keyboard, then the edited text is taken', async () => {
    await open('edit.md');
    await workbench.focusEditor();
    await workbench.page.keyboard.press('Control+Alt+R');
    await workbench.waitForLens('Accept', runPatience);
    const annotated = await workbench.savedText('edit.md');
    const answer = await suggestion();
    const answerLine = annotated.split('\n').findIndex((text) => text.startsWith('> [!answer]+')) + 2;
    await workbench.placeCursor(answerLine, 3);
    await workbench.page.keyboard.type('As I would say it: ');
    await workbench.runCommand('PRefLexOR: Accept My Edit of the Suggestion');
    await workbench.lens('Accept').waitFor({ state: 'hidden' });
    const paragraph = original.split('\n')[line - 1] ?? '';
    assert.equal(
      await workbench.savedText('edit.md'),
      original.replace(paragraph, () => `As I would say it: ${answer}`),
    );
    assert.equal((await ledger()).at(-1)?.kind, 'accept-edited');
  });

  it('when a run is stopped in the middle then nothing is inserted, and the model is ready', async () => {
    await open('stop.md');
    await begin();
    await (await view()).getByRole('button', { name: 'Stop' }).click();
    await (await view()).getByText('Stopped', { exact: true }).first().waitFor();
    await workbench.until('the model to be ready', async () =>
      (await workbench.statusLabels()).some((label) => /^PRefLexOR: .*, ready$/m.test(label)),
    );
    await workbench.screenshot('6 stopped');
    assert.equal(await workbench.isDirty(), false);
    assert.deepEqual(await workbench.lenses(), []);
    assert.equal(await workbench.savedText('stop.md'), original);
  });

  it('when the engine host is killed in the middle then the writer is told in a sentence, and the next run works', async () => {
    await open('killed.md');
    await begin();
    assert.equal(await workbench.killProcesses(/engineHost\.js/), 1);
    const failure = (await view()).locator('.failure');
    await failure.waitFor();
    await workbench.screenshot('7 engine killed');
    const told = await failure.innerText();
    assert.match(told, /\bmodel\b.*\./is);
    assert.doesNotMatch(told, /Error:|undefined|\bat [^ ]+\.js/);
    assert.equal(await workbench.savedText('killed.md'), original);

    await failure.getByRole('button', { name: 'Try Again' }).click();
    await workbench.waitForLens('Accept', runPatience);
    assert.equal((await workbench.savedText('killed.md')).replace(blockPattern, ''), original);
  });

  it('when the writer goes on writing elsewhere then every key counts, and the block lands below the paragraph', async () => {
    await open('typing.md');
    await begin();
    await workbench.focusEditor();
    await workbench.placeCursor(29, 1);
    await workbench.page.keyboard.type('Something new above.');
    await workbench.page.keyboard.press('Enter');
    await workbench.waitForLens('Accept', runPatience);
    const text = await workbench.savedText('typing.md');
    const lines = original.split('\n');
    lines.splice(28, 0, 'Something new above.');
    assert.equal(text.replace(blockPattern, ''), lines.join('\n'));
    assert.match(text.split('\n')[line + 2] ?? '', /^<!-- preflexor [0-9a-z]+ begin -->$/);
  });

  it('when the writer changes the very paragraph meanwhile then the change wins, and the suggestion is offered in the view', async () => {
    await open('changed.md');
    await begin();
    await workbench.focusEditor();
    await workbench.placeCursor(line, 1);
    await workbench.page.keyboard.type('Now: ');
    await (await view()).getByText('The paragraph was changed meanwhile').waitFor({ timeout: runPatience });
    await workbench.screenshot('8 paragraph changed');
    const lines = original.split('\n');
    lines[line - 1] = `Now: ${lines[line - 1] ?? ''}`;
    assert.equal(await workbench.savedText('changed.md'), lines.join('\n'));
    // It can't be accepted any more: a sentence says why, and what to do.
    await (await view()).getByRole('button', { name: 'Accept' }).click();
    assert.match(await workbench.notification(/paragraph/), /no longer in the note as it was\. Copy/);
    await workbench.dismissNotifications();
    assert.equal(await workbench.isDirty(), false);
  });

  it('when a suggestion is compared then a diff opens, and when it is regenerated another block takes its place', async () => {
    const annotated = await reason('again.md');
    await workbench.clickLens('Compare');
    await workbench.page.locator('.monaco-diff-editor').waitFor();
    await workbench.page
      .locator('.monaco-diff-editor .char-delete, .monaco-diff-editor .line-delete')
      .first()
      .waitFor();
    await workbench.screenshot('9 compare');
    await workbench.runCommand('View: Close Editor');

    await workbench.clickLens('Regenerate');
    const id = blockPattern.exec(annotated)?.[1] ?? '';
    assert.notEqual(id, '');
    const text = await workbench.until(
      'another block',
      async () => {
        const now = await workbench.savedText('again.md');
        return !now.includes(id) && blockPattern.test(now) && now;
      },
      runPatience,
    );
    assert.equal(text.replace(blockPattern, ''), original);
    assert.equal((await ledger()).at(-1)?.kind, 'regenerate');
  });

  it('when the preview is opened then thinking and reflection are closed, and the suggestion is open', async () => {
    await reason('preview.md');
    await workbench.runCommand('Markdown: Open Preview to the Side');
    const preview = await workbench.webview('details.preflexor-thinking');
    await workbench.screenshot('10 preview');
    const details = await preview.locator('details.preflexor-callout').all();
    const open = await Promise.all(
      details.map(async (one) => {
        const kind = /preflexor-(thinking|reflection|answer)/.exec(
          (await one.getAttribute('class')) ?? '',
        )?.[1];
        return [kind, (await one.getAttribute('open')) !== null];
      }),
    );
    assert.deepEqual(open, [
      ['thinking', false],
      ['reflection', false],
      ['answer', true],
    ]);
    assert.doesNotMatch(await preview.locator('body').innerText(), /preflexor \w+ begin/);
    await preview.locator('details.preflexor-thinking > summary').click();
    await preview.locator('details.preflexor-thinking[open]').waitFor();
    await workbench.runCommand('View: Close Editor');
  });

  it('when the cursor is where no paragraph is then a sentence says so, and the note stays as it is', async () => {
    await workbench.addFile('nowhere.md', original);
    await workbench.openFile('nowhere.md');
    await workbench.placeCursor(3, 1);
    await workbench.runCommand(command);
    const told = await workbench.notification(/paragraph/i);
    await workbench.screenshot('11 no paragraph');
    assert.doesNotMatch(told, /Error:|undefined/);
    assert.equal(await workbench.isDirty(), false);
    await workbench.dismissNotifications();
  });

  it('when all of that is over then nobody has logged an error', async () => {
    const ours = (await workbench.logs())
      .split('\n')
      .filter((entry) => /\[error\]/i.test(entry) && /preflexor/i.test(entry))
      // The engine host was killed on purpose, and the cursor was put where no paragraph is.
      .filter((entry) => !entry.includes('preflexor/reason:'));
    assert.deepEqual(ours, []);
    const console = workbench
      .consoleErrors()
      .filter((entry) => /preflexor|Content Security Policy/i.test(entry));
    assert.deepEqual(console, []);
  });
});
