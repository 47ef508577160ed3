// Messages for the curation board, out of the very book that the server keeps: real derivation, filters and checks
// over a ledger in a temporary folder. The page on the other side is the only thing that is not the extension's.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { PreflexorError } from '../../server/src/errors.ts';
import type { Decision } from '../../server/src/preferences/index.ts';
import { BoardFromView, type BoardToView } from '../../server/src/protocol/index.ts';
import { PairBook, Stores } from '../../server/src/workflow/index.ts';
import { decisionOf } from '../support/ledgerExamples.ts';

const never = new AbortController().signal;
const topics = 'grain boundary slip strength steel texture hardening crystal lattice energy defect'.split(
  ' ',
);

/** An edited acceptance; each fifth is a rejection. */
function decided(n: number): Decision {
  const topic = topics[n % topics.length] ?? '';
  const offered = `The ${topic} decides how <b>hard</b> the alloy is, and nothing else does. Text ${n}.`;
  const isRejected = n % 5 === 4;
  return decisionOf('x', {
    ...{ block: `block${n}xx`, run: null, kind: isRejected ? 'reject' : 'accept-edited', provenance: null },
    texts: {
      ...{ question: `Why is the alloy hard (${n})?`, paragraph: `Alloy ${n} is hard.` },
      ...{ thinking: `What does the ${topic} do?`, reflection: '', reason: null, offered },
      result: isRejected ? null : offered.replace('and nothing else does', 'as far as we know'),
    },
    note: { path: 'alloys.md', hash: 'h', range: { start: 0, end: 8 } },
  });
}

/** A folder with pairs, and a book over it that answers a page's messages as the client does. */
export class BoardDesk {
  readonly #root: string;
  readonly #book: PairBook;
  #heard = 0;
  #changes = 0;

  private constructor(root: string, stores: Stores) {
    this.#root = root;
    this.#book = new PairBook({
      ...{ stores, now: Date.now },
      searchNotes: () => Promise.reject(new PreflexorError('no-model', 'There is no index of these notes.')),
      embed: () => Promise.reject(new PreflexorError('no-model', 'There is no embedding model.')),
      changed: () => (this.#changes += 1),
    });
  }

  static async open(count: number): Promise<BoardDesk> {
    const root = await mkdtemp(join(await realpath(tmpdir()), 'preflexor-board-'));
    await writeFile(join(root, 'alloys.md'), '# Alloys\n');
    const stores = new Stores(join(root, '.home'), Date.now);
    const [first, ...others] = Array.from({ length: count }, (_, n) => decided(n));
    if (first) await (await stores.ledger(root)).appendAll([first, ...others]);
    return new BoardDesk(root, stores);
  }

  /** Answers what the page has said since the last time. */
  async answer(page: Page): Promise<BoardFromView[]> {
    const all = (await page.evaluate(() => window.sentByView)).map((sent) => BoardFromView.parse(sent));
    const fresh = all.slice(this.#heard);
    this.#heard = all.length;
    const before = this.#changes;
    for (const message of fresh) {
      const answer = await this.answerTo(message);
      if (answer) await send(page, answer);
    }
    if (this.#changes > before) await send(page, { type: 'changed' });
    return fresh;
  }

  /** Goes on until nobody has had anything to say for so long, in milliseconds. */
  async settle(page: Page, quietMs = 100): Promise<void> {
    const step = 20;
    for (let quiet = 0; quiet < quietMs; quiet += step) {
      if ((await this.answer(page)).length > 0) quiet = 0;
      await page.waitForTimeout(step);
    }
  }

  /** Until the checks have nothing more to say. */
  async untilChecked(): Promise<void> {
    const request = { root: this.#root, now: Date.now(), record: true };
    const nothing = { filter: {}, order: 'newest', offset: 0, limit: 0 } as const;
    while ((await this.#book.page(request, nothing, never)).checking) await breathe();
  }

  /** What the client would send back. */
  async answerTo(message: BoardFromView): Promise<BoardToView | null> {
    const request = { root: this.#root, now: Date.now(), record: true };
    switch (message.type) {
      case 'didAsk': {
        const { query, filter, order, offset, limit } = message;
        const page = await this.#book.page(request, { filter, order, offset, limit }, never);
        return { type: 'page', query, page };
      }
      case 'didFocus': {
        const { about: _, ...detail } = await this.#book.detail(request, message.pair, never);
        return { type: 'detail', detail: { ...detail, place: null } };
      }
      case 'didCurate': {
        const result = await this.#book.curate(request, message.pairs, message.action, never);
        return { type: 'done', action: message.action, undo: false, result };
      }
      case 'didPressUndo': {
        const { undone, ...result } = await this.#book.undo(request, never);
        return { type: 'done', action: undone, undo: true, result };
      }
      default:
        return null;
    }
  }

  async close(): Promise<void> {
    this.#book.dispose();
    await rm(this.#root, { recursive: true, force: true });
  }
}

export async function send(page: Page, message: BoardToView): Promise<void> {
  await page.evaluate((sent) => {
    window.postMessage(sent, '*');
  }, message);
}
