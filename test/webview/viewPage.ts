// A view in a real Chromium: its bundle, the very page that the client makes (with its content security policy),
// and an in-memory editor. Serves on 127.0.0.1 only; everything ends with `close`.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { contentSecurityPolicy, pageHtml } from '../../client/src/webviewHost.ts';
import { findChromium } from '../../scripts/setup/chromium.ts';
import type {} from '../../webview/src/shared/memoryHost.ts';
import type { Theme } from './themes.ts';

const root = join(import.meta.dirname, '..', '..');
const nonce = 'bm9uY2U-test';
const types: Readonly<Record<string, string>> = {
  js: 'text/javascript',
  css: 'text/css',
  ttf: 'font/ttf',
  html: 'text/html',
};

declare global {
  interface Window {
    policyViolations: string[];
  }
}

export interface ViewPageOptions {
  readonly theme: Theme;
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: boolean;
  /** What the page had saved when it was hidden. */
  readonly saved?: unknown;
}

/** Serves one view, and opens pages on it. */
export class ViewServer {
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #address: string;
  readonly #editor: string;

  private constructor(server: Server, browser: Browser, address: string, editor: string) {
    this.#server = server;
    this.#browser = browser;
    this.#address = address;
    this.#editor = editor;
  }

  /**
   * @param entry the view's entry point, below webview/src
   * @param resources folder whose files its page reads, served below `/pdf/`
   */
  static async start(entry: string, resources?: string): Promise<ViewServer> {
    const fetches = resources !== undefined;
    const view = await bundled(entry);
    const [editor] = await bundled('shared/memoryHost.ts');
    const codicons = join(root, 'node_modules/@vscode/codicons/dist');
    const files = new Map<string, string | Buffer>([
      ['/view.js', view[0] ?? ''],
      ['/view.css', view[1] ?? ''],
      ['/codicon.css', await readFile(join(codicons, 'codicon.css'))],
      ['/codicon.ttf', await readFile(join(codicons, 'codicon.ttf'))],
    ]);
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').replace(/\?.*$/, '');
      const source = `http://127.0.0.1:${port(server)}`;
      if (path === '/') files.set('/', page(source, fetches));
      const content = files.get(path) ?? (fetches ? resource(resources, path) : undefined);
      const type = path === '/' ? 'html' : (path.split('.').at(-1) ?? '');
      response.writeHead(content === undefined ? 404 : 200, {
        'content-type': types[type] ?? 'text/plain',
        'content-security-policy': contentSecurityPolicy({ source, nonce, fetches }),
      });
      response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const executablePath = findChromium();
    if (executablePath === undefined)
      throw new Error('There is no Chromium here. PREFLEXOR_CHROMIUM names one.');
    const browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new ViewServer(server, browser, `http://127.0.0.1:${port(server)}/`, editor ?? '');
  }

  async open({
    theme,
    width = 340,
    height = 700,
    reducedMotion = false,
    saved,
  }: ViewPageOptions): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width, height },
      reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    });
    const opened = await context.newPage();
    await opened.addInitScript((variables) => {
      window.policyViolations = [];
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
        window.policyViolations.push(`${violatedDirective} ${blockedURI} ${sample}`);
      });
      // As VS Code does it: by script, which no policy forbids.
      addEventListener('DOMContentLoaded', () => {
        for (const [name, value] of Object.entries(variables))
          document.documentElement.style.setProperty(name, value);
        document.body.style.background = variables['--vscode-sideBar-background'] ?? '';
      });
    }, theme);
    await opened.addInitScript(this.#editor);
    if (saved !== undefined)
      await opened.addInitScript((state) => {
        window.savedByView = state;
      }, saved);
    await opened.goto(this.#address);
    await opened.waitForFunction(() => window.sentByView.length > 0);
    return opened;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function port(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server is not listening');
  return address.port;
}

/** A file below `/pdf/`, if there is one of that name. */
function resource(folder: string, path: string): Buffer | undefined {
  const [, kind = '', name = ''] = /^\/pdf\/(\w+)\/([\w.-]+)$/.exec(path) ?? [];
  const file = join(folder, kind, name);
  return name !== '' && existsSync(file) ? readFileSync(file) : undefined;
}

function page(source: string, fetches: boolean): string {
  return pageHtml({
    source,
    nonce,
    title: 'View',
    language: 'en',
    script: `${source}/view.js`,
    style: `${source}/view.css`,
    codicons: `${source}/codicon.css`,
    fetches,
  });
}

/** Script and style sheet of an entry point. */
async function bundled(entry: string): Promise<string[]> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'webview/src', entry)],
    bundle: true,
    write: false,
    outdir: 'out',
    platform: 'browser',
    target: 'chrome120',
    format: 'iife',
    minify: true,
  });
  return ['.js', '.css'].map((ending) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '');
}

/**
 * What the page's content security policy refused, and what the view says went wrong in it.
 * @param fromView where it is given, everything that the view has sent has to be of it
 */
export async function complaints(
  page: Page,
  fromView?: { parse(message: unknown): unknown },
): Promise<string[]> {
  const [sent, refused] = await page.evaluate(() => [window.sentByView, window.policyViolations] as const);
  for (const message of sent) fromView?.parse(message);
  const failures = sent.filter((message) => (message as { type: string }).type === 'didFail');
  return [...refused, ...failures.map((message) => JSON.stringify(message))];
}

/** Where tests of views leave their screenshots. */
export const pictures = join(root, 'test-output', 'webview');

/** Serves a view (see `ViewServer.start`) for all tests of a file; what it gives opens pages on it once they have begun. */
export function servedView(entry: string, resources?: string): Pick<ViewServer, 'open'> {
  let server: ViewServer | undefined;
  before(async () => {
    await mkdir(pictures, { recursive: true });
    server = await ViewServer.start(entry, resources);
  });
  after(() => server?.close());
  return {
    open: (options) => {
      if (!server) throw new Error(`${entry} is not served yet.`);
      return server.open(options);
    },
  };
}
