// The Iterations view in a real Chromium, under the client's own content security policy: its states, its buttons, its words.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { withDecision } from '../../client/src/runModel.ts';
import { seriousFindings } from './accessibility.ts';
import {
  answerText,
  finished,
  key,
  opens,
  running,
  snapshot,
  started,
  writes,
  finishedRun,
} from './examples.ts';
import {
  failed,
  writing,
  markedText,
  states,
  send,
  show,
  button,
  sent,
  sectionText,
  focusedName,
  inventive,
} from './iterationsPage.ts';
import { IterationsFromView } from '../../server/src/protocol/index.ts';
import { themes } from './themes.ts';
import { complaints, pictures, servedView } from './viewPage.ts';

const server = servedView('iterations/main.ts');

for (const [name, theme] of Object.entries(themes)) {
  test(`given the theme ${name}, when each state is shown, then axe finds nothing serious and no policy is broken`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const page = await server.open({ theme });
    try {
      for (const message of Object.values(states)) await show(page, message);
      assert.deepEqual(await complaints(page, IterationsFromView), []);
      // From here on screenshots and axe bring styles of their own, which the policy refuses.
      for (const [state, message] of Object.entries(states)) {
        await show(page, message);
        await page.screenshot({ path: join(pictures, `iterations-${name}-${state}.png`) });
        assert.deepEqual(await seriousFindings(page, axe), [], state);
      }
    } finally {
      await page.context().close();
    }
  });
}

test('given a run that cites a work which nobody knows, when it is shown, then a warning names it, and the marked text is there beside what the model wrote', async () => {
  const page = await server.open({ theme: themes.dark });
  await show(page, snapshot(finished(inventive)));
  const warning = page.getByRole('list', { name: 'Citations' });
  assert.match((await warning.textContent()) ?? '', /No bibliography knows smith2020/);
  const answers = await page.locator('.answer preflexor-stream').allTextContents();
  assert.deepEqual(answers, ['Nacre is tough [@smith2020].', markedText]);
  await page.context().close();
});

test('given hostile text, when it is shown anywhere, then it stays text', async () => {
  const hostile =
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>[x](command:evil)</div>--> ${1+1} {{x}}';
  const page = await server.open({ theme: themes.dark });
  const run = { ...finishedRun(hostile, hostile, hostile), question: hostile, paragraph: hostile };
  await send(
    page,
    snapshot(finished(run), [
      {
        key: 'x',
        question: hostile,
        time: '2026-01-01T00:00:00.000Z',
        state: 'finished',
        decision: null,
        resumable: false,
      },
      {
        key: 'y',
        question: hostile,
        time: '2026-01-01T00:00:00.000Z',
        state: 'finished',
        decision: null,
        resumable: false,
      },
    ]),
  );
  await page.locator('.answer preflexor-stream', { hasText: 'onerror' }).waitFor();
  assert.equal(await sectionText(page, 'answer'), hostile);
  assert.equal(await page.locator('h1').textContent(), hostile);
  assert.equal(await page.evaluate(() => 'hacked' in window), false);
  assert.equal(await page.locator('img, script:not([nonce]), a').count(), 0);
  assert.deepEqual(await complaints(page, IterationsFromView), []);
  await page.context().close();
});

test('given a finished run, when only the keyboard is used, then every control is reached and works', async () => {
  const page = await server.open({ theme: themes.dark });
  await send(page, snapshot(finished()));
  await button(page, 'Accept').waitFor();
  const reached: string[] = [];
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    const name = await focusedName(page);
    if (name === null) break;
    reached.push(name);
  }
  const names = [
    'Thinking',
    'Reflection',
    'Suggestion',
    'Runs of this note',
    'Accept',
    'Review',
    'Reject',
    'Regenerate',
    'Compare With Paragraph',
    'Reveal in Note',
    'Delete Run',
    'Good suggestion',
    'Measured',
    'Regenerate From Here: Draft',
    'Branch: Draft',
  ];
  for (const name of names)
    assert.ok(
      reached.some((one) => one.startsWith(name)),
      `${name} in ${reached.join(', ')}`,
    );

  await page.getByRole('button', { name: /^Thinking/ }).focus();
  await page.keyboard.press('Space');
  await page.locator('.thinking preflexor-stream', { hasText: 'aspect ratio' }).waitFor({ state: 'visible' });
  for (const [name, press] of [
    ['Accept', 'Enter'],
    ['Review', 'Enter'],
    ['Reject', 'Space'],
    ['Regenerate', 'Enter'],
    ['Compare With Paragraph', 'Enter'],
    ['Reveal in Note', 'Enter'],
  ] as const) {
    await button(page, name).focus();
    await page.keyboard.press(press);
  }
  const actions = (await sent(page)).flatMap((message) =>
    message.type === 'didPressAction' ? [message.action] : [],
  );
  assert.deepEqual(actions, ['accept', 'review', 'reject', 'regenerate', 'compare', 'reveal']);
  await page.context().close();
});

