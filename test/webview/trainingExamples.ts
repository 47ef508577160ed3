// Answers for the Training view, out of the very reading that the server does of the files of runs in a temporary
// folder. The page on the other side is the only thing that is not the extension's.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { TrainingFromView, type TrainingToView } from '../../server/src/protocol/index.ts';
import { trainedPairs, TrainingRuns } from '../../server/src/teaching/index.ts';
import {
  beginTeaching,
  beginTraining,
  endTeaching,
  helloLine,
  sample,
  startedLine,
  steps,
  tell,
  verdict,
  writeSamples,
} from '../support/trainingRunFiles.ts';

const never = new AbortController().signal;
const livePid = 7;
const taught = join('.preflexor', 'teach', '1');

export class TrainingDesk {
  readonly #root: string;
  readonly #runs: TrainingRuns;
  #heard = 0;

  private constructor(root: string) {
    this.#root = root;
    this.#runs = new TrainingRuns({ root, now: Date.now, isAlive: (pid) => pid === livePid });
  }

  /** A folder with a finished run of teaching, and a training that is at this step. */
  static async open(step: number): Promise<TrainingDesk> {
    const root = await mkdtemp(join(await realpath(tmpdir()), 'preflexor-training-'));
    const teaching = join(root, taught);
    await beginTeaching(teaching);
    for (const phase of [1, 2] as const) {
      const refresh = join(teaching, `phase-${phase}`, 'refresh-1');
      const answers = { chosen: 'Dislocations stop at the boundaries, <i>which</i> hardens the alloy.' };
      await writeSamples(refresh, [sample(0, phase === 2 ? answers : {}), sample(1), sample(2)]);
      await beginTraining(join(refresh, 'run'));
      await tell(join(refresh, 'run'), [startedLine(80), ...steps(1, phase === 1 ? 80 : 40)]);
      await writeFile(
        join(teaching, `phase-${phase}`, 'gate.json'),
        JSON.stringify(verdict(phase, phase === 1)),
      );
    }
    await endTeaching(teaching, true);
    const desk = new TrainingDesk(root);
    if (step > 0) {
      await beginTraining(desk.#live, { time: '2026-11-25T12:00:00.000Z' });
      await tell(desk.#live, [helloLine(livePid), startedLine(10_000), ...steps(1, step, 50)]);
    }
    return desk;
  }

  get #live(): string {
    return join(this.#root, 'runs', 'live');
  }

  /** The training goes on. */
  async train(from: number, to: number): Promise<void> {
    await tell(this.#live, steps(from, to, 50));
  }

  /** Answers what the page has said since the last time. */
  async answer(page: Page): Promise<number> {
    const all = await page.evaluate(() =>
      window.sentByView.map((sent) =>
        // Bytes stay in the page: what counts is how many there are.
        (sent as { type: string }).type === 'didExport' ? { type: 'ready' } : sent,
      ),
    );
    const fresh = all.slice(this.#heard).map((sent) => TrainingFromView.parse(sent));
    this.#heard = all.length;
    for (const message of fresh) {
      const answer = await this.#answerTo(message);
      if (answer)
        await page.evaluate((sent) => {
          window.postMessage(sent, '*');
        }, answer);
    }
    return fresh.length;
  }

  /** Goes on until nobody has had anything to say for so long, in milliseconds. */
  async settle(page: Page, quietMs = 100): Promise<void> {
    const step = 20;
    for (let quiet = 0; quiet < quietMs; quiet += step) {
      if ((await this.answer(page)) > 0) quiet = 0;
      await page.waitForTimeout(step);
    }
  }

  /** Answers for as long as the page does not show this. */
  async until(page: Page, words: string): Promise<void> {
    const end = Date.now() + 30_000;
    while (!(await page.locator('.runs').innerText()).includes(words)) {
      if (Date.now() > end) throw new Error(`waited 30 s for ${words}`);
      await this.answer(page);
      await page.waitForTimeout(50);
    }
  }

  async #answerTo(message: TrainingFromView): Promise<TrainingToView | null> {
    switch (message.type) {
      case 'didAskRuns':
        return { type: 'runs', folder: 'notes', runs: await this.#runs.list(never) };
      case 'didAskRun':
        return { type: 'run', detail: await this.#runs.detail(message.run, message.known, never) };
      case 'didAskPairs': {
        const { run, part, offset, limit } = message;
        const pairs = await trainedPairs(await this.#runs.pairsFiles(run, part, never), never);
        const rows = pairs.slice(offset, offset + limit).map(({ row }) => row);
        return { type: 'pairs', run, part, page: { matching: pairs.length, offset, rows } };
      }
      default:
        return null;
    }
  }

  async close(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}
