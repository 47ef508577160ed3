// The page view of a PDF in a real Chromium, under the client's own content security policy.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { PdfFromView } from '../../server/src/protocol/index.ts';
import { pdfFile } from '../support/pdfFile.ts';
import { seriousFindings } from './accessibility.ts';
import { themes } from './themes.ts';
import { complaints, pictures, servedView } from './viewPage.ts';

const root = join(import.meta.dirname, '..', '..');

const pages = [
  ['On hardness', 'Copper is red and gold is yellow.'],
  [
    'Small grains make an alloy hard,',
    'because dislocations stop at their',
    'boundaries. Colour is another matter.',
  ],
  ['The end.'],
];
const passage = 'because dislocations stop at their boundaries.';
const file = Buffer.from(pdfFile(pages)).toString('base64');

const server = servedView('pdf/main.ts', join(root, 'node_modules/pdfjs-dist'));

/** Sends the file, and waits until its page is drawn. */
async function show(page: Page, number: number, wanted: string | null, data = file): Promise<void> {
  await page.evaluate(
    ([base64, at, text]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const resources = new URL('/pdf/', location.href).href;
      const message = { type: 'document', name: 'a.pdf', data: bytes, resources, page: at, passage: text };
      window.postMessage(message, '*');
    },
    [data, number, wanted] as const,
  );
}

const open = (width = 700): Promise<Page> => server.open({ theme: themes.dark, width, height: 600 });
const marked = async (page: Page): Promise<string> =>
  (await page.locator('mark').allTextContents()).join(' ').replace(/\s+/g, ' ').trim();
const untilPage = (page: Page, words: string) => page.locator('.text', { hasText: words }).waitFor();

async function sent(page: Page): Promise<PdfFromView[]> {
  return (await page.evaluate(() => window.sentByView)).map((message) => PdfFromView.parse(message));
}

test('given a passage, when its page is shown, then its text is marked on it, and no policy is broken', async () => {
  const page = await open();
  await show(page, 2, passage);
  await page.locator('mark').first().waitFor();
  assert.equal(await marked(page), passage);
  assert.equal(
    await page
      .locator('.text')
      .textContent()
      .then((text) => text?.includes('Small grains')),
    true,
  );
  assert.deepEqual(await complaints(page, PdfFromView), []);
  await page.screenshot({ path: join(pictures, 'pdf-passage.png') });
  await page.context().close();
});

test('given a page, when it is drawn, then there is ink on the canvas and the marks lie on the words', async () => {
  const page = await open();
  await show(page, 2, passage);
  const box = await page.locator('mark').first().boundingBox();
  assert.ok(box && box.width > 100 && box.height > 8);
  const dark = await page.evaluate((place) => {
    const canvas = document.querySelector('preflexor-pdf')?.shadowRoot?.querySelector('canvas');
    const frame = canvas?.getBoundingClientRect();
    if (!canvas || !frame) return 0;
    const ratio = canvas.width / frame.width;
    const { data } = canvas
      .getContext('2d')!
      .getImageData(
        (place.x - frame.x) * ratio,
        (place.y - frame.y) * ratio,
        place.width * ratio,
        place.height * ratio,
      );
    return data.filter((value, index) => index % 4 === 0 && value < 100).length;
  }, box);
  assert.ok(dark > 50, `${String(dark)} dark points below the mark`);
  await page.context().close();
});

test('given keys and buttons, when they are pressed, then the page turns, stays within the file, and the client is told', async () => {
  const page = await open();
  await show(page, 1, null);
  await untilPage(page, 'Copper');
  await page.keyboard.press('PageDown');
  await untilPage(page, 'Small grains');
  await page.getByRole('button', { name: 'Next page' }).click();
  await untilPage(page, 'The end');
  await page.keyboard.press('PageDown');
  assert.equal(await page.getByRole('button', { name: 'Next page' }).isDisabled(), true);
  await page.keyboard.press('Home');
  await untilPage(page, 'Copper');
  await page.getByRole('spinbutton', { name: 'Page number' }).fill('3');
  await page.getByRole('spinbutton', { name: 'Page number' }).press('Enter');
  await untilPage(page, 'The end');
  const turned = (await sent(page)).flatMap((message) => (message.type === 'didTurn' ? [message.page] : []));
  assert.deepEqual(turned, [2, 3, 1, 3]);
  await page.context().close();
});

test('given another passage of the same file, when it is sent, then the view goes to it', async () => {
  const page = await open();
  await show(page, 1, null);
  await untilPage(page, 'Copper');
  await page.evaluate((text) => {
    window.postMessage({ type: 'page', page: 2, passage: text }, '*');
  }, passage);
  await page.locator('mark').first().waitFor();
  assert.equal(await marked(page), passage);
  await page.context().close();
});

test('given a passage that is not on its page, when the page is shown, then it says so', async () => {
  const page = await open();
  await show(page, 1, 'Something else altogether, of which nothing is printed.');
  await page.getByRole('status').waitFor();
  assert.match((await page.getByRole('status').textContent()) ?? '', /not found on this page/);
  await page.context().close();
});

test('given a file that is no PDF, when it is shown, then the view says so and offers the system’s viewer', async () => {
  const page = await open();
  await show(page, 1, null, Buffer.from('no pdf at all').toString('base64'));
  await page.getByRole('alert').waitFor();
  await page.getByRole('button', { name: 'Open in System Viewer' }).click();
  assert.ok((await sent(page)).some(({ type }) => type === 'didPressOpen'));
  await page.context().close();
});

for (const [name, theme] of Object.entries(themes)) {
  test(`given the theme ${name}, when a page is shown, then axe finds nothing serious`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const page = await server.open({ theme, width: 700, height: 600 });
    await show(page, 2, passage);
    await page.locator('mark').first().waitFor();
    await page.screenshot({ path: join(pictures, `pdf-${name}.png`) });
    // The letters are on the canvas; axe sees only the transparent ones over it that make them selectable.
    const findings = (await seriousFindings(page, axe)).filter(
      (finding) => !finding.startsWith('color-contrast: <mark>'),
    );
    assert.deepEqual(findings, []);
    await page.context().close();
  });
}
