// VS Code in the browser (code-server): installed once into .cache/code-server, started as often as needed.
// It stays out of our own dependencies, because its install script refuses every Node but 24.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathFirst } from '../bootstrap.mjs';
import { SetupError } from './errors.ts';
import { npm } from './npm.ts';
import { cache, repository } from './paths.ts';
import { keep, run, type Kept } from './processes.ts';
import { filesUnder, isStamped, stamp } from './stamps.ts';

/** VS Code 1.139. Its own shrinkwrap files fix every version below it. */
const version = '4.139.1';
const folder = path.join(cache, 'code-server');
const server = path.join(folder, 'node_modules', 'code-server');
const stampFile = path.join(folder, 'installed.json');

export const codeServerName = `code-server ${version}`;

function identity(): Record<string, string> {
  return { version, node: process.version, system: `${process.platform}-${process.arch}` };
}

export function isCodeServerInstalled(): boolean {
  return isStamped(stampFile, identity()) && existsSync(path.join(server, 'out/node/entry.js'));
}

/** Installs code-server with npm: 45 seconds and 800 MB, once per version of it and of Node. */
export async function installCodeServer(): Promise<void> {
  if (isCodeServerInstalled()) return;
  if (process.platform === 'win32') {
    throw new SetupError(
      'VS Code in the browser does not run on Windows.',
      'Install VS Code from code.visualstudio.com with "Add to PATH", open a new terminal and try again.',
    );
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), '{ "name": "editor", "private": true }\n');
  const vscode = path.join(server, 'lib', 'vscode');
  await npmStep(folder, ['install', '--ignore-scripts', '--save-exact', `code-server@${version}`]);
  await npmStep(vscode, ['install', '--omit=dev', '--ignore-scripts']);
  // The two native modules without which the server does not start; the others come ready built.
  await npmStep(vscode, ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog']);
  await npmStep(path.join(vscode, 'extensions'), ['install', '--omit=dev', '--ignore-scripts']);
  stamp(stampFile, identity());
}

async function npmStep(cwd: string, args: readonly string[]): Promise<void> {
  const env = {
    ...pathFirst(process.env, path.dirname(process.execPath)),
    ...nodeHeaders(),
  };
  const result = await npm([...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env });
  if (result.code === 0) return;
  throw new SetupError(
    `code-server could not be installed (npm ${args[0] ?? ''}):\n${tail(result.stderr || result.stdout)}`,
    'Check the network connection and that a C++ compiler is there (Debian: apt-get install build-essential python3; macOS: xcode-select --install), then try again. With a desktop VS Code whose `code` command is on PATH, code-server is not needed.',
  );
}

/** Native modules must be compiled against the headers of the pinned Node, not of the system's. */
function nodeHeaders(): NodeJS.ProcessEnv {
  const header = ['node_modules/node/node_modules', 'node_modules'].flatMap((modules) =>
    filesUnder(repository, `${modules}/node-${process.platform}-${process.arch}`).filter((file) =>
      file.endsWith('include/node/node_version.h'),
    ),
  )[0];
  if (!header) return {};
  const nodedir = path.resolve(repository, header, '../../..');
  // The second name is what node-gyp reads once npm no longer passes on unknown settings.
  return { npm_config_nodedir: nodedir, npm_package_config_node_gyp_nodedir: nodedir };
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}

export interface EditorOptions {
  /** What is opened: a folder. */
  readonly open: string;
  /** Folder of the editor's own data (settings, logs, extensions); made when missing. */
  readonly data: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  /** VS Code's own options, as `--vscode-option` takes them. */
  readonly vscodeOptions?: readonly string[];
  /** Whether to link this checkout into the extensions folder (default: yes). */
  readonly linkExtension?: boolean;
  /** A folder of extensions that are installed already (`installExtension`), in place of the editor's own. */
  readonly extensions?: string;
  /** Ask for this password before anything is shown. */
  readonly password?: string;
  readonly trustEverything?: boolean;
}

export interface Editor {
  /** `http://127.0.0.1:PORT/` */
  readonly address: string;
  readonly process: Kept;
  readonly logs: string;
  readonly userSettings: string;
}

