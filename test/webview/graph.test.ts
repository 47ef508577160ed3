// The Graph view in a real Chromium, under the client's own content security policy, over the selection that the server
// makes of a graph in memory.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousFindings } from './accessibility.ts';
import { GraphDesk, large, small } from './graphExamples.ts';
import { themes, type Theme } from './themes.ts';
import { complaints, pictures, servedView } from './viewPage.ts';

const server = servedView('graph/main.ts');

async function open(
  t: TestContext,
  desk: GraphDesk,
  options: { readonly theme?: Theme; readonly reducedMotion?: boolean } = {},
): Promise<Page> {
  const page = await server.open({ theme: themes.dark, width: 1200, height: 760, ...options });
  t.after(() => page.context().close());
  await desk.settle(page);
  return page;
}

interface DrawnGraph extends HTMLElement {
  readonly isSettled: boolean;
  placeOf(node: string): { readonly x: number; readonly y: number } | null;
}

const canvas = (page: Page) => page.locator('preflexor-graph-canvas');
const isSettled = (page: Page): Promise<boolean> =>
  canvas(page).evaluate((element) => (element as DrawnGraph).isSettled);
const details = (page: Page): Promise<string> => page.locator('aside').innerText();

async function settled(page: Page): Promise<void> {
  while (!(await isSettled(page))) await page.waitForTimeout(50);
}

for (const [name, theme] of Object.entries(themes)) {
  test(`given the theme ${name}, when the graph and a node's evidence are shown, then axe finds nothing serious and no policy is broken`, async (t) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const desk = new GraphDesk(await small());
    const page = await open(t, desk, { theme, reducedMotion: true });
    await page.getByRole('button', { name: /^Concept: grain boundary/ }).click();
    await desk.settle(page);
    await settled(page);
    await page.waitForTimeout(100);
    await page.screenshot({ path: join(pictures, `graph-${name}.png`) });
    assert.deepEqual(await complaints(page), []);
    assert.deepEqual(await seriousFindings(page, axe), []);
  });
}

test('given a graph, when it is searched, narrowed to a kind and to a note, then the server is asked for that and no more', async (t) => {
  const desk = new GraphDesk(await small());
  const page = await open(t, desk);
  await page.getByRole('searchbox').fill('boundary');
  await desk.settle(page, 300);
  assert.match(await details(page), /^Found\s+Concept: grain boundary, 24 links/);
  await page.getByRole('searchbox').fill('');
  await desk.settle(page, 300);
  await page.getByRole('checkbox', { name: 'Passage' }).uncheck();
  await desk.settle(page);
  assert.equal(desk.wishes.at(-1)?.kinds?.includes('chunk'), false);
  assert.doesNotMatch(await details(page), /Passage:/);
  await page.getByRole('combobox', { name: 'Note' }).selectOption('note3.md');
  await desk.settle(page);
  assert.equal(desk.wishes.at(-1)?.note, 'note3.md');
  assert.match(await page.locator('footer [role=status]').innerText(), /\d+ nodes, \d+ in all/);
  assert.deepEqual(await complaints(page), []);
});

test('given the cursor in another paragraph, when the view follows it, then it asks for what is near; else it does not', async (t) => {
  const desk = new GraphDesk(await small());
  const page = await open(t, desk);
  await desk.moveCursor(page);
  await desk.settle(page);
  assert.equal(desk.aroundCursor, 0);
  await page.getByRole('checkbox', { name: /cursor/ }).check();
  await desk.moveCursor(page);
  await desk.settle(page);
  assert.equal(desk.aroundCursor, 2);
});

test('given the keyboard alone, when the writer walks along links, then each node is spoken, and evidence is opened by its place', async (t) => {
  const desk = new GraphDesk(await small());
  const page = await open(t, desk);
  await page.getByRole('application').focus();
  await page.keyboard.press('ArrowRight');
  const spoken = canvas(page).locator('.spoken');
  assert.match(await spoken.innerText(), /^Concept: grain boundary, 24 links, in 12 documents\. 1 of /);
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.match(await spoken.innerText(), /^Passage: .*\. 2 of 24$/);
  await page.keyboard.press('Enter');
  await desk.settle(page);
  assert.match(
    await details(page),
    /Passage 1\b[\s\S]*Evidence[\s\S]*mentions grain boundary\s+.?the <b>grain<\/b> boundary/,
  );
  await page.keyboard.press('Space');
  await desk.settle(page);
  assert.deepEqual(desk.wishes.at(-1)?.near, ['chunk:1']);
  await page.locator('.evidence button').first().focus();
  await page.keyboard.press('Enter');
  const sent = await page.evaluate(() => window.sentByView.at(-1));
  assert.deepEqual(sent, { type: 'didPressPlace', node: 'chunk:1', place: 0 });
});

test('given a mouse, when a node is pressed and the plane is dragged and zoomed, then it is selected and moves with it', async (t) => {
  const desk = new GraphDesk(await small());
  const page = await open(t, desk);
  await settled(page);
  await page.waitForTimeout(50);
  const place = () =>
    canvas(page).evaluate((element) => (element as DrawnGraph).placeOf('concept:grain boundary'));
  const at = await place();
  assert.ok(at);
  await page.mouse.click(at.x, at.y);
  assert.match(await details(page), /^grain boundary/);
  await page.mouse.move(300, 600);
  await page.mouse.down();
  await page.mouse.move(340, 620, { steps: 3 });
  await page.mouse.up();
  const moved = await place();
  assert.deepEqual([Math.round((moved?.x ?? 0) - at.x), Math.round((moved?.y ?? 0) - at.y)], [40, 20]);
  await page.mouse.wheel(0, -400);
  await page.waitForTimeout(50);
  assert.notDeepEqual(await place(), moved);
});

test('given 5,000 nodes, when they are laid out, then the view listens all the while: it selects, zooms and searches before they have come to rest', async (t) => {
  const desk = new GraphDesk(await large());
  const page = await open(t, desk);
  await page.evaluate(() => {
    let [last, slowest, count] = [performance.now(), 0, 0];
    const look = (): void => {
      const now = performance.now();
      [slowest, last, count] = [Math.max(slowest, now - last), now, count + 1];
      document.body.dataset['pictures'] = `${count} pictures, the slowest after ${Math.round(slowest)} ms`;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.getByRole('combobox', { name: 'At most' }).selectOption('5000');
  await desk.settle(page);
  assert.match(await page.locator('footer [role=status]').innerText(), /^5,000 nodes of 20,000 that fit/);
  await page
    .getByRole('button', { name: /^Concept: n\d+,/ })
    .first()
    .click();
  await page.getByRole('application').focus();
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowRight');
  assert.match(await canvas(page).locator('.spoken').innerText(), /1 of \d+$/);
  assert.equal(await isSettled(page), false);
  await page.screenshot({ path: join(pictures, 'graph-5000.png') });
  t.diagnostic((await page.evaluate(() => document.body.dataset['pictures'])) ?? '');
  await page.getByRole('searchbox').fill('n4711');
  await desk.settle(page, 300);
  assert.match(await details(page), /^Found\s+Concept: n4711/);
  assert.deepEqual(await complaints(page), []);
});
