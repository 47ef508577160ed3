// The Iterations view of a recursion, in a real Chromium: several iterations, what was thought of them, and comparing.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { withPick, withRating, withStop } from '../../client/src/runModel.ts';
import { seriousFindings } from './accessibility.ts';
import { finished, finishedRun, key, recursiveRun, snapshot } from './examples.ts';
import { writing, send, show, button, sent, settled } from './iterationsPage.ts';
import { IterationsFromView } from '../../server/src/protocol/index.ts';
import { themes } from './themes.ts';
import { complaints, pictures, servedView } from './viewPage.ts';

const server = servedView('iterations/main.ts');

test('given several iterations, when the run is shown, then the picked one is open and named, and the draft is iteration 0', async () => {
  const page = await server.open({ theme: themes.dark });
  const run = finishedRun();
  const [draft] = run.iterations;
  const second = { ...(draft ?? assert.fail()), index: 1, answer: 'better' };
  await send(
    page,
    snapshot(finished({ ...run, iterations: [draft ?? assert.fail(), second], best: 1, final: 'all of it' })),
  );
  await page.getByRole('button', { name: /^Iteration 1 best/ }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Draft/ }).getAttribute('aria-expanded'), 'false');
  assert.equal(
    await page.getByRole('button', { name: /^Iteration 1/ }).getAttribute('aria-expanded'),
    'true',
  );
  assert.equal(await page.getByRole('button', { name: /^Integrated suggestion/ }).count(), 1);
  await page.screenshot({ path: join(pictures, 'iterations-dark-several.png') });
  await page.context().close();
});

test('given a recursion, when it is shown, then scores, doubt, feedback, sources and what was left out are told in words', async () => {
  const page = await server.open({ theme: themes.dark, height: 2000 });
  await show(page, snapshot({ ...finished(recursiveRun()), nothingRelevant: true }));
  const remarked = await page.getByRole('list', { name: 'Remarks' }).textContent();
  assert.match(remarked ?? '', /Nothing relevant in your notes/);
  assert.match(remarked ?? '', /the next iteration was weaker/);
  assert.match(remarked ?? '', /thinking of the draft was left out/);
  await page.getByRole('button', { name: /^Iteration 1 best · score 7\.0/ }).waitFor();
  const measured = page.locator('.facts', { hasText: 'Measured' });
  await measured.first().getByRole('button', { name: 'Measured' }).click();
  await measured.first().getByText('What round 1 set out to mend.').waitFor();
  const words = (await measured.first().textContent()) ?? '';
  assert.match(words, /What round 1 set out to mend\./);
  assert.match(words, /7\.0 of 10 \(read 2 times: 7\.0 and 6\.0; a difference of less than 1\.0/);
  assert.match(words, /Words shared with your paragraph: 0\.1, threshold 0\.2: doubtful/);
  assert.match(words, /300 in prompts, 0 of them reused; 412 written/);
  await page.screenshot({ path: join(pictures, 'iterations-dark-recursion-open.png') });
  await button(page, 'bone.md › Toughness').click();
  assert.deepEqual((await sent(page)).at(-1), { type: 'didPressSource', key, passage: 'p1' });
  assert.deepEqual(await complaints(page, IterationsFromView), []);
  await page.context().close();
});

test('given a recursion, when its buttons are pressed, then the client hears which iteration was meant', async () => {
  const page = await server.open({ theme: themes.dark, height: 2000 });
  await show(page, snapshot(finished(recursiveRun())));
  assert.equal(await button(page, 'Use This One: Iteration 1').count(), 0, 'it is shown already');
  for (const name of [
    'Use This One: Iteration 2',
    'Regenerate From Here: Iteration 2',
    'Branch: Iteration 1',
    'Delete Run',
  ])
    await button(page, name).click();
  const thumb = page.locator('.whole.best').getByRole('button', { name: 'Bad suggestion' });
  assert.equal(await thumb.getAttribute('aria-pressed'), 'false');
  await thumb.press('Enter');
  assert.deepEqual((await sent(page)).slice(1), [
    { type: 'didPressIteration', key, iteration: 2, action: 'pick' },
    { type: 'didPressIteration', key, iteration: 2, action: 'regenerate' },
    { type: 'didPressIteration', key, iteration: 1, action: 'branch' },
    { type: 'didPressDelete', key },
    { type: 'didRate', key, iteration: 1, rating: { segment: 'answer', value: 'down' } },
  ]);
  const rating = { iteration: 1, segment: 'answer', value: 'down' } as const;
  const rated = withRating(finished(recursiveRun()), rating);
  await show(page, snapshot(rated));
  assert.equal(await thumb.getAttribute('aria-pressed'), 'true');
  await show(page, snapshot(withPick(rated, 2)));
  await page.getByRole('button', { name: /^Iteration 2 your choice/ }).waitFor();
  assert.equal(await button(page, 'Use This One: Iteration 2').count(), 0);
  await page.context().close();
});

test('given a run that goes on or was stopped, when its buttons are pressed, then it is hurried, or gone on with, or deleted', async () => {
  const page = await server.open({ theme: themes.dark });
  await show(page, snapshot(writing));
  await button(page, 'Answer Now').click();
  await show(page, snapshot(withStop(writing, 9000)));
  assert.equal(await button(page, 'Go On').count(), 0, 'no step of it is stored');
  await show(page, snapshot({ ...withStop(writing, 9000), resumable: true }));
  await button(page, 'Go On').click();
  await button(page, 'Delete').click();
  assert.deepEqual((await sent(page)).slice(1), [
    { type: 'didPressAnswerNow', key },
    { type: 'didPressResume', key },
    { type: 'didPressDelete', key },
  ]);
  await page.context().close();
});

test('given a recursion, when two iterations are compared, then words that came and went are marked, of thinking too, beside the critique between them', async () => {
  const page = await server.open({ theme: themes.dark, height: 1600 });
  await show(page, snapshot(finished(recursiveRun())));
  await page.getByRole('button', { name: 'Compare iterations' }).click();
  const comparison = page.locator('preflexor-comparison');
  await comparison.getByLabel('From', { exact: true }).selectOption('0');
  await comparison.getByLabel('To', { exact: true }).selectOption('1');
  await settled(page);
  assert.deepEqual(await comparison.locator('ins').allTextContents(), [' So does bone.']);
  assert.equal(await comparison.locator('del').count(), 0);
  assert.equal(await comparison.locator('.sum').textContent(), '3 words added, 0 removed');
  assert.deepEqual(await comparison.locator('.feedback').allTextContents(), [
    'What round 1 set out to mend.',
  ]);
  await comparison.getByLabel('From', { exact: true }).selectOption('1');
  await comparison.getByLabel('To', { exact: true }).selectOption('2');
  await comparison.getByLabel('Part', { exact: true }).selectOption('thinking');
  await settled(page);
  assert.match((await comparison.locator('ins').allTextContents()).join(''), /Short/);
  assert.equal(await comparison.locator('h3').textContent(), 'The critique that Iteration 2 set out to mend');
  assert.deepEqual(await complaints(page, IterationsFromView), []);
  await page.screenshot({ path: join(pictures, 'iterations-dark-comparison.png') });
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  assert.deepEqual(await seriousFindings(page, axe), []);
  await page.context().close();
});
