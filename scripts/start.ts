// `npm start`: builds, gets the small models, and opens an editor with the extension on a folder of notes.
// Each step is left out when it is up to date. Ends with the editor in the browser, or with Ctrl+C.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, isBuilt } from './setup/build.ts';
import {
  codeServerName,
  installCodeServer,
  isCodeServerInstalled,
  startCodeServer,
} from './setup/codeServer.ts';
import { findDesktop, openDesktop } from './setup/desktop.ts';
import { explain, SetupError } from './setup/errors.ts';
import { getModel, installedModel, smallEmbedder, smallModel, smallModels } from './setup/model.ts';
import { cache, samples } from './setup/paths.ts';
import { copyOnce } from './setup/samples.ts';
import { findOnPath, freePort } from './setup/processes.ts';
import { step } from './setup/steps.ts';

const usage = `npm start                 open an editor with PRefLexOR on sample notes
npm start -- FOLDER       open it on a folder of your own
  --browser               use VS Code in the browser even where a desktop VS Code is
  --password              ask for a password in the browser (for a machine that others use too)
  --no-open               print the address, but open no browser window
  --data FOLDER           where the editor in the browser keeps its settings (default: .cache/editor)
  --check                 start the editor in the browser, see that it answers, and end`;

/** Where the editor in the browser listens, when it can: the browser keeps its layout per address. */
const usualPort = 8765;

interface Wishes {
  readonly folder: string;
  readonly ownFolder: boolean;
  readonly browser: boolean;
  readonly password: boolean;
  readonly open: boolean;
  readonly check: boolean;
  /** The editor's own folder. */
  readonly data: string;
}

async function main(): Promise<number> {
  const wishes = await readArguments();
  if (typeof wishes === 'number') return wishes;
  await step('Building', isBuilt(), build);
  for (const id of [smallModel, smallEmbedder] as const) {
    const model = await installedModel(id, process.env);
    await step(`Getting ${smallModels[id]}`, model !== undefined, () => getModel(id, process.env));
  }
  if (!wishes.ownFolder) await copyOnce(samples, wishes.folder);

  const desktop = wishes.browser || wishes.check ? undefined : await findDesktop();
  if (desktop && 'code' in desktop) {
    await openDesktop(desktop.code, wishes.folder);
    console.log(`\nVS Code opens a new window on ${wishes.folder}`);
    console.log(nextStep(wishes));
    return 0;
  }
  if (desktop) console.log(`${desktop.unusable} Using VS Code in the browser.`);
  await step(
    `Installing ${codeServerName}, VS Code in the browser (once, about a minute)`,
    isCodeServerInstalled(),
    installCodeServer,
  );
  return openInBrowser(wishes);
}

/** What the person asked for, or the exit code when the answer is the usage. */
async function readArguments(): Promise<Wishes | number> {
  const options = {
    browser: { type: 'boolean' },
    password: { type: 'boolean' },
    'no-open': { type: 'boolean' },
    check: { type: 'boolean' },
    data: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help || positionals.length > 1) {
      console.log(usage);
      return values.help ? 0 : 2;
    }
    // npm runs us in the checkout; a relative folder is meant from where the person stands.
    const from = process.env['INIT_CWD'] ?? process.cwd();
    const folder = positionals[0] === undefined ? undefined : path.resolve(from, positionals[0]);
    if (folder !== undefined) await mustBeFolder(folder);
    return {
      folder: folder ?? path.join(cache, 'samples'),
      ownFolder: folder !== undefined,
      browser: values.browser ?? false,
      password: values.password ?? false,
      open: !(values['no-open'] ?? false),
      check: values.check ?? false,
      data: path.resolve(from, values.data ?? path.join(cache, values.check ? 'editor-check' : 'editor')),
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
}

async function mustBeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  const what = found ? 'is a file, not a folder' : 'does not exist';
  throw new SetupError(`${folder} ${what}.`, 'Name the folder that your notes are in: npm start -- FOLDER');
}

async function openInBrowser(wishes: Wishes): Promise<number> {
  const running = path.join(wishes.data, 'running.json');
  const elsewhere = wishes.check ? undefined : await alreadyRunning(running, wishes.folder);
  if (elsewhere) {
    console.log(`\nPRefLexOR is already open at ${elsewhere}`);
    return 0;
  }
  await writeSettingsOnce(path.join(wishes.data, 'User', 'settings.json'));
  const password = wishes.password ? randomBytes(9).toString('base64url') : undefined;
  const editor = await startCodeServer({
    open: wishes.folder,
    data: wishes.data,
    port: await freePort(wishes.check ? 0 : usualPort),
    env: process.env,
    // Our own samples need no question whether their authors are trusted; a person's own folder does.
    trustEverything: !wishes.ownFolder,
    ...(password === undefined ? {} : { password }),
  });
  console.log(`\nOpen ${editor.address} in your browser${password ? ` (password: ${password})` : ''}.`);
  console.log(nextStep(wishes));
  if (wishes.check) {
    await editor.process.end();
    return 0;
  }
  console.log(`The notes are in ${wishes.folder}. Ctrl+C here ends the editor.`);
  if (wishes.open) openBrowser(editor.address);
  await writeFile(running, JSON.stringify({ address: editor.address, folder: wishes.folder }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
    process.on(signal, () => void editor.process.end());
  }
  await editor.process.gone;
  return 0;
}

function nextStep(wishes: Wishes): string {
  const note = wishes.ownFolder ? 'a Markdown note' : 'welcome.md';
  const key = process.platform === 'darwin' ? 'Cmd+Alt+R' : 'Ctrl+Alt+R';
  return `Then open ${note}, put the cursor in a paragraph and press ${key}: the model thinks, reflects and suggests.`;
}

/** The address of an editor that an earlier `npm start` left running on the same folder. */
async function alreadyRunning(running: string, folder: string): Promise<string | undefined> {
  try {
    const last = JSON.parse(await readFile(running, 'utf8')) as { address: string; folder: string };
    if (last.folder !== folder) return undefined;
    const answer = await fetch(new URL('healthz', last.address), { signal: AbortSignal.timeout(2000) });
    return answer.ok ? last.address : undefined;
  } catch {
    return undefined; // Never started, or ended since.
  }
}

async function writeSettingsOnce(file: string): Promise<void> {
  const settings = {
    'workbench.startupEditor': 'none',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'chat.disableAIFeatures': true,
    'telemetry.telemetryLevel': 'off',
    // The samples lie inside the checkout, and it is not their repository.
    'git.openRepositoryInParentFolders': 'never',
    'extensions.autoCheckUpdates': false,
  };
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(settings, undefined, 2)}\n`, { flag: 'wx' }).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    },
  );
}

/** A convenience: where it does not work, the printed address does. */
function openBrowser(address: string): void {
  const display = process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'];
  const openers: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer.exe' };
  const opener = openers[process.platform] ?? (display && findOnPath(['xdg-open']));
  if (!opener) return;
  spawn(opener, [address], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\n${explain(error)}`);
  process.exitCode = 1;
}
// The channel to bootstrap.mjs would keep this process alive.
if (process.connected) process.disconnect();
