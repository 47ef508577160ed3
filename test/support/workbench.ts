// A real VS Code workbench for tests: code-server with this extension on a temporary copy of a folder, driven
// by Chromium as a person would, with keyboard and mouse. It waits for what must become true and never for
// a time, and whatever it started ends with it. Knows nothing of what the extension does.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Browser, type Frame, type Locator, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/setup/chromium.ts';
import { startCodeServer, type Editor } from '../../scripts/setup/codeServer.ts';
import { testHome, testOutput } from '../../scripts/setup/paths.ts';
import { freePort, run } from '../../scripts/setup/processes.ts';

export interface WorkbenchOptions {
  /** Copied; the tests work on the copy. */
  readonly folder: string;
  /** Folder below test-output/ that screenshots and logs go to. */
  readonly name: string;
  /** The person's settings, beside those that keep the workbench quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly vscodeOptions?: readonly string[];
  /** false: the extension comes in another way. */
  readonly linkExtension?: boolean;
  /** A folder that the extension is installed in. */
  readonly extensions?: string;
  /** What is added to the address, for instance a payload. */
  readonly query?: (authority: string, folder: string) => string;
  /** Called on the page before it opens. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const quiet = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'editor.minimap.enabled': false,
  'editor.wordWrap': 'on',
  'git.enabled': false,
  // In the browser notes are saved by themselves after a second; the tests say when.
  'files.autoSave': 'off',
};

/** How long anything may take that has no reason to take long, in milliseconds. */
const patience = 30_000;

export class Workbench {
  readonly page: Page;
  /** The temporary copy that is open. */
  readonly folder: string;
  readonly #editor: Editor;
  readonly #browser: Browser;
  readonly #root: string;
  readonly #output: string;
  readonly #consoleErrors: string[] = [];

  private constructor(
    page: Page,
    folder: string,
    editor: Editor,
    browser: Browser,
    root: string,
    output: string,
  ) {
    this.page = page;
    this.folder = folder;
    this.#editor = editor;
    this.#browser = browser;
    this.#root = root;
    this.#output = output;
    page.on('console', (message) => {
      if (message.type() === 'error') this.#consoleErrors.push(message.text());
    });
    page.on('pageerror', (error) => this.#consoleErrors.push(error.stack ?? error.message));
  }

  static async start(options: WorkbenchOptions): Promise<Workbench> {
    // The real path, because the workbench shows and compares files by theirs (macOS: /tmp is a link).
    const root = await realpath(await mkdtemp(path.join(tmpdir(), 'preflexor-workbench-')));
    const folder = path.join(root, 'notes');
    await cp(options.folder, folder, { recursive: true });
    await writeSettings(path.join(root, 'data'), options.settings ?? {});
    const editor = await startCodeServer({
      open: folder,
      data: path.join(root, 'data'),
      port: await freePort(0),
      env: await ownEnvironment(root, options.env ?? {}),
      trustEverything: true,
      linkExtension: options.linkExtension ?? true,
      ...(options.extensions !== undefined && { extensions: options.extensions }),
      ...(options.vscodeOptions && { vscodeOptions: options.vscodeOptions }),
    });
    const output = path.join(testOutput, options.name);
    await mkdir(output, { recursive: true });
    const browser = await launchBrowser().catch(async (error: unknown) => {
      await editor.process.end();
      throw error;
    });
    const page = await newPage(browser);
    const workbench = new Workbench(page, folder, editor, browser, root, output);
    try {
      await options.prepare?.(page);
      const { host } = new URL(editor.address);
      await page.goto(new URL(options.query?.(host, folder) ?? '/', editor.address).href);
      await page.locator('.monaco-workbench .statusbar').waitFor({ timeout: 60_000 });
    } catch (error) {
      await workbench.screenshot('did-not-start').catch(() => undefined);
      await workbench.close();
      throw error;
    }
    return workbench;
  }

  /** Ends everything and removes the copy. The logs stay in test-output/. */
  async close(): Promise<void> {
    await this.#keepLogs().catch(() => undefined);
    await this.#browser.close().catch(() => undefined);
    await this.#editor.process.end();
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }

  // ——— what a person does ———

  /** Opens a file of the folder by its name (Ctrl+P), and waits until its text is there. */
  async openFile(name: string): Promise<void> {
    // The list may still be that of the time before a file was made: then it is opened anew.
    await this.until(`${name} in the list of files`, async () => {
      await this.page.keyboard.press('ControlOrMeta+P');
      return this.#pick(name, name, 3000).then(
        () => true,
        async () => {
          await this.page.keyboard.press('Escape');
          await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
          return false;
        },
      );
    });
    // The tab changes first: what counts is the text of the editor.
    const editor = `.editor-group-container.active .monaco-editor[data-uri$="/${path.basename(name)}"]`;
    await this.page.locator(`${editor} .view-line`).first().waitFor();
  }

