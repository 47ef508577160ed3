// The recursion in a real workbench, as a writer watches it: iterations come one by one, a run that lost its server
// goes on, any two iterations are compared, one is branched, and another one than the best is used.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Frame, Locator } from 'playwright-core';
import { repository } from '../../scripts/setup/paths.ts';
import { Workbench } from '../support/workbench.ts';

const corpus = path.join(repository, 'test/fixtures/corpus/autoeis');
/** A paragraph of the paper, counted from 1. */
const line = 38;
const runPatience = 180_000;

const settings = {
  'preflexor.reasoning.iterations': 3,
  'preflexor.reasoning.thinkingTokens': 24,
  'preflexor.reasoning.reflectionTokens': 16,
  'preflexor.reasoning.answerTokens': 24,
  'preflexor.reasoning.temperature': 0,
  'preflexor.reasoning.scoring': false,
  'preflexor.retrieval.enabled': false,
};

describe('given a run of three iterations on a paper in the workbench', { timeout: 10 * 60_000 }, () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start({ folder: corpus, name: 'e2e-recursion', settings });
  });
  after(async () => {
    await workbench.close();
  });
  afterEach(async (test) => {
    if ('passed' in test && !test.passed) await workbench.screenshot(`failed ${test.name.slice(0, 60)}`);
  });

  function view(): Promise<Frame> {
    return workbench.webview('preflexor-iterations');
  }

  async function iteration(name: string): Promise<Locator> {
    return (await view()).locator(`preflexor-disclosure.whole[heading="${name}"]`);
  }

  async function see(name: string): Promise<void> {
    await workbench.until(name, async () => (await (await iteration(name)).count()) > 0, runPatience);
  }

  it('when the server dies in the middle then the run goes on from its last finished step, to its end', async () => {
    await workbench.openFile('paper.md');
    await workbench.placeCursor(line, 20);
    await workbench.runCommand('PRefLexOR: Reason About This Paragraph');
    await see('Iteration 1');
    await workbench.screenshot('1 watching');
    assert.equal(await workbench.killProcesses(/languageServer\.js/), 1);
    const goOn = (await view()).getByRole('button', { name: 'Go On' });
    await goOn.waitFor({ timeout: runPatience });
    await workbench.screenshot('2 cut off');
    assert.ok((await (await iteration('Draft')).count()) > 0);

    await goOn.click();
    await workbench.waitForLens('Accept', runPatience);
    // It may end early, where an iteration changes nothing any more.
    for (const name of ['Draft', 'Iteration 1']) await see(name);
    await workbench.screenshot('3 all iterations');
  });

  it('when two iterations are compared then their words differ in sight', async () => {
    await (await view()).locator('preflexor-disclosure.comparison').getByRole('button').first().click();
    const comparison = (await view()).locator('preflexor-comparison');
    await comparison.locator('.text').waitFor();
    assert.match(await comparison.locator('.sum').innerText(), /\w/);
    await workbench.screenshot('4 compared');
  });

  it('when another iteration is used then the note has its text, and the choice is on record', async () => {
    const use = (await view()).getByRole('button', { name: /^Use This One: / });
    if ((await use.count()) === 0) await (await iteration('Draft')).getByRole('button').first().click();
    await use.first().waitFor();
    const name = ((await use.first().getAttribute('aria-label')) ?? '').replace('Use This One: ', '');
    const stream = (await iteration(name)).locator('preflexor-disclosure.answer preflexor-stream').first();
    const wanted = await stream.evaluate((one) => (one as unknown as { text: string }).text);
    await use.first().click();
    await workbench.until('the choice on record', async () => (await ledgerKinds()).includes('pick'));
    await workbench.focusEditor();
    const answer =
      /\[!answer\]\+[^\n]*\n([\s\S]*?)<!-- /.exec(await workbench.savedText('paper.md'))?.[1] ?? '';
    // As the block quotes it, and escapes what would end it.
    const words = (text: string): string => text.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();
    assert.equal(words(answer), words(wanted));
    await workbench.screenshot('5 another one used');
  });

  it('when an iteration is branched then another run of the same paragraph appears', async () => {
    await (
      await view()
    )
      .getByRole('button', { name: /^Branch: / })
      .first()
      .click();
    await workbench.page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await workbench.page.keyboard.press('Enter');
    const runs = (await view()).locator('.history .entry');
    await workbench.until('a second run', async () => (await runs.count()) === 2, runPatience);
    await workbench.screenshot('6 branched');
    await workbench.runCommand('PRefLexOR: Stop');
  });

  async function ledgerKinds(): Promise<string[]> {
    const folder = path.join(workbench.folder, '.preflexor', 'ledger');
    const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.jsonl'));
    const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
    const lines = texts
      .join('')
      .split('\n')
      .filter((text) => text !== '');
    return lines.map((text) => (JSON.parse(text) as { kind: string }).kind);
  }
});
