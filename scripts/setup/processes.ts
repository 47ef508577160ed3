// Starting other programs: once and wait (`run`), or for as long as we live (`keep`). What is kept is a
// whole process group that ends with us, however we end. Knows nothing of what it starts.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const keeper = fileURLToPath(new URL('keeper.mjs', import.meta.url));

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Show the program's own output as it comes, instead of only collecting it. */
  readonly show?: boolean;
  /** Milliseconds after which the program is killed. */
  readonly timeout?: number;
}

export interface RunResult {
  /** null: it could not be started, or a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Never throws: a program that can't be started has its reason in `stderr`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: options.show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      timeout: options.timeout,
      killSignal: 'SIGKILL',
      // npm.cmd and code.cmd are scripts of the Windows shell.
      shell: process.platform === 'win32' && command.endsWith('.cmd'),
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', (error) => {
      resolve({ code: null, stdout: stdout(), stderr: error.message });
    });
    child.on('close', (code) => {
      resolve({ code, stdout: stdout(), stderr: stderr() });
    });
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: string[] = [];
  stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  return () => chunks.join('');
}

/** A process group that runs until it is ended, by us or with us. */
export interface Kept {
  /** Number of the process group; undefined when it could not be started. */
  readonly pid: number | undefined;
  /** The last 200,000 characters of what it wrote, both streams. */
  output(): string;
  isGone(): boolean;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  /** Ends the whole group; resolves when it is gone. */
  end(): Promise<void>;
}

export function keep(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Kept {
  const child = spawn(process.execPath, [keeper, command, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-200_000);
    });
  }
  child.stdin.on('error', () => undefined); // It may be gone before we close it.
  const gone = ended(child);
  return {
    pid: child.pid,
    output: () => output,
    isGone: () => child.exitCode !== null || child.signalCode !== null,
    gone,
    end: () => {
      child.stdin.end();
      return gone;
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('error', () => {
      resolve();
    });
    child.on('exit', () => {
      resolve();
    });
  });
}

/** The full path of a program on PATH, or undefined. */
export function findOnPath(names: readonly string[], environment = process.env): string | undefined {
  const folders = (environment['PATH'] ?? environment['Path'] ?? '').split(path.delimiter).filter(Boolean);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  return folders
    .flatMap((folder) => names.flatMap((name) => endings.map((ending) => path.join(folder, name + ending))))
    .find((file) => existsSync(file));
}

/** `wished`, if nobody listens there, else any free port of 127.0.0.1. */
export async function freePort(wished: number): Promise<number> {
  for (const port of [wished, 0]) {
    const free = await new Promise<number | undefined>((resolve) => {
      const server = createServer();
      server.on('error', () => {
        resolve(undefined);
      });
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => {
          resolve(typeof address === 'object' && address ? address.port : undefined);
        });
      });
    });
    if (free !== undefined) return free;
  }
  throw new Error('No free port on 127.0.0.1.');
}
