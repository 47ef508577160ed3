// The Iterations view as its tests see it: its states, and what is done and asked in its page.
import type { Locator, Page } from 'playwright-core';
import { askedRun, withDecision, withEvent, withFailure, withStop } from '../../client/src/runModel.ts';
import type { IterationsToView } from '../../server/src/protocol/index.ts';
import { IterationsFromView } from '../../server/src/protocol/index.ts';
import {
  answerText,
  ends,
  finished,
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
  finishedRun,
} from './examples.ts';

export const failed = withFailure(
  running([started]),
  {
    message: 'The model is not on this machine yet.',
    remedy: 'Choose one.',
    actions: ['chooseModel', 'retry'],
  },
  1,
);
export const waiting = withEvent(
  running([started]),
  { event: 'waiting', run: runId, reason: 'Loading the model', fraction: 0.4 },
  1,
);
export const writing = running([
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

export const markedText = 'Nacre is tough [unknown citation: smith2020].';
export const inventive = {
  ...finishedRun(undefined, undefined, 'Nacre is tough [@smith2020].'),
  final: markedText,
  unknownCitations: ['smith2020'],
};

/** Every state that the view can be in. */
export const states: Readonly<Record<string, IterationsToView>> = {
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

export async function send(page: Page, message: IterationsToView): Promise<void> {
  await page.evaluate((sent) => {
    window.postMessage(sent, '*');
  }, message);
}

/** Sends a snapshot and waits until it is drawn. */
export async function show(page: Page, message: IterationsToView): Promise<void> {
  await send(page, message);
  await page.locator(message.type === 'snapshot' && message.current ? 'h1' : '.empty').waitFor();
  await settled(page);
}

export function button(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

/** What the view has sent, read by the client's own schema. */
export async function sent(page: Page): Promise<IterationsFromView[]> {
  const messages = await page.evaluate(() => window.sentByView);
  return messages.map((message) => IterationsFromView.parse(message));
}

/** The text of a section, as it stands in the page. */
export async function sectionText(page: Page, kind: string): Promise<string | null> {
  return await page
    .locator(`.${kind} preflexor-stream`)
    .first()
    .evaluate((element) => element.textContent);
}

/** Two frames later everything that was sent is drawn. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  });
}

export async function atEnd(page: Page): Promise<boolean> {
  await settled(page);
  return await page
    .locator('main')
    .evaluate((main) => main.scrollHeight - main.scrollTop - main.clientHeight < 50);
}

/** The accessible name of what has the focus, shadow roots looked through; null at the end of the page. */
export async function focusedName(page: Page): Promise<string | null> {
  return await page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (!element || element === document.body) return null;
    return element.getAttribute('aria-label') ?? element.textContent.trim();
  });
}