  /** Runs a command from the palette by its full title, as in `PRefLexOR: Stop`. */
  async runCommand(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.#pick(`>${title}`, title);
  }

  /** Runs a command that opens a list in the palette's place, and takes the entry that has `text` in it. */
  async runAndChoose(title: string, text: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.#take(`>${title}`, title);
    await this.page
      .locator('.quick-input-widget .quick-input-list .monaco-list-row')
      .filter({ hasText: text })
      .first()
      .click();
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Types into the quick input that is opening, waits for the entry that is meant, and takes it. */
  async #pick(text: string, entry = text, timeout = patience): Promise<void> {
    await this.#take(text, entry, timeout);
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async #take(text: string, entry: string, timeout = patience): Promise<void> {
    const input = this.page.locator('.quick-input-widget:visible .quick-input-box input');
    await input.waitFor();
    await input.fill(text);
    const row = this.page
      .locator('.quick-input-widget .quick-input-list .monaco-list-row')
      .filter({
        has: this.page.locator('.label-name, .monaco-highlighted-label').getByText(entry, { exact: true }),
      })
      .first();
    await row.waitFor({ timeout });
    await row.click();
  }

  /** Puts the cursor at a line and column of the active editor, both counted from 1. */
  async placeCursor(line: number, column = 1): Promise<void> {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget:visible .quick-input-box input');
    await input.waitFor();
    await input.fill(`:${String(line)}:${String(column)}`);
    await input.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await this.page
      .locator('.statusbar-item', { hasText: `Ln ${String(line)}, Col ${String(column)}` })
      .waitFor({ timeout: patience });
  }

  /** Types into the input box that is open, and presses Enter. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget:visible .quick-input-box input');
    await input.waitFor();
    await input.fill(text);
    await input.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async undo(): Promise<void> {
    await this.focusEditor();
    await this.page.keyboard.press('ControlOrMeta+Z');
  }

  /** Saves the active note and waits until it is on the disk. */
  async save(name: string): Promise<void> {
    if (!(await this.isDirty())) return;
    const file = path.join(this.folder, name);
    const before = (await stat(file)).mtimeMs;
    await this.focusEditor();
    await this.page.keyboard.press('ControlOrMeta+S');
    // The tab looks clean as soon as the saving begins; the disk tells when it is done.
    await this.until(`${name} to be saved`, async () => (await stat(file)).mtimeMs !== before);
    await this.page.locator('.tab.active:not(.dirty)').waitFor();
  }

  /** Focus goes to the text without a click, which would move the cursor. */
  async focusEditor(): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+1');
    await this.page.locator('.editor-group-container.active .monaco-editor.focused').waitFor();
  }

  /** Waits for a code lens and clicks on it. */
  async clickLens(text: string): Promise<void> {
    const lens = this.lens(text).first();
    await lens.waitFor({ timeout: patience });
    await lens.click();
  }

