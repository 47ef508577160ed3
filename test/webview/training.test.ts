// The Training view in a real Chromium, under the client's own content security policy, over files of runs that are
// read as the server reads them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousFindings } from './accessibility.ts';
import { themes, type Theme } from './themes.ts';
import { TrainingDesk } from './trainingExamples.ts';
import { complaints, pictures, servedView } from './viewPage.ts';

const server = servedView('training/main.ts');

async function open(
  t: TestContext,
  step: number,
  theme: Theme = themes.dark,
): Promise<{ page: Page; desk: TrainingDesk }> {
  const desk = await TrainingDesk.open(step);
  const page = await server.open({ theme, width: 1200, height: 820 });
  t.after(async () => {
    await page.context().close();
    await desk.close();
  });
  await desk.settle(page);
  return { page, desk };
}

const chart = (page: Page, name: string) => page.getByRole('slider', { name: `${name} by step` });

/** What a screen reader is told of a chart. */
async function spoken(page: Page, name: string): Promise<string> {
  return (await chart(page, name).getAttribute('aria-valuetext')) ?? '';
}

/** Pixels of a chart's canvas that are not empty: its curves are drawn, or they are not. */
async function ink(page: Page): Promise<number> {
  return await chart(page, 'loss').evaluate((element) => {
    const canvas = element.querySelector('canvas');
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let count = 0;
    for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 0) count += 1;
    return count;
  });
}

/** The bytes of the last file that the view wanted saved, as text. */
async function exported(page: Page, format: string): Promise<string> {
  await page.getByText(`Save ${format.toUpperCase()}`).click();
  await page.waitForFunction(
    (wanted) => window.sentByView.some((sent) => (sent as { format?: string }).format === wanted),
    format,
  );
  return await page.evaluate((wanted) => {
    const sent = window.sentByView.findLast((one) => (one as { format?: string }).format === wanted);
    return new TextDecoder('latin1').decode((sent as { data: Uint8Array }).data);
  }, format);
}

for (const [name, theme] of Object.entries(themes)) {
  test(`given the theme ${name}, when curves, verdict, data and log are shown, then axe finds nothing serious and no policy is broken`, async (t) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const { page, desk } = await open(t, 300, theme);
    await page.getByRole('button', { name: 'Teaching 1' }).click();
    await desk.settle(page);
    await chart(page, 'loss').focus();
    await page.keyboard.press('End');
    await page.screenshot({ path: join(pictures, `training-${name}.png`) });
    for (const section of ['Answers before', 'What went in', 'Log'])
      await page.getByRole('button', { name: section }).click();
    await page.getByRole('button', { name: 'Show the pairs' }).first().click();
    await desk.settle(page);
    assert.deepEqual(await complaints(page), []);
    await page.getByRole('heading', { name: 'What went in' }).scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(pictures, `training-${name}-sections.png`) });
    assert.deepEqual(await seriousFindings(page, axe), []);
  });
}

test('given a training that goes on, when its files grow, then the curves move without being asked to', async (t) => {
  const { page, desk } = await open(t, 100);
  assert.match(
    await page.locator('.run.chosen').innerText(),
    /runs\/live[\s\S]*running[\s\S]*step 100 of 10,000/,
  );
  const before = await spoken(page, 'loss');
  await desk.train(101, 150);
  await desk.until(page, 'step 150 of 10,000');
  assert.notEqual(await spoken(page, 'loss'), before);
  assert.deepEqual(await complaints(page), []);
});

test('given 10,000 steps, when they are drawn, read by keys and zoomed, then each key tells the value at its step, in all charts at once', async (t) => {
  const { page } = await open(t, 10_000);
  assert.ok((await ink(page)) > 1000);
  await chart(page, 'loss').focus();
  await page.keyboard.press('Home');
  assert.match(await spoken(page, 'loss'), /^Step 1: trained on 2\.4/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  assert.match(await spoken(page, 'loss'), /^Step 12: trained on /);
  assert.match(await spoken(page, 'rewards/margins'), /^Step 12: trained on /);
  await page.keyboard.press('End');
  assert.match(await spoken(page, 'rewards/accuracies'), /^Step 10,000: trained on 1; held out 1$/);
  await page.keyboard.press('Home');
  for (let times = 0; times < 4; times += 1) await page.keyboard.press('+');
  await page.keyboard.press('End');
  const zoomed = Number(await chart(page, 'loss').getAttribute('aria-valuenow'));
  assert.ok(zoomed < 2000, `the last step of what is shown is ${zoomed}`);
  await page.keyboard.press('0');
  await page.keyboard.press('End');
  assert.equal(await chart(page, 'loss').getAttribute('aria-valuenow'), '10000');
  assert.deepEqual(await complaints(page), []);
});

test('given a mouse, when it hovers and drags over a chart, then the value under it is shown and the range is zoomed', async (t) => {
  const { page } = await open(t, 400);
  const box = await chart(page, 'loss').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  assert.match(await page.locator('.values').nth(1).innerText(), /^Step \d+:\ntrained on [\d.]+\nheld out/);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 80, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await chart(page, 'loss').focus();
  await page.keyboard.press('Home');
  assert.ok(Number(await chart(page, 'loss').getAttribute('aria-valuenow')) > 100);
});

test('given several runs, when curves of another are drawn too and switched off again, then values and files name those that are shown', async (t) => {
  const { page, desk } = await open(t, 60);
  await page.getByRole('button', { name: 'Draw its curves too' }).click();
  await desk.settle(page);
  await chart(page, 'loss').focus();
  await page.keyboard.press('Home');
  assert.match(
    await spoken(page, 'loss'),
    /runs\/live, trained on .*Teaching 1, Phase I, trained on .*Phase II, trained on/,
  );
  const csv = await exported(page, 'csv');
  assert.match(csv, /^curve,pairs,step,/);
  assert.match(csv, /"Teaching 1, Phase II",held out,40,/);
  const svg = await exported(page, 'svg');
  assert.match(svg, /^<svg .*polyline/s);
  assert.match(svg, /runs\/live, held out/);
  assert.equal((await exported(page, 'png')).slice(1, 4), 'PNG');
  await page
    .getByRole('checkbox', { name: /Phase I\b/ })
    .first()
    .uncheck();
  assert.doesNotMatch(await spoken(page, 'loss'), /Phase I,/);
  assert.match(await spoken(page, 'loss'), /Phase II,/);
  assert.deepEqual(await complaints(page), []);
});

test('given what went in, when a pair is pressed, then the editor is asked to show it, and its text is text', async (t) => {
  const { page, desk } = await open(t, 0);
  await page.getByRole('button', { name: 'What went in' }).click();
  await page.getByRole('button', { name: 'Show the pairs' }).first().click();
  await desk.settle(page);
  await page.locator('button.pair').nth(1).click();
  const sent = await page.evaluate(() => window.sentByView.at(-1));
  assert.deepEqual(sent, { type: 'didPressPair', run: '.preflexor/teach/1', part: 'phase-1', line: 2 });
  await page.getByRole('button', { name: 'Answers before' }).click();
  assert.match(await page.locator('.sides .text').first().innerText(), /<b>small<\/b>/);
  assert.match(await page.locator('main').innerText(), /Offered\. Phase I: it got better for sure/);
});
