// Runs the built command line as a person or a script does.
import { spawn } from 'node:child_process';
import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');
const corpus = join(import.meta.dirname, '..', 'fixtures', 'corpus');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Called with what came on stdout so far, and a way to send a signal. */
  readonly onStdout?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Kills it (SIGKILL) after so long, unless it has ended by itself. */
  readonly killAfterMs?: number;
}

/** Runs `preflexor ARGS…` to its end. */
export function preflexor(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, ...options.env } });
    const timer = options.killAfterMs && setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onStdout?.(stdout, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (timer) clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** The paper of the corpus in a temporary folder of its own. */
export async function paper(t: TestContext): Promise<{ folder: string; note: string }> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'preflexor cli Žofie '));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(join(corpus, 'kanapy'), folder, { recursive: true });
  return { folder, note: join(folder, 'paper.md') };
}

/** Words of a paragraph that the paper and its start both have. */
export const words = 'Texture in polycrystalline materials';

/** A few lines on that paper, for what does not depend on the text: a long prompt takes the small model its time. */
export async function startOfPaper(t: TestContext): Promise<{ folder: string; note: string }> {
  const { folder, note } = await paper(t);
  const lines = [
    '# Kanapy',
    'A synthetic microstructure is incomplete without its texture [@kocks1998texture].',
    `${words} is the distribution of orientations and that of the grain boundaries [@adams1992measurement].`,
    'An orientation distribution function says how often each orientation occurs among the grains. It is estimated from measured orientations with a kernel, whose width decides how much detail of the measurement is kept. The workflow draws a small number of orientations from it, such that the function of the drawn ones is as near to the measured one as their number allows.',
  ];
  await writeFile(note, `${lines.join('\n\n')}\n`);
  return { folder, note };
}

/** The line, from 1, on which `words` stand. */
export function lineOf(text: string, words: string): string {
  const at = text.indexOf(words);
  if (at < 0) throw new Error(`not in the text: ${words}`);
  return String(text.slice(0, at).split('\n').length);
}

/** Options that keep the small model's runs short and repeatable: the draft alone, on one thread, as two test files run at a time. */
export const short = [
  ...['--threads', '1'],
  ...['--model', process.env['PREFLEXOR_TEST_MODEL'] ?? 'smollm2-135m-instruct'],
  ...['--gpu', 'cpu', '--seed', '7', '--temperature', '0', '--iterations', '0'],
  ...['--thinking-tokens', '24', '--reflection-tokens', '16', '--answer-tokens', '24'],
];
