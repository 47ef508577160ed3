// An adapter earns its place before a writer's eyes, in a real workbench with the real model and trainer: the curves of a
// run on the style pairs move while it goes on, also after the server was killed; the gate offers its adapter in the
// editor, where it is compared blindly, put into use, and rolled back.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Frame } from 'playwright-core';
import { repository } from '../../scripts/setup/paths.ts';
import { GateVerdict, Run } from '../../server/src/protocol/index.ts';
import { preflexor, type Ended } from '../cli/support.ts';
import { ownHome } from '../support/ownHome.ts';
import { Workbench } from '../support/workbench.ts';

const fixtures = path.join(repository, 'test/fixtures');
const corpus = path.join(fixtures, 'corpus');
const [train, heldout] = ['train', 'heldout'].map((name) =>
  path.join(fixtures, `golden/style-${name}.jsonl`),
);
const paperOf = (name: string): string => path.join(corpus, name, 'paper.md');
const steps = 40;
/** What the gate's own benchmark trains with (bench/gate.ts). */
const numbers = ['--phase', '1', '--steps', String(steps), '--lr', '5e-4', '--rank', '16', '--alpha', '32'];
const anchor = ['--anchor', paperOf('echemfem'), paperOf('elasticipy')];
const texts = ['--texts', ...['kanapy', 'autoeis', 'simcardems'].map(paperOf)];
const trainingPatience = 15 * 60_000;
/** A paragraph of the paper, counted from 1. */
const line = 38;

const settings = {
  'preflexor.reasoning.iterations': 0,
  'preflexor.reasoning.scoring': false,
  'preflexor.reasoning.thinkingTokens': 24,
  'preflexor.reasoning.reflectionTokens': 16,
  'preflexor.reasoning.answerTokens': 32,
  'preflexor.retrieval.enabled': false,
};

