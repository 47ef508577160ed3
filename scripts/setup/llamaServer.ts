// A real OpenAI-compatible server for the peer tests: llama-server, built once from the llama.cpp sources inside
// node-llama-cpp, so that it is of the very release that the engine uses. Nothing is downloaded.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { findCmake } from './cmake.mjs';
import { SetupError } from './errors.ts';
import { cache, repository } from './paths.ts';
import { run } from './processes.ts';

const bundleFolder = path.join(repository, 'node_modules/node-llama-cpp/llama');

/** Only what the server needs is built, without its web page, and with few optimisations: its speed is not tested. */
const options = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG',
  '-DBUILD_SHARED_LIBS=OFF',
  ...['LLAMA_CURL', 'LLAMA_OPENSSL', 'LLAMA_BUILD_TESTS', 'LLAMA_BUILD_EXAMPLES', 'LLAMA_BUILD_APP'].map(off),
  ...['LLAMA_BUILD_UI', 'LLAMA_USE_PREBUILT_UI', 'GGML_OPENMP'].map(off),
];

function off(name: string): string {
  return `-D${name}=OFF`;
}

function folder(): string {
  const release = JSON.parse(readFileSync(path.join(bundleFolder, 'llama.cpp.info.json'), 'utf8')) as {
    tag: string;
  };
  return path.join(cache, 'llama-server', release.tag);
}

/** The server's file, whether or not it is there. PREFLEXOR_LLAMA_SERVER names one that is elsewhere. */
export function llamaServerFile(): string {
  const name = process.platform === 'win32' ? 'llama-server.exe' : 'llama-server';
  return process.env['PREFLEXOR_LLAMA_SERVER'] ?? path.join(folder(), name);
}

export function isLlamaServerBuilt(): boolean {
  return existsSync(llamaServerFile());
}

/** Builds the server, which takes minutes; a build that was cut off goes on where it was. */
export async function buildLlamaServer(): Promise<void> {
  if (isLlamaServerBuilt()) return;
  const cmake = findCmake(cache);
  if (cmake === undefined) {
    throw new SetupError(
      'CMake 3.21 or newer is needed to build llama-server.',
      'Install it: apt-get install cmake, brew install cmake, or pip install cmake.',
    );
  }
  const sources = await ensureSources();
  const build = path.join(folder(), 'build');
  await must(cmake, ['-S', sources, '-B', build, ...options]);
  const jobs = process.env['PREFLEXOR_BUILD_JOBS'] ?? '2';
  const target = ['--build', build, '--config', 'Release', '--target', 'llama-server', '--parallel', jobs];
  await must(cmake, target);
  const name = path.basename(llamaServerFile());
  const built = [path.join(build, 'bin', name), path.join(build, 'bin/Release', name)].find(existsSync);
  if (built === undefined) throw new SetupError('The build made no llama-server.', `Look into ${build}.`);
  renameSync(built, llamaServerFile());
  // A gigabyte of objects and sources that nobody needs any more.
  for (const made of [build, sources]) rmSync(made, { recursive: true, force: true });
}

/** The sources out of the bundle, checked out once. */
async function ensureSources(): Promise<string> {
  const target = path.join(folder(), 'source');
  const complete = path.join(target, '.complete');
  if (existsSync(complete)) return target;
  rmSync(target, { recursive: true, force: true });
  await mkdir(folder(), { recursive: true });
  await must('git', ['clone', '--quiet', path.join(bundleFolder, 'gitRelease.bundle'), target]);
  writeFileSync(complete, '');
  return target;
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(program, args);
  if (code === 0) return;
  throw new SetupError(
    `llama-server could not be built: ${program} ${args[0] ?? ''} failed.\n${(stderr || stdout).trim().slice(-3000)}`,
    'A C++17 compiler, git and CMake are needed. What was built so far is kept: the next try goes on from there.',
  );
}
