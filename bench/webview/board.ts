// The curation board at 10,000 pairs in Chromium, over the book that the server keeps: how long until what is scrolled
// to is there, how long a frame takes while the list scrolls, and how long until a filter shows what fits. The pause
// that the board waits for after the last letter of a search is not in it.
//   node bench/webview/board.ts [--pairs=10000] [--write]
import type { Page } from 'playwright-core';
import { BoardFromView, type BoardToView } from '../../server/src/protocol/index.ts';
import { BoardDesk } from '../../test/webview/boardExamples.ts';
import { themes } from '../../test/webview/themes.ts';
import { ViewServer } from '../../test/webview/viewPage.ts';
import { median, numberOption, percentile, report } from '../measure.ts';

const pairs = numberOption('pairs', 10_000);
const jumps = 60;
const frames = 300;
const rounds = 10;

/** What the page can be told to do, and how long it takes there; each gives milliseconds. */
interface Stopwatch {
  readonly jump: (row: number) => Promise<number>;
  readonly scroll: (frames: number) => Promise<number[]>;
  readonly select: (label: string, value: string) => Promise<number>;
  readonly search: (words: string) => Promise<number>;
}

declare global {
  interface Window {
    answerBoard: (message: unknown) => Promise<BoardToView | null>;
    stopwatch: Stopwatch;
  }
}

/** The page's messages are answered as they come, as the client does it. */
async function connect(page: Page, desk: BoardDesk): Promise<void> {
  await page.exposeFunction('answerBoard', (message: unknown) => desk.answerTo(BoardFromView.parse(message)));
  await page.evaluate(() => {
    const answer = async (message: unknown): Promise<void> => {
      const said = await window.answerBoard(message);
      if (said) window.postMessage(said, '*');
    };
    const { sentByView } = window;
    const waiting = [...sentByView];
    sentByView.push = (...messages) => {
      for (const message of messages) void answer(message);
      return 0;
    };
    for (const message of waiting) void answer(message);
  });
}

async function install(page: Page): Promise<void> {
  await page.evaluate(() => {
    const board = document.querySelector('preflexor-board');
    const root = board?.shadowRoot;
    const query = () => (board as unknown as { state: { query: number; answered: number } }).state;
    const rows = root?.querySelector('.rows');
    if (!root || !rows) throw new Error('there is no board');
    const rowHeight = 58;
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
    const isDrawn = (row: number): boolean => root.querySelector(`#row-${row} .text`) !== null;
    /** Until it is so in a frame that is drawn. */
    const until = async (isSo: () => boolean, from: number): Promise<number> => {
      while (!isSo()) await frame();
      return performance.now() - from;
    };
    const field = <T extends HTMLElement>(selector: string, kind: new () => T): T => {
      const found = root.querySelector(selector);
      if (!(found instanceof kind)) throw new Error(`there is no ${selector}`);
      return found;
    };
    const answered = (before: number) => () =>
      query().query > before && query().answered === query().query && isDrawn(0);
    window.stopwatch = {
      jump: (row) => {
        const from = performance.now();
        rows.scrollTop = row * rowHeight;
        return until(() => isDrawn(row), from);
      },
      scroll: async (count) => {
        const times: number[] = [];
        let before = await frame();
        for (let at = 0; at < count; at += 1) {
          rows.scrollTop += 5 * rowHeight;
          const now = await frame();
          times.push(now - before);
          before = now;
        }
        return times;
      },
      select: (label, value) => {
        const select = field(`select[aria-label="${label}"]`, HTMLSelectElement);
        const before = query().query;
        const from = performance.now();
        select.value = value;
        select.dispatchEvent(new Event('change', { bubbles: true }));
        return until(answered(before), from);
      },
      search: async (words) => {
        const input = field('.search input', HTMLInputElement);
        const before = query().query;
        input.value = words;
        input.dispatchEvent(new Event('input', { bubbles: true }));
        while (query().query === before) await new Promise((resolve) => setTimeout(resolve, 1));
        return until(answered(before), performance.now());
      },
    };
  });
}

const words = (count: number): string =>
  count === pairs
    ? `${count.toLocaleString('en')} pairs`
    : `${count.toLocaleString('en')} of ${pairs.toLocaleString('en')} pairs`;

/** A time is worth something only when the right pairs were there. */
async function shows(page: Page, count: number): Promise<void> {
  const shown = await page.locator('.count').innerText();
  if (shown !== words(count)) throw new Error(`the board shows ${shown}, not ${words(count)}`);
}

const summary = (times: readonly number[]) => ({
  median: median(times),
  p95: percentile(times, 0.95),
  longest: Math.max(...times),
});

const server = await ViewServer.start('board/main.ts');
const desk = await BoardDesk.open(pairs);
try {
  const page = await server.open({ theme: themes.dark, width: 1100, height: 720 });
  await connect(page, desk);
  await page.locator('.count', { hasText: words(pairs) }).waitFor();
  // The checks come to their end: what is measured is the board, not what it waits for.
  await desk.untilChecked();
  await install(page);

  const jumped: number[] = [];
  for (let at = 0; at < jumps; at += 1) {
    // Spread over the list, each time far from where it was.
    const row = Math.floor(((at * 7919) % jumps) * ((pairs - 20) / jumps));
    jumped.push(await page.evaluate((to) => window.stopwatch.jump(to), row));
  }
  await page.evaluate(() => window.stopwatch.jump(0));
  const scrolled = await page.evaluate((count) => window.stopwatch.scroll(count), frames);

  const rejected = Math.floor(pairs / 5);
  const selected: number[] = [];
  const searched: number[] = [];
  const select = async (label: string, value: string, count: number): Promise<void> => {
    selected.push(
      await page.evaluate(([of, to]) => window.stopwatch.select(of, to), [label, value] as const),
    );
    await shows(page, count);
  };
  const search = async (text: string, count: number): Promise<void> => {
    searched.push(await page.evaluate((to) => window.stopwatch.search(to), text));
    await shows(page, count);
  };
  for (let round = 0; round < rounds; round += 1) {
    await select('Signal', 'reject', rejected);
    await select('Signal', 'edit', pairs - rejected);
    await select('Signal', '', pairs);
    await select('Order', 'longest', pairs);
    await select('Order', 'newest', pairs);
    await search(`text ${pairs - 1 - round}.`, 1);
    await search('', pairs);
  }
  await report('board', {
    pairs,
    jumpMs: summary(jumped),
    frameWhileScrollingMs: summary(scrolled),
    filterAndOrderMs: summary(selected),
    searchMs: summary(searched),
    goal: 'below 100 ms',
  });
} finally {
  await desk.close();
  await server.close();
}
