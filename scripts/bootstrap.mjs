// What has to happen before anything of ours can run: the locked packages are installed, and the work goes
// on under the Node that came with them. Knows only Node's own modules, and no newer ones than Node 20's.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('..', import.meta.url));
const pinnedNode = path.join(
  repository,
  'node_modules/node/bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);

/** Says what is wrong and what to do; `main` prints it without a stack. */
class BootstrapError extends Error {}

/**
 * Installs what package-lock.json asks for, unless it is there, and runs a TypeScript file of this folder
 * under the pinned Node with the same arguments. Resolves to the exit code.
 * `lastLine` is printed when that file had no chance to end by itself.
 */
export async function main(script, lastLine) {
  const code = await attempt(script);
  if (code === null && lastLine) console.log(lastLine);
  return code ?? 1;
}

async function attempt(script) {
  try {
    ensureDependencies();
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    console.error(`\n${error.message}`);
    return null;
  }
  return runUnderPinnedNode(script);
}

/** Compares what npm wrote down when it installed with what the lock file asks for. */
export function dependenciesMatch(folder) {
  const locked = readPackages(path.join(folder, 'package-lock.json'));
  const installed = readPackages(path.join(folder, 'node_modules', '.package-lock.json'));
  if (!locked || !installed) return false;
  const asLocked = Object.entries(installed).every(
    ([name, entry]) => locked[name]?.version === entry.version,
  );
  const complete = Object.entries(locked).every(
    ([name, entry]) => name === '' || entry.optional || installed[name],
  );
  return asLocked && complete;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // Missing or broken off: the same as not installed.
  }
}

function ensureDependencies() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new BootstrapError(
      `This needs Node 20 or newer, and here is Node ${process.versions.node}. Install a newer one from nodejs.org, then try again.`,
    );
  }
  if (dependenciesMatch(repository) && existsSync(pinnedNode)) return;
  console.log('Installing the packages that this project is built from (npm ci, about a minute) …');
  const result = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (result.error) {
    throw new BootstrapError(
      `npm could not be started (${result.error.message}). It comes with Node: install Node again.`,
    );
  }
  if (result.status !== 0) {
    throw new BootstrapError(
      'npm could not install the packages; its own words are above. Check the network connection (and the proxy settings of npm), then try again.',
    );
  }
  if (!existsSync(pinnedNode)) {
    throw new BootstrapError(
      'The packages are installed, but not the Node that comes with them: npm was told to run no install scripts. Run `npm ci --ignore-scripts=false`, then try again.',
    );
  }
}

/** npm started by the script that npm itself runs from, where there is one: the same npm on every system. */
function npm(args) {
  const options = { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'] };
  const cli = process.env.npm_execpath;
  if (cli && /\.c?js$/.test(cli)) return spawnSync(process.execPath, [cli, ...args], options);
  return process.platform === 'win32'
    ? spawnSync(`npm.cmd ${args.join(' ')}`, { ...options, shell: true })
    : spawnSync('npm', args, options);
}

function runUnderPinnedNode(script) {
  const binaries = path.join(repository, 'node_modules', '.bin');
  const child = spawn(
    pinnedNode,
    [fileURLToPath(new URL(script, import.meta.url)), ...process.argv.slice(2)],
    {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'], // The channel tells the child when this process is gone.
      env: pathFirst(process.env, binaries),
    },
  );
  // Ctrl+C reaches the child as well, and the child decides when it is done.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  watchForLostParent(() => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`Node could not be started: ${error.message}`);
      resolve(null);
    });
    child.on('exit', resolve);
  });
}

/** A copy of the environment with a folder in front of PATH, however the system spells that name. */
export function pathFirst(environment, folder) {
  const key = Object.keys(environment).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...environment, [key]: [folder, environment[key]].filter(Boolean).join(path.delimiter) };
}

/** When npm is killed, what it started lives on; nobody would ever stop that again. */
function watchForLostParent(whenLost) {
  if (!process.env.npm_lifecycle_event) return;
  const before = ancestors();
  setInterval(() => ancestors() !== before && whenLost(), 1000).unref();
}

/** Our parent and its parent: npm starts us through a shell, which may not notice that npm is gone. */
function ancestors() {
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
    return `${process.ppid} ${stat.slice(stat.lastIndexOf(')')).split(' ')[2]}`;
  } catch {
    return `${process.ppid}`; // Not Linux.
  }
}