/** Starts an installed code-server and waits until it answers. */
export async function startCodeServer(options: EditorOptions): Promise<Editor> {
  const extensions = options.extensions ?? path.join(options.data, 'extensions');
  const config = path.join(options.data, 'code-server.yaml');
  const address = `http://127.0.0.1:${String(options.port)}/`;
  await mkdir(path.join(options.data, 'User'), { recursive: true });
  await mkdir(extensions, { recursive: true });
  await writeFile(config, '');
  if (options.linkExtension !== false) await linkExtension(extensions);

  const args = [
    path.join(server, 'out/node/entry.js'),
    ...['--config', config, '--user-data-dir', options.data, '--extensions-dir', extensions],
    ...['--session-socket', await sessionSocket(options.data)],
    ...['--auth', options.password === undefined ? 'none' : 'password'],
    ...['--bind-addr', `127.0.0.1:${String(options.port)}`, '--app-name', 'PRefLexOR'],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
    ...(options.trustEverything ? ['--disable-workspace-trust'] : []),
    ...(options.vscodeOptions ?? []).flatMap((option) => ['--vscode-option', option]),
    ...['--ignore-last-opened', options.open],
  ];
  const editor = keep(process.execPath, args, { cwd: options.open, env: environment(options) });
  await answering(address, editor);
  return {
    address,
    process: editor,
    logs: path.join(options.data, 'logs'),
    userSettings: path.join(options.data, 'User', 'settings.json'),
  };
}

/** The path of a Unix socket must be shorter than 104 bytes (macOS), and a checkout may lie deep. */
async function sessionSocket(data: string): Promise<string> {
  const socket = path.join(data, 'code-server.sock');
  if (Buffer.byteLength(socket) < 104) return socket;
  return path.join(await mkdtemp(path.join(tmpdir(), 'preflexor-')), 'code-server.sock');
}

/** What code-server, VS Code and npm would read from around us, and must not. */
const foreign = /^(VSCODE_|CODE_SERVER_|CS_|npm_|PORT$|PASSWORD$|HASHED_PASSWORD$|ELECTRON_)/i;

function environment({ env, password }: Pick<EditorOptions, 'env' | 'password'>): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
  return { ...clean, ...(password === undefined ? {} : { PASSWORD: password }) };
}

/** Installs a package (.vsix) as a person would from the command line; gives the folder that it lies in. */
export async function installExtension(vsix: string, extensions: string): Promise<string> {
  await mkdir(extensions, { recursive: true });
  const data = await mkdtemp(path.join(tmpdir(), 'preflexor-install-'));
  const args = [
    ...[path.join(server, 'out/node/entry.js'), '--install-extension', vsix],
    ...['--user-data-dir', data, '--extensions-dir', extensions],
  ];
  const { code, stdout, stderr } = await run(process.execPath, args, {
    env: environment({ env: process.env }),
  });
  await rm(data, { recursive: true, force: true });
  const [folder] = (await readdir(extensions)).filter((name) => name.startsWith('preflexor.preflexor-'));
  if (code === 0 && folder !== undefined) return path.join(extensions, folder);
  throw new SetupError(
    `${vsix} could not be installed:\n${tail(stderr || stdout)}`,
    'Make the package again: npm run package.',
  );
}

async function linkExtension(extensions: string): Promise<void> {
  const link = path.join(extensions, 'preflexor.preflexor');
  // The list of what is installed would hide an extension that came by link after the first start.
  await rm(path.join(extensions, 'extensions.json'), { force: true });
  await rm(link, { recursive: true, force: true });
  await symlink(repository, link, 'junction');
}

async function answering(address: string, editor: Kept): Promise<void> {
  for (let attempt = 0; attempt < 300 && !editor.isGone(); attempt += 1) {
    const response = await fetch(new URL('healthz', address)).catch(() => undefined);
    if (response?.ok) return;
    await delay(100);
  }
  await editor.end();
  throw new SetupError(
    `The editor did not start:\n${tail(editor.output())}`,
    'Delete the folder .cache/code-server and try again.',
  );
}
