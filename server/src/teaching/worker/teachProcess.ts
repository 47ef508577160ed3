// A run of teaching in a process of its own: the very command that a writer may type. It ends by itself when whoever
// started it is gone, as the channel between the two closes then, and leaves a checkpoint.
import { spawn } from 'node:child_process';
import { PreflexorError, throwIfCancelled, type ErrorCode } from '../../errors.ts';
import { TeachingLine } from '../../protocol/index.ts';

export interface TeachProcessOptions {
  /** dist/cli.js, or its source where the sources run as they are. */
  readonly program: string;
  /** Hears what it writes to stderr. */
  readonly onLog: (text: string) => void;
  /** Milliseconds between asking it to end and killing it: the trainer's own patience, and something for the rest. */
  readonly stopMs?: number;
}

const usualStopMs = 30_000;
const keptCharacters = 2000;

/**
 * Runs `preflexor` with these arguments, which end in a stream of lines.
 * @throws PreflexorError `cancelled`, what the command says of its end, or `trainer-failed` where it says nothing
 */
export async function* teachLines(
  args: readonly string[],
  options: TeachProcessOptions,
  signal: AbortSignal,
): AsyncGenerator<TeachingLine> {
  throwIfCancelled(signal);
  const child = spawn(process.execPath, [options.program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The editor's own program is Node only when it is told so.
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    windowsHide: true,
  });
  let words = '';
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('A process without the pipes that it was started with.');
  stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-keptCharacters);
    options.onLog(text.trimEnd());
  });
  const said = new Promise<void>((resolve) => stderr.once('close', resolve));
  // Not `close`: it does not come where this side has closed the channel.
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`can't be started (${error.message})`));
    child.once('exit', (code, by) =>
      resolve(by === null ? `ended with ${String(code)}` : `was ended by ${by}`),
    );
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = () => {
    if (child.connected) child.disconnect();
    killing = setTimeout(() => child.kill('SIGKILL'), options.stopMs ?? usualStopMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  let failed: Extract<TeachingLine, { event: 'failed' }> | null = null;
  try {
    for await (const text of splitLines(stdout)) {
      const line = lineOf(text);
      if (line?.event === 'failed') failed = line;
      else if (line) yield line;
    }
    const how = await ended;
    await said;
    throwIfCancelled(signal);
    if (failed) throw failureOf(failed);
    if (how !== 'ended with 0') throw crash(how, words);
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(killing);
    // Whoever leaves early wants no more of it.
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** Whole lines only: what a killed process began to write is left out. */
async function* splitLines(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** null: no line that is followed. */
function lineOf(text: string): TeachingLine | null {
  try {
    return TeachingLine.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function failureOf({ code, message, remedy }: Extract<TeachingLine, { event: 'failed' }>): PreflexorError {
  return new PreflexorError(code as ErrorCode, message, remedy === null ? {} : { remedy });
}

function crash(how: string, words: string): PreflexorError {
  const last = words.trim().split('\n').at(-1) ?? '';
  return new PreflexorError('trainer-failed', `Teaching ${how}${last === '' ? '' : `: ${last}`}.`, {
    remedy: 'What was done up to the last checkpoint is kept: resume it.',
  });
}
