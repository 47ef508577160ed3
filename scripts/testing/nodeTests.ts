// Runs test files with node:test: its own output for the person, the counts for us.
import { statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { repository } from '../setup/paths.ts';
import { run } from '../setup/processes.ts';
import { filesUnder } from '../setup/stamps.ts';
import { failure, together, type Results } from './results.ts';

const counter = pathToFileURL(fileURLToPath(new URL('countReporter.ts', import.meta.url))).href;

export interface NodeTestOptions {
  /** Folders, relative to the checkout, that are searched for `*.test.ts`. */
  readonly folders: readonly string[];
  /** How many files may run at the same time. */
  readonly concurrency: number;
  /** Deals the files out to that many processes, in place of one for each file: for many that are short. */
  readonly shared?: boolean;
  /** Minutes that a test file may take before it is ended and counts as failed. */
  readonly minutes: number;
  readonly env: NodeJS.ProcessEnv;
}

export function testFiles(folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => filesUnder(repository, folder))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
}

export async function runNodeTests(options: NodeTestOptions): Promise<Results> {
  const files = testFiles(options.folders);
  if (files.length === 0) return failure(`no test files in ${options.folders.join(', ')}`);
  return runTestFiles(files, options);
}

type RunOptions = Omit<NodeTestOptions, 'folders'> & { readonly show?: boolean };

/** Runs named files, whatever they are called. */
export async function runTestFiles(files: readonly string[], options: RunOptions): Promise<Results> {
  if (options.shared !== true) return await runOnce(files, options);
  const hands = dealt(files, Math.min(options.concurrency, files.length));
  return together(await Promise.all(hands.map((hand) => runOnce(hand, options))));
}

/** To so many hands, each with about as much: how long a file takes is not known, how long it is tells a little. */
function dealt(files: readonly string[], count: number): string[][] {
  const hands = Array.from({ length: count }, () => ({ files: [] as string[], bytes: 0 }));
  const sized = files.map((file) => ({ file, bytes: statSync(path.resolve(repository, file)).size }));
  for (const { file, bytes } of sized.sort((one, other) => other.bytes - one.bytes)) {
    const least = hands.reduce((one, other) => (other.bytes < one.bytes ? other : one));
    least.files.push(file);
    least.bytes += bytes;
  }
  return hands.map((hand) => hand.files);
}

async function runOnce(files: readonly string[], options: RunOptions): Promise<Results> {
  const folder = await mkdtemp(path.join(tmpdir(), 'preflexor-test-'));
  const counts = path.join(folder, 'counts.json');
  try {
    const args = [
      '--test',
      ...(options.shared === true
        ? ['--test-isolation=none']
        : [`--test-concurrency=${String(options.concurrency)}`]),
      `--test-timeout=${String(options.minutes * 60_000)}`,
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${counter}`, `--test-reporter-destination=${counts}`],
      ...files,
    ];
    const { code } = await run(process.execPath, args, {
      cwd: repository,
      // Set where a test runs this: it would make the inner run report to the outer one.
      env: { ...options.env, NODE_TEST_CONTEXT: undefined },
      show: options.show ?? true,
    });
    return complete(code, await readFile(counts, 'utf8').catch(() => ''));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run that ended badly has a failure, even where its reporter had no chance to say so. */
function complete(code: number | null, counts: string): Results {
  if (counts === '') return failure(`node --test ended with ${String(code)} and without results`);
  const results = JSON.parse(counts) as Results;
  if (code === 0 || results.failures.length > 0) return results;
  return { ...results, failures: [`node --test ended with ${String(code)}`] };
}
