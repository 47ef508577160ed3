// From ordinary writing to pairs that another tool takes, in a real workbench: a writer reasons about ten paragraphs of
// three papers and decides in every way that there is; the pairs that follow are exactly those that have to; the
// curation board cleans them, a file takes them away, and one command forgets a note. What is tested are decisions, so
// the model is a server that says a script; the other tests in a workbench run the real one.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Frame } from 'playwright-core';
import { z } from 'zod';
import { repository } from '../../scripts/setup/paths.ts';
import { SpeakingServer } from '../../server/src/engine/openai/testing.ts';
import { PreferencePair, Run, type Iteration } from '../../server/src/protocol/index.ts';
import { preflexor } from '../cli/support.ts';
import { Workbench } from '../support/workbench.ts';

const corpus = path.join(repository, 'test/fixtures/corpus');
const papers = ['autoeis', 'kanapy', 'simcardems'] as const;
/** More than all runs of this file ask for. */
const mostCompletions = 120;

const settings = {
  'preflexor.reasoning.iterations': 1,
  'preflexor.reasoning.scoring': false,
  'preflexor.retrieval.enabled': false,
};

const subjects = 'grains slip texture strength heat tissue drugs circuits frequency noise'.split(' ');

/** Says something else each time. */
function sentence(n: number): string {
  const [one, other] = [subjects[n % 10] ?? '', subjects[(n * 7 + 3) % 10] ?? ''];
  return `Sentence ${n}: what ${one} does to ${other} has been measured, and is no surprise.`;
}

const blockPattern = /<!-- preflexor ([0-9a-z]{6,}) begin -->/;

/** What has to be known of a pair to tell that it is the right one. */
type Expected = Pick<PreferencePair, 'signal' | 'chosen' | 'rejected' | 'reason'> & {
  readonly note: string;
};

/** An iteration as the model would write it out. */
function written({ thinking, reflection }: Iteration, answer: string): string {
  const thought = `<|thinking|>\n${thinking.trim()}\n<|/thinking|>`;
  const doubt = `<|reflect|>\n${reflection.trim()}\n<|/reflect|>`;
  return [...(thinking.trim() ? [thought] : []), ...(reflection.trim() ? [doubt] : []), answer.trim()].join(
    '\n\n',
  );
}

const sorted = (all: readonly Expected[]): Expected[] => {
  const key = ({ signal, note, chosen, rejected }: Expected): string =>
    JSON.stringify([signal, note, chosen, rejected]);
  return [...all].sort((one, other) => (key(one) < key(other) ? -1 : 1));
};

