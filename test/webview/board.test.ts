// The curation board in a real Chromium, under the client's own content security policy, over the book that the
// server keeps.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { BoardFromView } from '../../server/src/protocol/index.ts';
import { seriousFindings } from './accessibility.ts';
import { BoardDesk } from './boardExamples.ts';
import { themes, type Theme } from './themes.ts';
import { complaints, pictures, servedView } from './viewPage.ts';

const server = servedView('board/main.ts');

async function open(
  t: TestContext,
  count: number,
  theme: Theme = themes.dark,
): Promise<{ page: Page; desk: BoardDesk }> {
  const desk = await BoardDesk.open(count);
  const page = await server.open({ theme, width: 1100, height: 720 });
  t.after(async () => {
    await page.context().close();
    await desk.close();
  });
  await desk.settle(page);
  return { page, desk };
}

const pressed = async (page: Page, desk: BoardDesk, ...keys: string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
  await desk.settle(page);
};
const shownText = (page: Page, side: string): Promise<string> =>
  page.locator(`.side.${side} .text`).first().innerText();
const countText = (page: Page): Promise<string> => page.locator('.count').innerText();

for (const [name, theme] of Object.entries(themes)) {
  test(`given the theme ${name}, when the board, its help and its fields are shown, then axe finds nothing serious and no policy is broken`, async (t) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const { page, desk } = await open(t, 12, theme);
    await pressed(page, desk, 'j', 't', 'o', 'Enter', 'Space', 'k', 'h');
    assert.deepEqual(await complaints(page, BoardFromView), []);
    await page.screenshot({ path: join(pictures, `board-${name}.png`) });
    assert.deepEqual(await seriousFindings(page, axe), []);
    await pressed(page, desk, 'e', '?');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.screenshot({ path: join(pictures, `board-${name}-help.png`) });
    assert.deepEqual(await seriousFindings(page, axe), []);
  });
}

test('given pairs, when they are curated by keys alone, then each key does what the help says, and undo takes it back', async (t) => {
  const { page, desk } = await open(t, 10);
  assert.equal(await countText(page), '10 pairs');
  await pressed(page, desk, 'j');
  const chosen = await shownText(page, 'chosen');
  const rejected = await shownText(page, 'rejected');
  assert.match(chosen, /<b>hard<\/b>.*as far as we know/);
  await pressed(page, desk, 'f');
  assert.deepEqual([await shownText(page, 'chosen'), await shownText(page, 'rejected')], [rejected, chosen]);
  await pressed(page, desk, 'u');
  assert.equal(await shownText(page, 'chosen'), chosen);
  await pressed(page, desk, 'e');
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' And so it is.');
  await pressed(page, desk, 'Control+Enter');
  assert.equal(await shownText(page, 'chosen'), `${chosen} And so it is.`);
  await pressed(page, desk, 'x');
  await page.keyboard.type('jokes are no evidence');
  await pressed(page, desk, 'Enter');
  assert.equal(await countText(page), '9 of 10 pairs');
  await pressed(page, desk, 'a', 'x', 'Enter');
  assert.equal(await countText(page), '0 of 10 pairs');
  await pressed(page, desk, 'u');
  assert.equal(await countText(page), '9 of 10 pairs');
  assert.match(await page.locator('.status').innerText(), /Undone: Excluded, 9 pairs/);
  assert.deepEqual(await complaints(page, BoardFromView), []);
});

test('given a changed pair, when its history is opened and an earlier state taken, then that is what stands', async (t) => {
  const { page, desk } = await open(t, 3);
  await pressed(page, desk, 'j');
  const before = await shownText(page, 'chosen');
  await pressed(page, desk, 'f', 'h');
  await page.getByText('Revert to This').last().click();
  await desk.settle(page);
  assert.equal(await shownText(page, 'chosen'), before);
  assert.equal(await page.locator('.history li').count(), 3);
});

test('given a pair that differs in two places, when it is split and merged by keys, then its parts stand in its place as long as it is split', async (t) => {
  const { page, desk } = await open(t, 4);
  await pressed(page, desk, 'e');
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' And so it is.');
  await pressed(page, desk, 'Control+Enter', 's');
  assert.equal(await countText(page), '5 pairs');
  assert.match(await page.locator('.head .facts').innerText(), /part of a pair that you split/);
  await pressed(page, desk, 'm');
  assert.equal(await countText(page), '4 pairs');
  await pressed(page, desk, 'm');
  assert.match(await page.locator('.status').innerText(), /Mark two pairs of the same question first/);
  await pressed(page, desk, 'Space', 'j', 'Space', 'm');
  assert.match(await page.locator('.status').innerText(), /different questions/);
  assert.deepEqual(await complaints(page, BoardFromView), []);
});

test('given 10,000 pairs, when the list is scrolled, searched and walked through to its end, then only the rows in sight are in the page and the right ones', async (t) => {
  const { page, desk } = await open(t, 10_000);
  assert.equal(await countText(page), '10,000 pairs');
  await pressed(page, desk, 'End');
  assert.match(await page.locator('.row.focused').innerText(), /Text 0\./);
  assert.ok((await page.locator('.row').count()) < 60);
  await page.keyboard.press('/');
  await page.keyboard.type('text 4711');
  await desk.settle(page, 300);
  assert.equal(await countText(page), '1 of 10,000 pairs');
  assert.match(await page.locator('.row').innerText(), /Text 4711\./);
  assert.deepEqual(await complaints(page, BoardFromView), []);
});
