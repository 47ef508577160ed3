// The Iterations view while text streams into it, in a real Chromium.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedRun } from '../../client/src/runModel.ts';
import {
  finished,
  key,
  opens,
  recursiveRun,
  runId,
  running,
  snapshot,
  started,
  thinkingText,
  writes,
} from './examples.ts';
import { writing, send, show, button, sent, sectionText, settled, atEnd } from './iterationsPage.ts';
import { IterationsFromView } from '../../server/src/protocol/index.ts';
import { themes } from './themes.ts';
import { complaints, servedView } from './viewPage.ts';

const server = servedView('iterations/main.ts');

test('given a run that writes 10,000 tokens, when they stream, then every one is there, in text nodes that were only added to', async () => {
  const page = await server.open({ theme: themes.dark });
  const pieces = Array.from(
    { length: 10_000 },
    (_, index) => `word${index}${index % 40 === 39 ? '\n' : ' '}`,
  );
  await send(page, snapshot(running([started, opens('thinking'), writes('thinking', 'Begin ')])));
  await page.locator('preflexor-stream').waitFor();
  const firstNode = await page
    .locator('preflexor-stream')
    .evaluateHandle((element) => element.firstChild?.firstChild);
  await page.evaluate(
    async ([texts, of]) => {
      for (const [index, text] of texts.entries()) {
        window.postMessage(
          { type: 'text', key: of, seq: index + 1, iteration: 0, kind: 'thinking', text },
          '*',
        );
        // As the server does: many small pieces, with the page free to draw between them.
        if (index % 25 === 24) await new Promise(requestAnimationFrame);
      }
    },
    [pieces, key] as const,
  );
  await page.locator('preflexor-stream', { hasText: 'word9999' }).waitFor();
  assert.equal(await sectionText(page, 'thinking'), `Begin ${pieces.join('')}`);
  assert.equal(await page.evaluate((node) => node?.isConnected, firstNode), true);
  assert.equal(
    (await sent(page)).some(({ type }) => type === 'lost'),
    false,
  );
  assert.equal(await atEnd(page), true, 'the view follows what is written');
  assert.deepEqual(await complaints(page, IterationsFromView), []);
  await page.context().close();
});

test('given a reader who scrolled up, when more is written, then the view stays where they read', async () => {
  const page = await server.open({ theme: themes.dark, height: 400 });
  await send(
    page,
    snapshot(running([started, opens('thinking'), writes('thinking', `${thinkingText}\n`.repeat(8))])),
  );
  await page.locator('preflexor-stream').waitFor();
  await page.mouse.move(150, 200);
  await page.mouse.wheel(0, -4000);
  await page.locator('h1').evaluate(async (heading) => {
    while (heading.getBoundingClientRect().top < 0) await new Promise(requestAnimationFrame);
  });
  await send(page, { type: 'text', key, seq: 1, iteration: 0, kind: 'thinking', text: 'the end' });
  await page.locator('preflexor-stream', { hasText: 'the end' }).waitFor();
  assert.equal(await atEnd(page), false);
  await page.context().close();
});

test('given a piece of text that got lost, when the next comes, then a snapshot is asked for once and puts it right', async () => {
  const page = await server.open({ theme: themes.dark });
  await send(page, snapshot(running([started, opens('thinking'), writes('thinking', 'a')])));
  for (const seq of [2, 3])
    await send(page, { type: 'text', key, seq, iteration: 0, kind: 'thinking', text: 'c' });
  await send(page, snapshot(running([started, opens('thinking'), writes('thinking', 'abc')])));
  await page.locator('preflexor-stream', { hasText: 'abc' }).waitFor();
  assert.equal((await sent(page)).filter(({ type }) => type === 'lost').length, 1);
  await page.context().close();
});

test('given thinking that is done, when the answer begins, then it folds itself, unless the writer opened it', async () => {
  const page = await server.open({ theme: themes.dark });
  await send(page, snapshot(running([started, opens('thinking'), writes('thinking', thinkingText)])));
  const thinking = page.getByRole('button', { name: /^Thinking/ });
  await thinking.waitFor();
  assert.equal(await thinking.getAttribute('aria-expanded'), 'true');
  await send(page, snapshot(writing));
  await page.getByRole('button', { name: /^Suggestion/ }).waitFor();
  assert.equal(await thinking.getAttribute('aria-expanded'), 'false');
  await thinking.click();
  await send(page, snapshot(finished()));
  await button(page, 'Accept').waitFor();
  assert.equal(await thinking.getAttribute('aria-expanded'), 'true');
  await page.context().close();
});

test('given a wish for less motion, when something is being written, then nothing moves', async () => {
  const page = await server.open({ theme: themes.dark, reducedMotion: true });
  for (const message of [snapshot(askedRun(key, '', 0)), snapshot(writing)]) {
    await send(page, message);
    await page.locator('h1').waitFor();
    await settled(page);
    const moving = await page.evaluate(() => {
      return document.getAnimations().filter(({ playState }) => playState === 'running').length;
    });
    assert.equal(moving, 0);
  }
  await page.context().close();
});

test('given a third round that writes 10,000 tokens, when they stream, then the work on the page does not grow with what is there', async () => {
  const page = await server.open({ theme: themes.dark });
  const [draft, second] = recursiveRun().iterations;
  const model = running([
    started,
    { event: 'iteration', run: runId, iteration: draft ?? assert.fail() },
    { event: 'iteration', run: runId, iteration: second ?? assert.fail() },
    { event: 'segment', run: runId, iteration: 2, kind: 'thinking' },
    { event: 'text', run: runId, iteration: 2, kind: 'thinking', text: 'Begin ' },
  ]);
  await show(page, snapshot(model));
  const perFrame = await page.evaluate(async (of) => {
    const counts: number[] = [];
    const root = document.querySelector('preflexor-iterations')?.shadowRoot;
    if (!root) throw new Error('there is no view');
    let changes = 0;
    // Every change below the view, those inside of its elements included.
    const observer = new MutationObserver((records) => {
      changes += records.reduce(
        (sum, { addedNodes, removedNodes }) => sum + 1 + addedNodes.length + removedNodes.length,
        0,
      );
    });
    const everything = { subtree: true, childList: true, characterData: true, attributes: true };
    observer.observe(root, everything);
    for (const element of root.querySelectorAll('*'))
      if (element.shadowRoot) observer.observe(element.shadowRoot, everything);
    for (let frame = 0; frame < 400; frame += 1) {
      for (let piece = 1; piece <= 25; piece += 1) {
        const index = frame * 25 + piece;
        const text = `word${index}${index % 40 === 0 ? '\n' : ' '}`;
        window.postMessage({ type: 'text', key: of, seq: index, iteration: 2, kind: 'thinking', text }, '*');
      }
      await new Promise(requestAnimationFrame);
      counts.push(changes);
      changes = 0;
    }
    return counts;
  }, key);
  await page.locator('preflexor-stream', { hasText: 'word10000' }).waitFor();
  const most = (counts: readonly number[]): number => Math.max(...counts);
  assert.ok(most(perFrame) > 0);
  // A frame appends its 25 pieces: some text nodes and lines, and once a second the clock. Never all that is there.
  assert.ok(most(perFrame.slice(200)) <= 60, `${most(perFrame.slice(200))} changes in one frame`);
  await page.context().close();
});
