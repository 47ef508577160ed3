// The machine's own pip: says where a wheel is, or fetches it. Which registry that is, and how it is reached,
// is the machine's affair: no address of one is known here.
import { execFile } from 'node:child_process';
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { bringItYourself } from './http.ts';

export interface PipOptions {
  /** An empty folder of ours: Python looks for modules in the folder that it is started in. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly signal: AbortSignal;
}

/** Where a wheel is. The sha256 is null when the index gives none. */
export interface WheelAddress {
  readonly url: string;
  readonly sha256: string | null;
}

/** The part of pip's installation report that is used. Source: pip's documentation, "Installation Report". */
const Report = z.object({
  install: z
    .array(
      z.object({
        download_info: z.object({
          url: z.string(),
          archive_info: z
            .object({ hash: z.string().optional(), hashes: z.record(z.string(), z.string()).optional() })
            .optional(),
        }),
      }),
    )
    .length(1),
});

const quiet = ['--no-input', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
const longestOutputBytes = 32 * 1024 * 1024;

/**
 * Asks pip (22.2 or newer) for the address of a wheel without installing it.
 * Throws `download-failed` or `offline` with what pip said, and when there is no Python or no pip.
 */
export async function findWheel(name: string, version: string, options: PipOptions): Promise<WheelAddress> {
  const answer = await runPip(
    [
      'install',
      '--dry-run',
      '--ignore-installed',
      ...quiet,
      '--quiet',
      '--report',
      '-',
      requirement(name, version),
    ],
    options,
  );
  const parsed = Report.safeParse(parseJson(answer));
  const found = parsed.success ? parsed.data.install[0]?.download_info : undefined;
  if (found === undefined) {
    throw new PreflexorError('download-failed', 'pip gave a report that cannot be understood.', {
      remedy: 'Bring pip up to date ("python3 -m pip install --upgrade pip"), then try again.',
    });
  }
  const sha256 =
    found.archive_info?.hashes?.['sha256'] ?? /^sha256=(.*)$/.exec(found.archive_info?.hash ?? '')?.[1];
  return { url: found.url, sha256: sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null };
}

/** Lets pip itself put the wheel into `destination`. Slower to stop and not resumed: the second choice. */
export async function downloadWheel(
  name: string,
  version: string,
  destination: string,
  options: PipOptions,
): Promise<void> {
  await runPip(['download', ...quiet, '--quiet', '--dest', destination, requirement(name, version)], options);
}

function requirement(name: string, version: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) && /^[A-Za-z0-9][A-Za-z0-9.+!_-]*$/.test(version)) {
    return `${name}==${version}`;
  }
  throw new PreflexorError('bad-input', `"${name}==${version}" is not a package and a version.`);
}

/** Runs pip with the first Python that has it, and gives back what it printed. */
async function runPip(commands: readonly string[], options: PipOptions): Promise<string> {
  let withoutPip = false;
  for (const [python, ...flags] of pythons(options.platform)) {
    throwIfCancelled(options.signal);
    try {
      return await run(python, [...flags, '-m', 'pip', ...commands], options);
    } catch (error) {
      throwIfCancelled(options.signal);
      if (!(error instanceof PipExit)) throw error;
      // The Microsoft Store's stand-in for Python exists, prints an invitation and exits with 9009.
      if (error.code === 'ENOENT' || error.code === 9009) continue;
      if (!/No module named '?pip/.test(error.said)) throw pipFailure(error);
      withoutPip = true;
    }
  }
  const message = withoutPip
    ? 'Python is here, but its pip is not.'
    : 'Python 3 was not found on this machine.';
  throw new PreflexorError('download-failed', message, {
    remedy: `Install Python 3 with pip, or get the GGUF file elsewhere and run "preflexor models add FILE".`,
  });
}

function pythons(platform: NodeJS.Platform): [string, ...string[]][] {
  return platform === 'win32' ? [['py', '-3'], ['python'], ['python3']] : [['python3'], ['python']];
}

async function run(program: string, commands: readonly string[], options: PipOptions): Promise<string> {
  const { folder: cwd, signal } = options;
  const env = { ...options.environment, PYTHONSAFEPATH: '1', PYTHONIOENCODING: 'utf-8' };
  return await new Promise((resolve, reject) => {
    const settings = { cwd, env, signal, maxBuffer: longestOutputBytes, windowsHide: true };
    execFile(program, commands, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new PipExit(error.code ?? null, stderr, error));
    });
  });
}

/** How a run of pip ended that did not go well. */
class PipExit extends Error {
  /** An exit status, or why the program could not be started. */
  readonly code: string | number | null;
  readonly said: string;

  constructor(code: string | number | null, said: string, cause: Error) {
    super(`pip ended with ${code}`, { cause });
    this.code = code;
    this.said = said;
  }
}

const unreachable =
  /NewConnectionError|NameResolutionError|ConnectTimeoutError|connection broken by|name resolution|getaddrinfo failed/i;

function pipFailure(error: PipExit): PreflexorError {
  const { said } = error;
  if (unreachable.test(said)) {
    return new PreflexorError('offline', 'pip cannot reach its package index.', {
      remedy: bringItYourself,
      cause: error,
    });
  }
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const last = lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? 'it gave no reason';
  return new PreflexorError('download-failed', `pip could not get the package: ${last.slice(0, 300)}.`, {
    remedy: bringItYourself,
    cause: error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