describe('given a paper in the workbench, and style pairs', { timeout: 30 * 60_000 }, () => {
  let workbench: Workbench;
  let home: string;
  let training: Promise<Ended>;
  let adapter: string;

  before(async () => {
    home = await ownHome(await mkdtemp(path.join(tmpdir(), 'preflexor-training-home-')));
    const notes = path.join(home, 'notes');
    await cp(path.join(corpus, 'autoeis'), notes, { recursive: true });
    await mkdir(path.join(notes, 'runs'));
    const env = { PREFLEXOR_HOME: home };
    workbench = await Workbench.start({ folder: notes, name: 'e2e-training', settings, env });
  });
  after(async () => {
    await workbench.close();
    await training;
    await rm(home, { recursive: true, force: true });
  });
  afterEach(async (test) => {
    if ('passed' in test && !test.passed) await workbench.screenshot(`failed ${test.name.slice(0, 60)}`);
  });

  /** A person's command line beside the editor. */
  function command(...args: readonly string[]): Promise<Ended> {
    const model = process.env['PREFLEXOR_TEST_MODEL'] ?? '';
    return preflexor([...args, '--model', model, '--json'], { env: { PREFLEXOR_HOME: home } });
  }

  function view(): Promise<Frame> {
    return workbench.webview('preflexor-training');
  }

  /** The step that the list of runs shows. */
  async function step(): Promise<number> {
    const text = await (await view()).locator('.run.chosen').innerText({ timeout: 1000 });
    return Number(/step (\d+) of/.exec(text)?.[1] ?? 0);
  }

  async function untilStep(wanted: number): Promise<void> {
    await workbench.until(
      `step ${wanted}`,
      async () => (await step().catch(() => 0)) >= wanted,
      trainingPatience,
    );
  }

  /** What a screen reader is told of a chart at its last step. */
  async function spoken(metric: string): Promise<string> {
    const chart = (await view()).getByRole('slider', { name: `${metric} by step` });
    return (await chart.getAttribute('aria-valuetext')) ?? '';
  }

  async function runs(): Promise<Run[]> {
    const folder = path.join(workbench.folder, '.preflexor', 'runs');
    const files = (await readdir(folder).catch(() => [])).filter((name) => /^[0-9A-Z]+\.json$/.test(name));
    const read = async (name: string) =>
      Run.parse(JSON.parse(await readFile(path.join(folder, name), 'utf8')));
    return Promise.all(files.map(read));
  }

  /** Reasons about the paragraph, and gives the adapter that the run had. */
  async function adapterOfNextRun(): Promise<string | null> {
    const known = new Set((await runs()).map(({ id }) => id));
    await workbench.openFile('paper.md');
    await workbench.placeCursor(line, 1);
    await workbench.runCommand('PRefLexOR: Reason About This Paragraph');
    const run = await workbench.until(
      'another run',
      async () => (await runs()).find(({ id }) => !known.has(id)),
      180_000,
    );
    await workbench.waitForLens('Reject');
    await workbench.clickLens('Reject');
    await workbench.answer('');
    await workbench.lens('Reject').first().waitFor({ state: 'hidden' });
    return run.adapter;
  }

  it('when it is trained on the pairs then the curves move by themselves', async () => {
    await workbench.openFile('paper.md');
    await workbench.runCommand('PRefLexOR: Show Training Runs');
    await (await view()).getByText('No training run in').waitFor();
    training = command(
      ...['train', '--pairs', train ?? '', '--heldout', heldout ?? ''],
      ...['--out', path.join(workbench.folder, 'runs', 'style'), '--workspace', workbench.folder],
      ...[...numbers, '--accumulation', '2', '--evaluate-every', '5', ...anchor],
    );
    await untilStep(3);
    const before = await spoken('loss');
    await workbench.screenshot('1 the run has begun');
    await untilStep(8);
    assert.notEqual(await spoken('loss'), before);
    await workbench.screenshot('2 the curves have moved');
  });

  it('when the server is killed meanwhile then the run goes on, and so do the curves', async () => {
    assert.equal(await workbench.killProcesses(/languageServer\.js/), 1);
    const at = await step();
    await untilStep(at + 3);
    await workbench.screenshot('3 after the server was killed');
  });

  it('when it is done then its curves say that held-out pairs are told apart', async () => {
    const { code, stdout, stderr } = await training;
    assert.equal(code, 0, stderr);
    const events = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { readonly event: string; readonly adapter?: string });
    adapter = events.find(({ event }) => event === 'done')?.adapter ?? '';
    assert.notEqual(adapter, '');
    await (await view()).locator('.run.chosen', { hasText: /finished/ }).waitFor();
    const chart = (await view()).getByRole('slider', { name: 'rewards/accuracies by step' });
    await chart.focus();
    await chart.press('End');
    assert.match(await spoken('rewards/accuracies'), /held out 1\b/);
    await workbench.screenshot('4 the run is done');
  });

  it('when the gate offers the adapter then so does the editor, and compares it blindly with what is in use', async () => {
    const { code, stdout, stderr } = await command(
      ...['adapters', 'judge', adapter, '--phase', '1', '--pairs', heldout ?? '', ...texts],
    );
    assert.equal(code, 0, stderr);
    const { offered, why } = GateVerdict.parse(JSON.parse(stdout));
    assert.ok(offered, why);
    await workbench.openFile('paper.md');
    await workbench.placeCursor(line, 1);
    // The worker looks around once a minute.
    await workbench.notification('A better adapter is ready', 90_000);
    await workbench.screenshot('5 it is offered');
    const toast = workbench.page.locator('.notification-toast');
    await toast.getByRole('button', { name: 'Compare' }).click();
    const first = workbench.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ hasText: 'The First Is Better' });
    await first.waitFor({ timeout: 180_000 });
    await workbench.screenshot('6 which answer is better');
    await first.click();
    const told = await workbench.notification('The first is of', 60_000);
    assert.ok(told.includes(adapter), told);
    assert.match(told, /kept as a preference pair/);
    await workbench.screenshot('7 what was what');
    await workbench.dismissNotifications();
  });

  it('when it is put into use then the next run has it, and when it is rolled back the run after that has none', async () => {
    assert.equal(await adapterOfNextRun(), null);
    await workbench.runAndChoose('PRefLexOR: Adapters', adapter);
    await workbench.notification(`with ${adapter}`);
    await workbench.screenshot('8 in use');
    assert.equal(await adapterOfNextRun(), adapter);
    await workbench.runCommand('PRefLexOR: Roll Back to the Adapter Before');
    await workbench.notification('without adapter');
    assert.equal(await adapterOfNextRun(), null);
    await workbench.screenshot('9 rolled back');
  });

  it('when all of that is over then nobody has logged an error', () => {
    assert.deepEqual(
      workbench.consoleErrors().filter((error) => error.includes('preflexor')),
      [],
    );
  });
});
