// The npm that runs us, under the pinned Node: the same one on every system.
import { findOnPath, run, type RunOptions, type RunResult } from './processes.ts';

/** Runs npm; `process.execPath` is the pinned Node here, so packages are built for that one. */
export function npm(args: readonly string[], options: RunOptions): Promise<RunResult> {
  const script = process.env['npm_execpath'];
  if (script && /\.c?js$/.test(script)) return run(process.execPath, [script, ...args], options);
  return run(findOnPath(['npm']) ?? 'npm', args, options);
}
