// Passages in a real workbench, with the real embedder, LanceDB and small model: the folder is indexed by itself, the
// Sources view shows the passages behind a run, and a click opens one.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { repository } from '../../scripts/setup/paths.ts';
import { Workbench } from '../support/workbench.ts';

const corpus = path.join(repository, 'test/fixtures/corpus');
const paragraph =
  'Voxelated microstructures with realistic grains can be generated from statistical descriptors.';
const patience = 180_000;

describe('given a folder of papers in the workbench', { timeout: 10 * 60_000 }, () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start({
      folder: corpus,
      name: 'e2e-grounded',
      settings: {
        'preflexor.reasoning.iterations': 0,
        'preflexor.reasoning.thinkingTokens': 48,
        'preflexor.reasoning.reflectionTokens': 32,
        'preflexor.reasoning.answerTokens': 48,
        'preflexor.reasoning.temperature': 0,
      },
    });
  });
  after(async () => {
    await workbench.close();
  });
  afterEach(async (test) => {
    if ('passed' in test && !test.passed) await workbench.screenshot(`failed ${test.name.slice(0, 60)}`);
  });

  it('when a paragraph is reasoned about then the Sources view shows passages of other files, and a click opens one at its place', async () => {
    await workbench.addFile('draft.md', `# Draft\n\n${paragraph}\n`);
    await workbench.openFile('draft.md');
    await workbench.placeCursor(3, 5);
    await workbench.runCommand('PRefLexOR: Show Sources');
    const tree = workbench.page.locator('.pane', { hasText: /^\s*Sources/ });
    await workbench.until(
      'the index to be whole',
      async () => /\d+ passages/.test(await tree.innerText()) || undefined,
      patience,
    );
    await workbench.focusEditor();
    await workbench.runCommand('PRefLexOR: Reason About This Paragraph');
    await workbench.waitForLens('Accept', patience);
    const shown = tree.locator('.monaco-list-row', { hasText: 'Shown to the Model' }).first();
    await workbench.until('the group of what was shown', async () => (await shown.count()) > 0 || undefined);
    await shown.click();
    const row = tree.locator('.monaco-list-row', { hasText: /paper\.(md|bib)/ }).first();
    await workbench.until('a passage of a paper', async () => (await row.count()) > 0 || undefined, patience);
    await workbench.screenshot('sources');
    await row.click();
    const opened = workbench.page.locator('.tab.active', { hasText: /paper\s*\.(md|bib)/ });
    await workbench.until('the paper at the passage', async () => {
      return (await opened.count()) > 0 && (await workbench.page.locator('.selected-text').count()) > 0;
    });
    await workbench.screenshot('opened');
    assert.ok((await workbench.fileText('draft.md')).startsWith('# Draft'));
  });
});