describe('given three papers in the workbench', { timeout: 10 * 60_000 }, () => {
  const model = new SpeakingServer();
  let workbench: Workbench;
  let outside: string;
  const expected: Expected[] = [];

  before(async () => {
    outside = await mkdtemp(path.join(tmpdir(), 'preflexor-pairs-'));
    const notes = path.join(outside, 'papers');
    await mkdir(notes);
    for (const name of papers) await cp(path.join(corpus, name, 'paper.md'), path.join(notes, `${name}.md`));
    await model.start();
    model.say(...Array.from({ length: mostCompletions }, (_, n) => ({ pieces: [sentence(n)] })));
    workbench = await Workbench.start({
      folder: notes,
      name: 'e2e-pairs',
      settings: { ...settings, 'preflexor.engine.url': model.address },
    });
  });
  after(async () => {
    await workbench.close();
    await model.stop();
    await rm(outside, { recursive: true, force: true });
  });
  afterEach(async (test) => {
    if ('passed' in test && !test.passed) await workbench.screenshot(`failed ${test.name.slice(0, 60)}`);
  });

  async function runs(): Promise<Run[]> {
    const folder = path.join(workbench.folder, '.preflexor', 'runs');
    // What goes on lies there too, under a name of its own, and is gone when it ends.
    const files = (await readdir(folder)).filter((name) => /^[0-9A-Z]+\.json$/.test(name));
    return Promise.all(
      files.map(async (name) => Run.parse(JSON.parse(await readFile(path.join(folder, name), 'utf8')))),
    );
  }

  /** The run whose block stands in the note. The writer decides before they reason about the next paragraph. */
  async function offered(note: string): Promise<{ run: Run; text: string; best: Iteration }> {
    const block = blockPattern.exec(await workbench.savedText(note))?.[1];
    const run = (await runs()).find((one) => one.block === block);
    const best = run?.iterations[run.best];
    assert.ok(run && best);
    return { run, best, text: written(best, run.final) };
  }

  async function reason(note: string, line: number): Promise<void> {
    await workbench.openFile(note);
    await workbench.placeCursor(line, 1);
    await workbench.runCommand('PRefLexOR: Reason About This Paragraph');
    await workbench.waitForLens('Accept');
  }

  async function decide(lens: 'Accept' | 'Accept my edit' | 'Reject', reason?: string): Promise<void> {
    await workbench.clickLens(lens);
    if (reason !== undefined) await workbench.answer(reason);
    // A lens may be drawn anew in the moment of the click; then a person clicks again.
    const gone = workbench.lens(lens).waitFor({ state: 'hidden', timeout: 5000 });
    await gone.catch(async () => {
      await workbench.clickLens(lens);
      await workbench.lens(lens).waitFor({ state: 'hidden' });
    });
  }

  /** Writes something before the suggestion, within its block, and accepts it so. */
  async function acceptEdited(note: string, words: string): Promise<{ offered: string; edited: string }> {
    const { text, best, run } = await offered(note);
    const lines = (await workbench.savedText(note)).split('\n');
    const line = lines.findIndex((one) => one.startsWith('> [!answer]+')) + 2;
    await workbench.placeCursor(line, 3);
    await workbench.page.keyboard.type(words);
    await decide('Accept my edit');
    return { offered: text, edited: written(best, `${words}${run.final}`) };
  }

  async function regenerate(note: string): Promise<string> {
    const { run, text } = await offered(note);
    const before = new Set((await runs()).map(({ id }) => id));
    await workbench.clickLens('Regenerate');
    const next = await workbench.until('another run', async () =>
      (await runs()).find(({ id, block }) => !before.has(id) && block !== run.block),
    );
    await workbench.page.locator('.view-line', { hasText: next.block }).first().waitFor();
    await workbench.waitForLens('Accept');
    return text;
  }

  async function preflexorJson(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await preflexor([...args, '--json', '--workspace', workbench.folder]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  async function pairs(...more: string[]): Promise<PreferencePair[]> {
    return z.array(PreferencePair).parse(await preflexorJson('pairs', 'list', ...more));
  }

  const plain = (all: readonly PreferencePair[]): Expected[] =>
    all.map(({ signal, chosen, rejected, reason, note }) => ({
      ...{ signal, chosen, rejected, reason },
      note: note?.path ?? '',
    }));

  function board(): Promise<Frame> {
    return workbench.webview('preflexor-board');
  }

  async function count(words: string): Promise<void> {
    await (await board()).locator('.count', { hasText: words }).waitFor();
  }

  /** Shows the pairs of one signal, and presses keys on the newest of them. */
  async function onNewest(signal: string, ...keys: string[]): Promise<void> {
    const frame = await board();
    await frame.getByLabel('Signal', { exact: true }).selectOption(signal);
    await frame.locator('#row-0.focused').click();
    for (const key of keys) {
      if (key.length > 1 && key !== 'Enter') await workbench.page.keyboard.type(key);
      else await workbench.page.keyboard.press(key);
    }
  }

  // From the end of a note to its beginning: then no line moves before it is come to.

  it('when an iteration is picked over another one and accepted then both are what was meant', async () => {
    const note = 'autoeis.md';
    await reason(note, 48);
    const { run } = await offered(note);
    const frame = await workbench.webview('preflexor-iterations');
    const use = frame.getByRole('button', { name: /^Use This One: / });
    if ((await use.count()) === 0) {
      const draft = frame.locator('preflexor-disclosure.whole[heading="Draft"]');
      await draft.getByRole('button').first().click();
    }
    await use.first().waitFor();
    const name = (await use.first().getAttribute('aria-label')) ?? '';
    const index = name.endsWith('Draft') ? 0 : Number(/\d+$/.exec(name)?.[0]);
    const [picked, over] = [run.iterations[index], run.iterations[run.best]];
    assert.ok(picked && over && picked !== over);
    await use.first().click();
    await workbench.until('the choice on record', async () =>
      (await runs()).some(({ picked: choice }) => choice?.iteration === index),
    );
    await workbench.focusEditor();
    await decide('Accept');
    const [chosen, rejected] = [written(picked, picked.answer), written(over, over.answer)];
    expected.push({ signal: 'pick', note, chosen, rejected, reason: null });
    // One draft is enough from here on; a run that begins before this is read has another iteration.
    await mkdir(path.join(workbench.folder, '.vscode'), { recursive: true });
    await workbench.addFile('.vscode/settings.json', '{ "preflexor.reasoning.iterations": 0 }\n');
  });

  it('when suggestions are accepted, edited, rejected with a reason and regenerated then each is recorded', async () => {
    const accept = async (note: string, line: number): Promise<void> => {
      await reason(note, line);
      const { text } = await offered(note);
      await decide('Accept');
      expected.push({ signal: 'accept', note, chosen: text, rejected: null, reason: null });
    };
    const reject = async (note: string, line: number, why: string): Promise<void> => {
      await reason(note, line);
      const { text } = await offered(note);
      await decide('Reject', why);
      expected.push({ signal: 'reject', note, chosen: null, rejected: text, reason: why });
    };
    const edit = async (note: string, line: number, words: string): Promise<void> => {
      await reason(note, line);
      const { offered: rejected, edited: chosen } = await acceptEdited(note, words);
      expected.push({ signal: 'edit', note, chosen, rejected, reason: null });
    };

    await accept('autoeis.md', 46);
    await reject('autoeis.md', 44, 'It says nothing of expertise.');
    await accept('kanapy.md', 41);
    await reject('kanapy.md', 39, 'Too vague.');
    await edit('kanapy.md', 37, 'As we see it: ');

    const [kanapy, simcardems] = ['kanapy.md', 'simcardems.md'];
    await reason(kanapy, 32);
    const refused = await regenerate(kanapy);
    const { text: chosen } = await offered(kanapy);
    await decide('Accept');
    expected.push({ signal: 'regenerate', note: kanapy, chosen, rejected: refused, reason: null });

    await edit(simcardems, 54, 'For one thing, ');
    await reason(simcardems, 52);
    const first = await regenerate(simcardems);
    const { offered: second, edited } = await acceptEdited(simcardems, 'In our words: ');
    expected.push(
      { signal: 'edit', note: simcardems, chosen: edited, rejected: second, reason: null },
      { signal: 'regenerate', note: simcardems, chosen: edited, rejected: first, reason: null },
    );
    await accept(simcardems, 50);
    assert.equal(expected.length, 11);
  });

  it('when the pairs are derived then they are exactly those', async () => {
    assert.deepEqual(sorted(plain(await pairs())), sorted(expected));
  });

  it('when an accepted text is rewritten and left alone then that is a pair in place of the lone accept', async () => {
    const note = 'simcardems.md';
    // Within its first words: "Sentence 40: …".
    await workbench.placeCursor(50, 10);
    await workbench.page.keyboard.type('number ');
    await workbench.save(note);
    const settled = (await pairs('--quiet', '0')).filter(({ signal }) => signal === 'settled');
    const accepted = expected.find((one) => one.note === note && one.signal === 'accept')?.chosen ?? '';
    const at = accepted.lastIndexOf('Sentence ') + 'Sentence '.length;
    assert.deepEqual(
      settled.map(({ chosen, rejected }) => [chosen, rejected]),
      [[`${accepted.slice(0, at)}number ${accepted.slice(at)}`, accepted]],
    );
  });

  it('when the board flips one and excludes one with a reason then the pairs are cleaned, and nothing else is touched', async () => {
    await workbench.runCommand('PRefLexOR: Curate Preference Pairs');
    await count('11 pairs');
    await workbench.screenshot('1 board');
    await onNewest('edit', 'f');
    await (await board()).locator('.status', { hasText: 'Flipped.' }).waitFor();
    await onNewest('regenerate', 'x', 'both say the same', 'Enter');
    await (await board()).locator('.status', { hasText: 'Excluded: both say the same.' }).waitFor();
    await count('1 of 11 pairs');
    await workbench.screenshot('2 cleaned');

    const all = await pairs();
    const excluded = all.filter(({ curation }) => curation?.excluded === 'both say the same');
    const flipped = all.filter(({ curation }) => curation?.flipped === true);
    assert.deepEqual([excluded.length, flipped.length], [1, 1]);
    const [newestEdit, newestAnew] = ['edit', 'regenerate'].map((signal) =>
      expected.findLast((one) => one.signal === signal),
    );
    assert.equal(excluded[0]?.rejected, newestAnew?.rejected);
    assert.deepEqual([flipped[0]?.chosen, flipped[0]?.rejected], [newestEdit?.rejected, newestEdit?.chosen]);
    const untouched = all.filter(({ curation }) => curation === undefined);
    assert.equal(untouched.length, 9);
  });

  it('when they are exported then the file has what is a pair and was not excluded, in the form that TRL takes', async () => {
    const file = path.join(outside, 'pairs.jsonl');
    await preflexorJson('pairs', 'export', file, '--format', 'trl', '--strict');
    const Row = z.strictObject({
      prompt: z.array(z.object({ role: z.enum(['system', 'user']), content: z.string() })).min(1),
      chosen: z.tuple([z.object({ role: z.literal('assistant'), content: z.string() })]),
      rejected: z.tuple([z.object({ role: z.literal('assistant'), content: z.string() })]),
    });
    const rows = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => Row.parse(JSON.parse(line)));
    const sides = rows.map(({ chosen: [chosen], rejected: [rejected] }) => [
      chosen.content,
      rejected.content,
    ]);
    const wanted = (await pairs())
      .filter(({ chosen, rejected, curation }) => chosen && rejected && (curation?.excluded ?? null) === null)
      .map(({ chosen, rejected }) => [chosen, rejected]);
    // One pick, three edits, of which one is flipped, and one that was regenerated.
    assert.equal(rows.length, 5);
    assert.deepEqual(sides.sort(), wanted.sort());
  });

  it('when a note is forgotten then one command took everything of it, and the board shows what is left', async () => {
    const note = 'kanapy.md';
    const own = expected.filter((one) => one.note === note);
    const texts = own.flatMap(({ chosen, rejected, reason }) => [chosen, rejected, reason]);
    const said = texts
      .flatMap((text) => (text === null ? [] : text.split('\n')))
      .filter((text) => !/^(<|$)/.test(text));
    assert.ok(said.length > 8);
    const before = await storedTexts();
    assert.ok(said.every((line) => before.includes(JSON.stringify(line).slice(1, -1))));

    await preflexorJson('forget', path.join(workbench.folder, note));
    const stored = await storedTexts();
    for (const line of said) assert.ok(!stored.includes(JSON.stringify(line).slice(1, -1)), line);
    assert.ok((await runs()).every((run) => run.note.path !== note));
    assert.equal((await pairs()).length, 11 - own.length);

    await (await board()).locator('.row.focused').first().click();
    await workbench.page.keyboard.press('r');
    await count(`of ${11 - own.length} pairs`);
    await workbench.screenshot('3 forgotten');
  });

  it('when recording is paused and resumed then the status item says which', async () => {
    const paused = workbench.page.locator('.statusbar-item-label[aria-label*="decisions are not recorded"]');
    await workbench.runCommand('PRefLexOR: Pause Recording of Decisions');
    await paused.waitFor();
    await workbench.screenshot('4 paused');
    await workbench.runCommand('PRefLexOR: Resume Recording of Decisions');
    await paused.waitFor({ state: 'detached' });
  });

  /** All that is kept beside the notes. */
  async function storedTexts(): Promise<string> {
    const folder = path.join(workbench.folder, '.preflexor');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return (
      await Promise.all(files.map(({ parentPath, name }) => readFile(path.join(parentPath, name), 'utf8')))
    ).join('\n');
  }
});
