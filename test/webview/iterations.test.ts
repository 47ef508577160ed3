// The Iterations view in a real Chromium, under the client's own content security policy.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mkdir, readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { askedRun, withDecision, withEvent, withFailure } from '../../client/src/runModel.ts';
import type { IterationsToView } from '../../server/src/protocol/index.ts';
import { IterationsFromView } from '../../server/src/protocol/index.ts';
import {
  answerText,
  ends,
  finished,
  finishedRun,
  key,
  opens,
  reflectionText,
  runId,
  running,
  snapshot,
  started,
  thinkingText,
  writes,
} from './examples.ts';
import { seriousFindings } from './accessibility.ts';
import { themes } from './themes.ts';
import { ViewServer } from './viewPage.ts';

const pictures = join(import.meta.dirname, '..', '..', 'test-output', 'webview');

let server: ViewServer;
before(async () => {
  await mkdir(pictures, { recursive: true });
  server = await ViewServer.start('iterations/main.ts');
});
after(() => server.close());

const failed = withFailure(
  running([started]),
  {
    message: 'The model is not on this machine yet.',
    remedy: 'Choose one.',
    actions: ['chooseModel', 'retry'],
  },
  1,
);
const waiting = withEvent(
  running([started]),
  { event: 'waiting', run: runId, reason: 'Loading the model', fraction: 0.4 },
  1,
);
const writing = running([
  started,
  opens('thinking'),
  writes('thinking', thinkingText),
  ends('thinking'),
  opens('reflection'),
  writes('reflection', reflectionText),
  ends('reflection'),
  opens('answer'),
  writes('answer', answerText.slice(0, 90)),
]);

const markedText = 'Nacre is tough [unknown citation: smith2020].';
const inventive = {
  ...finishedRun(undefined, undefined, 'Nacre is tough [@smith2020].'),
  final: markedText,
  unknownCitations: ['smith2020'],
};

/** Every state that the view can be in. */
const states: Readonly<Record<string, IterationsToView>> = {
  'no-note': { type: 'snapshot', note: null, current: null, entries: [] },
  empty: snapshot(null, []),
  asked: snapshot(askedRun(key, '', 0)),
  waiting: snapshot(waiting),
  writing: snapshot(writing),
  finished: snapshot(finished()),
  accepted: snapshot(withDecision(finished(), 'accept')),
  'unknown-citation': snapshot(finished(inventive)),
  failed: snapshot(failed),
};

async function send(page: Page, message: IterationsToView): Promise<void> {
  await page.evaluate((sent) => {
    window.postMessage(sent, '*');
  }, message);
}

/** Sends a snapshot and waits until it is drawn. */
async function show(page: Page, message: IterationsToView): Promise<void> {
  await send(page, message);
  await page.locator(message.type === 'snapshot' && message.current ? 'h1' : '.empty').waitFor();
  await settled(page);
}

function button(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

/** What the view has sent, read by the client's own schema. */
async function sent(page: Page): Promise<IterationsFromView[]> {
  const messages = await page.evaluate(() => window.sentByView);
  return messages.map((message) => IterationsFromView.parse(message));
}

/** What went wrong in the page without anybody asking. */
async function complaints(page: Page): Promise<string[]> {
  const failures = (await sent(page)).filter((message) => message.type === 'didFail');
  return [...(await page.evaluate(() => window.policyViolations)), ...failures.map(({ message }) => message)];
}

/** The text of a section, as it stands in the page. */
async function sectionText(page: Page, kind: string): Promise<string | null> {
  return await page
    .locator(`.${kind} preflexor-stream`)
    .first()
    .evaluate((element) => element.textContent);
}

for (const [name, theme] of Object.entries(themes)) {
  test(`given the theme ${name}, when each state is shown, then axe finds nothing serious and no policy is broken`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const page = await server.open({ theme });
    try {
      for (const message of Object.values(states)) await show(page, message);
      assert.deepEqual(await complaints(page), []);
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
  assert.deepEqual(await complaints(page), []);
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
  assert.deepEqual(await complaints(page), []);
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
    'Reject',
    'Regenerate',
    'Compare With Paragraph',
    'Reveal in Note',
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
  assert.deepEqual(actions, ['accept', 'reject', 'regenerate', 'compare', 'reveal']);
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

test('given several iterations, when the run is shown, then the picked one is open and named, and the draft is iteration 0', async () => {
  const page = await server.open({ theme: themes.dark });
  const run = finishedRun();
  const [draft] = run.iterations;
  const second = { ...(draft ?? assert.fail()), index: 1, answer: 'better' };
  await send(
    page,
    snapshot(finished({ ...run, iterations: [draft ?? assert.fail(), second], best: 1, final: 'all of it' })),
  );
  await page.getByRole('button', { name: /^Iteration 1 picked/ }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Draft/ }).getAttribute('aria-expanded'), 'false');
  assert.equal(
    await page.getByRole('button', { name: /^Iteration 1/ }).getAttribute('aria-expanded'),
    'true',
  );
  assert.equal(await page.getByRole('button', { name: /^Integrated suggestion/ }).count(), 1);
  await page.screenshot({ path: join(pictures, 'iterations-dark-several.png') });
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

/** Two frames later everything that was sent is drawn. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  });
}

async function atEnd(page: Page): Promise<boolean> {
  await settled(page);
  return await page
    .locator('main')
    .evaluate((main) => main.scrollHeight - main.scrollTop - main.clientHeight < 50);
}

/** The accessible name of what has the focus, shadow roots looked through; null at the end of the page. */
async function focusedName(page: Page): Promise<string | null> {
  return await page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (!element || element === document.body) return null;
    return element.getAttribute('aria-label') ?? element.textContent.trim();
  });
}
