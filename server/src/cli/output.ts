// What the command line prints: one JSON document or JSON lines on stdout, all else on stderr.
import { PreflexorError, sentence } from '../errors.ts';

export const exitCodes = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Where a command's words go. */
export interface Output {
  /** `--json`: stdout carries data only. */
  readonly json: boolean;
  /** One JSON document, or `text` for people. */
  result(data: unknown, text: string): void;
  /** One line of a JSON stream. */
  line(data: unknown): void;
  /** Text for people on stdout, as it comes; nothing under `--json`. */
  write(text: string): void;
  /** A line on stderr. */
  say(text: string): void;
  /** A line on stderr that is overwritten by the next; only on a terminal. */
  progress(text: string): void;
}

export function createOutput(json: boolean, stdout = process.stdout, stderr = process.stderr): Output {
  let pending = false;
  const clear = (): void => {
    if (pending) stderr.write('\r\u001b[K');
    pending = false;
  };
  return {
    json,
    result: (data, text) => {
      clear();
      stdout.write(json ? `${JSON.stringify(data, null, 2)}\n` : `${text}\n`);
    },
    line: (data) => {
      clear();
      stdout.write(`${JSON.stringify(data)}\n`);
    },
    write: (text) => {
      clear();
      if (!json) stdout.write(text);
    },
    say: (text) => {
      clear();
      stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (!stderr.isTTY) return;
      stderr.write(`\r\u001b[K${text.slice(0, Math.max(20, stderr.columns - 1))}`);
      pending = true;
    },
  };
}

/** Tells a failure in one sentence and gives its exit code. */
export function tellFailure(error: unknown, output: Output): number {
  if (PreflexorError.is(error, 'cancelled')) {
    output.say('Stopped.');
    return exitCodes.cancelled;
  }
  output.say(`preflexor: ${sentence(error)}`);
  if (!PreflexorError.is(error) && error instanceof Error && error.stack) output.say(error.stack);
  return exitCodes.failed;
}

/** Bytes for people. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Seconds for people. */
export function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
