// The Iterations view in a real Chromium, under the client's own content security policy.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mkdir, readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import {
  askedRun,
  withDecision,
  withEvent,
  withFailure,
  withPick,
  withRating,
  withStop,
} from '../../client/src/runModel.ts';
import type { IterationsToView } from '../../server/src/protocol/index.ts';
import { IterationsFromView } from '../../server/src/protocol/index.ts';
import {
  answerText,
  ends,
  finished,
  finishedRun,
  key,
  opens,
  recursiveRun,
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
  recursion: snapshot(finished(recursiveRun())),
  'no-notes': snapshot({ ...finished(recursiveRun()), nothingRelevant: true, picked: 2 }),
  stopped: snapshot({ ...withStop(writing, 9000), resumable: true }),
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
  assert.deepEqual(await complaints(page), []);
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
  assert.deepEqual(await complaints(page), []);
  await page.screenshot({ path: join(pictures, 'iterations-dark-comparison.png') });
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  assert.deepEqual(await seriousFindings(page, axe), []);
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