  /** Puts one more file into the folder. */
  async addFile(name: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, name), text);
  }

  /** What happens without a person: a process that the editor started is killed. Says how many there were. */
  async killProcesses(pattern: RegExp): Promise<number> {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,pgid=,args=']);
    const group = String(this.#editor.process.pid);
    const pids = stdout
      .split('\n')
      .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [])
      .filter(([, , pgid, args]) => pgid === group && pattern.test(args ?? ''))
      .map(([, pid]) => Number(pid));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids.length;
  }

  // ——— what a person sees ———

  lens(text: string): Locator {
    return this.page.locator('.codelens-decoration a').getByText(text, { exact: true });
  }

  async waitForLens(text: string, timeout = patience): Promise<void> {
    await this.lens(text).first().waitFor({ timeout });
  }

  /** Texts of all lenses in view, in reading order. */
  async lenses(): Promise<string[]> {
    return this.page.locator('.codelens-decoration a').allInnerTexts();
  }

  async isDirty(): Promise<boolean> {
    return (await this.page.locator('.tab.active.dirty').count()) > 0;
  }

  /** The active note's text: it is saved and read from the disk. */
  async savedText(name: string): Promise<string> {
    await this.save(name);
    return this.fileText(name);
  }

  /** What is on the disk now. */
  fileText(name: string): Promise<string> {
    return readFile(path.join(this.folder, name), 'utf8');
  }

  /** Line numbers (from 1) in the margin of the active editor, in reading order. */
  async visibleLines(): Promise<number[]> {
    const texts = await this.page
      .locator('.editor-group-container.active .monaco-editor .margin-view-overlays .line-numbers')
      .allInnerTexts();
    return texts
      .map(Number)
      .filter((line) => line > 0)
      .sort((left, right) => left - right);
  }

  /** Lines that are hidden between the first and the last line in view: the folded ones. */
  async foldedLines(): Promise<number[]> {
    const visible = await this.visibleLines();
    const [first, last] = [visible[0] ?? 0, visible.at(-1) ?? 0];
    return Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index).filter(
      (line) => !visible.includes(line),
    );
  }

  /** The webview that shows what `selector` finds; waits for it. */
  async webview(selector: string, timeout = patience): Promise<Frame> {
    return this.until(
      `a webview with ${selector}`,
      async () => {
        for (const frame of this.page.frames()) {
          if (frame.name() !== 'active-frame' && !(await isActiveFrame(frame))) continue;
          const found = await frame
            .locator(selector)
            .count()
            .catch(() => 0); // It may be going away.
          if (found > 0) return frame;
        }
        return undefined;
      },
      timeout,
    );
  }

  /** Waits for a notification that contains `text` and gives its whole text. */
  async notification(text: string | RegExp, timeout = patience): Promise<string> {
    const toast = this.page
      .locator('.notification-toast .notification-list-item-message')
      .filter({ hasText: text });
    await toast.first().waitFor({ timeout });
    return toast.first().innerText();
  }

  /** The aria label or text of every item in the status bar, in reading order. */
  async statusLabels(): Promise<string[]> {
    const labels = await this.page.locator('.statusbar-item .statusbar-item-label').all();
    return Promise.all(
      labels.map(async (label) => (await label.getAttribute('aria-label')) ?? (await label.innerText())),
    );
  }

  async dismissNotifications(): Promise<void> {
    await this.runCommand('Notifications: Clear All Notifications');
    await this.page.locator('.notification-toast').waitFor({ state: 'hidden' });
  }

  /** Waits until `look` gives something, and says what was waited for when it never does. */
  async until<T>(what: string, look: () => Promise<T | undefined | false>, timeout = patience): Promise<T> {
    const end = Date.now() + timeout;
    for (;;) {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      assert.ok(Date.now() < end, `waited ${String(timeout / 1000)} s for ${what}`);
      await delay(50);
    }
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(this.#output, `${name}.png`) });
  }

  // ——— what it left behind ———

  /** Errors that the workbench and the webviews wrote to the browser's console. */
  consoleErrors(): readonly string[] {
    return this.#consoleErrors;
  }

  /** Everything that the extension host and the extension's own channels logged. */
  async logs(): Promise<string> {
    const names = await readdir(this.#editor.logs, { recursive: true }).catch(() => []);
    const files = names.filter((name) => name.includes('exthost') && name.endsWith('.log')).sort();
    const texts = files.map(async (name) => {
      const text = await readFile(path.join(this.#editor.logs, name), 'utf8');
      return `——— ${name}\n${text}`;
    });
    return (await Promise.all(texts)).join('\n');
  }

  async #keepLogs(): Promise<void> {
    const text = [
      await this.logs(),
      '——— console',
      ...this.#consoleErrors,
      '——— editor',
      this.#editor.process.output(),
    ];
    await writeFile(path.join(this.#output, 'workbench.log'), text.join('\n'));
  }
}

async function isActiveFrame(frame: Frame): Promise<boolean> {
  try {
    const element = await frame.frameElement();
    return (await element.getAttribute('id')) === 'active-frame';
  } catch {
    return false; // Gone meanwhile, or the page itself.
  }
}

async function writeSettings(data: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(path.join(data, 'User'), { recursive: true });
  await writeFile(path.join(data, 'User', 'settings.json'), JSON.stringify({ ...quiet, ...settings }));
}

/** HOME and the folder for temporary files are the test's own; models come from the tests' PREFLEXOR_HOME. */
async function ownEnvironment(root: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const own = { HOME: path.join(root, 'home'), TMPDIR: path.join(root, 'tmp') };
  for (const folder of Object.values(own)) await mkdir(folder);
  const around = Object.entries(process.env).filter(([name]) => !name.startsWith('XDG_'));
  return {
    ...Object.fromEntries(around),
    PREFLEXOR_HOME: process.env['PREFLEXOR_HOME'] ?? testHome,
    ...own,
    ...env,
  };
}

async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  assert.ok(executablePath, 'Chromium is missing: `npm test` installs it, or says how');
  return chromium.launch({
    executablePath,
    chromiumSandbox: false,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  });
}

async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 1000 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  return page;
}