test('given each other state, when its buttons are pressed, then the client hears what was meant', async () => {
  const page = await server.open({ theme: themes.light });
  await send(page, states['empty'] ?? assert.fail());
  await page.getByRole('button', { name: 'Reason About This Paragraph' }).click();
  await send(page, snapshot(writing));
  await button(page, 'Stop').click();
  await send(page, snapshot(failed));
  await page.getByRole('button', { name: 'Choose Model' }).click();
  await page.getByRole('button', { name: 'Try Again' }).click();
  await page.getByRole('button', { name: /Which assumptions/ }).click();
  assert.deepEqual(await sent(page), [
    { type: 'ready' },
    { type: 'didPressReason' },
    { type: 'didPressStop', key },
    { type: 'didPressRemedy', key, action: 'chooseModel' },
    { type: 'didPressRemedy', key, action: 'retry' },
    { type: 'didSelectRun', key: 'b' },
  ]);
  await page.context().close();
});

test('given a button that vanishes when it is pressed, when the next state comes, then the focus stays in the view', async () => {
  const page = await server.open({ theme: themes.dark });
  await send(page, snapshot(finished()));
  await button(page, 'Accept').focus();
  await send(page, snapshot(withDecision(finished(), 'accept')));
  await page.locator('.decided', { hasText: 'Accepted' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.localName), 'preflexor-iterations');
  await page.context().close();
});

test('given a run, when its state changes, then a screen reader is told in words, and not of each word that is written', async () => {
  const page = await server.open({ theme: themes.dark });
  const said = page.getByRole('status');
  await send(page, snapshot(running([started, opens('thinking'), writes('thinking', 'a')])));
  await said.getByText('Thinking').waitFor();
  await send(page, { type: 'text', key, seq: 1, iteration: 0, kind: 'thinking', text: ' secret thought' });
  await page.locator('preflexor-stream', { hasText: 'secret thought' }).waitFor();
  assert.equal(await said.textContent(), 'Thinking');
  await send(page, snapshot(finished()));
  await said.getByText(`Finished. Suggestion: ${answerText}`).waitFor();
  assert.equal(await said.getAttribute('aria-live'), 'polite');
  await page.context().close();
});

test('given a page that was hidden, when it is made anew, then what the writer opened is open', async () => {
  const first = await server.open({ theme: themes.dark });
  await send(first, snapshot(finished()));
  await first.getByRole('button', { name: /^Thinking/ }).click();
  const saved = await first.evaluate(() => window.savedByView);
  await first.context().close();

  const second = await server.open({ theme: themes.dark, saved });
  await send(second, snapshot(finished()));
  const thinking = second.getByRole('button', { name: /^Thinking/ });
  await thinking.waitFor();
  assert.equal(await thinking.getAttribute('aria-expanded'), 'true');
  await second.context().close();
});

test('given a message that is no message of ours, when it comes, then it is reported and nothing is drawn', async () => {
  const page = await server.open({ theme: themes.dark });
  await page.evaluate(() => {
    window.postMessage({ type: 'snapshot', note: 7 }, '*');
  });
  await page.locator('.empty').waitFor();
  const [problem] = (await sent(page)).filter((message) => message.type === 'didFail');
  assert.match(problem?.message ?? '', /could not be read/);
  await page.context().close();
});
