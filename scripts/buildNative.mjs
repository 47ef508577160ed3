#!/usr/bin/env node
// `npm run build:native`: builds native/build/preflexor-trainer against the ggml that node-llama-cpp
// ships. Headers come from its own source bundle; the one thing that is taken from outside is OpenBLAS, out
// of its Python package, and the build does without it where that fails. Plain JavaScript: it runs before
// anything is built. Options: --sanitize (another build folder), --tests (builds and runs ctest),
// --target TARGET (for another platform, into native/build-TARGET, by Zig's compiler) with --libraries FOLDER.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findCmake, runs } from './setup/cmake.mjs';
import { findZig, isZigTarget, windowsOptions, zigOptions } from './setup/zig.mjs';

const root = path.resolve(import.meta.dirname, '..');
const packageFolder = path.join(root, 'node_modules/node-llama-cpp');

/** The package that holds libscipy_openblas for every platform; BSD-3-Clause. */
const openblas = { name: 'scipy-openblas32', version: '0.3.34.481.3' };

class BuildError extends Error {}

/** Runs a program with its output shown; throws when it fails. */
function run(program, args, options = {}) {
  const result = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (result.error !== undefined) throw new BuildError(`${program} cannot be run: ${result.error.message}`);
  if (result.status !== 0) throw new BuildError(`${program} ${args[0] ?? ''} failed.`);
}

/** node-llama-cpp's name for the package of each platform that the trainer is built for. */
const platformPackages = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
};

const host = `${process.platform}-${process.arch}`;

/** The folder of the platform package that holds libggml-base. */
function findLibraries(target) {
  const name = platformPackages[target];
  if (name === undefined) throw new BuildError(`The trainer cannot be built for ${target} yet.`);
  const folder = path.join(root, 'node_modules/@node-llama-cpp', name, 'bins', name);
  if (existsSync(folder)) return folder;
  const how = target === host ? 'run npm ci' : 'name its bins folder with --libraries';
  throw new BuildError(`The package @node-llama-cpp/${name} is missing: ${how}.`);
}

function findPython() {
  return ['python3', 'python'].find((name) => runs(name, ['-m', 'venv', '--help']));
}

function requireCompiler() {
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter((name) => name !== undefined);
  if (!compilers.some((name) => runs(name, ['--version']))) {
    throw new BuildError('A C++17 compiler is needed: apt-get install g++, or xcode-select --install.');
  }
}

/** node-llama-cpp's llama.cpp sources, cloned once per release from the bundle in its package. */
function ensureSources() {
  const { tag } = JSON.parse(readFileSync(path.join(packageFolder, 'llama/llama.cpp.info.json'), 'utf8'));
  const target = path.join(root, '.cache/llama.cpp', tag);
  if (existsSync(path.join(target, '.complete'))) return target;
  if (!runs('git', ['--version'])) throw new BuildError('git is needed to unpack the sources: install git.');
  const partial = `${target}.partial-${process.pid}`;
  rmSync(target, { recursive: true, force: true });
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(path.dirname(target), { recursive: true });
  const bundle = path.join(packageFolder, 'llama/gitRelease.bundle');
  // Only the headers are taken out of the bundle: 10 MB instead of 200.
  run('git', ['clone', '--quiet', '--no-checkout', bundle, partial]);
  run('git', ['-C', partial, 'checkout', '--quiet', 'HEAD', '--', 'ggml/include', 'vendor/nlohmann']);
  rmSync(path.join(partial, '.git'), { recursive: true, force: true });
  writeFileSync(path.join(partial, '.complete'), '');
  renameSync(partial, target);
  return target;
}

/** pip's names of the platforms, for which the package is fetched elsewhere. */
const pipPlatforms = {
  'linux-x64': 'manylinux_2_27_x86_64',
  'linux-arm64': 'manylinux_2_27_aarch64',
  'win32-x64': 'win_amd64',
};

/** The folder of the package's library, fetched once a version; undefined where it cannot be had. */
function findOpenblas(target) {
  const name = target === host ? openblas.version : `${openblas.version}-${target}`;
  const folder = path.join(root, '.cache/openblas', name);
  const libraries = path.join(folder, 'scipy_openblas32/lib');
  if (existsSync(libraries)) return libraries;
  const python = findPython();
  if (python === undefined) return undefined;
  const partial = `${folder}.partial-${process.pid}`;
  const wanted = `${openblas.name}==${openblas.version}`;
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--target', partial];
  if (target !== host) options.push('--platform', pipPlatforms[target]);
  if (runs(python, ['-m', 'pip', 'install', ...options, wanted])) renameSync(partial, folder);
  rmSync(partial, { recursive: true, force: true });
  return existsSync(libraries) ? libraries : undefined;
}

/** Puts OpenBLAS beside the program, which looks for it there when it starts. */
function placeOpenblas(build, target) {
  const [system] = target.split('-');
  const name = `libscipy_openblas.${{ darwin: 'dylib', win32: 'dll' }[system] ?? 'so'}`;
  const libraries = findOpenblas(target);
  if (libraries === undefined) {
    console.error('OpenBLAS could not be fetched: the trainer works without it, two to three times slower.');
    return;
  }
  const file = path.join(build, name);
  if (!existsSync(file)) {
    copyFileSync(path.join(libraries, name), `${file}.partial`);
    renameSync(`${file}.partial`, file);
  }
  const licence = findLicence(path.join(libraries, '../..'));
  if (licence !== undefined) copyFileSync(licence, path.join(build, 'OpenBLAS-LICENSE.txt'));
}

/** The licence in the folder that pip installed the package's library into. */
function findLicence(folder) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  const found = files.find((file) => /\.dist-info[\\/](.*[\\/])?LICENSE(\.[a-z]+)?$/i.test(file));
  return found === undefined ? undefined : path.join(folder, found);
}

/** What this build is to be, or an error that names the options. */
function readOptions(args) {
  const options = {
    sanitize: { type: 'boolean', default: false },
    tests: { type: 'boolean', default: false },
    target: { type: 'string', default: host },
    libraries: { type: 'string' },
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new BuildError(
      `${error.message}\nKnown: --sanitize, --tests, --target TARGET, --libraries FOLDER.`,
    );
  }
}

/** Zig's options for CMake where it is the compiler; none where the system's own is. */
function compilerOptions(target, libraries, build) {
  if (target === host && process.platform !== 'win32') {
    requireCompiler();
    return [];
  }
  if (!isZigTarget(target)) throw new BuildError(`The trainer for ${target} is built on ${target}.`);
  const zig = findZig(path.join(root, '.cache'), findPython());
  if (zig === undefined) {
    throw new BuildError('The C++ compiler could not be fetched: it is the Python package ziglang.');
  }
  const options = zigOptions(zig, target);
  if (process.platform === 'win32') options.push('-G', 'Ninja');
  if (target !== 'win32-x64') return options;
  const manifest = path.join(root, 'native/src/windows.manifest');
  return [...options, ...windowsOptions(zig, libraries, manifest, build, run)];
}

function main(args) {
  const { sanitize, tests, target, libraries: named } = readOptions(args);
  const preset = sanitize ? 'sanitize' : 'release';
  const libraries = named === undefined ? findLibraries(target) : path.resolve(named);
  if (tests && target !== host) throw new BuildError(`The tests for ${target} run on ${target} only.`);
  const cmake = findCmake(path.join(root, '.cache'));
  if (cmake === undefined) {
    throw new BuildError(
      'Install CMake 3.21 or newer: apt-get install cmake, brew install cmake, or pip install cmake.',
    );
  }
  const native = path.join(root, 'native');
  const name = target === host ? (sanitize ? 'build-sanitize' : 'build') : `build-${target}`;
  const build = path.join(native, name);
  mkdirSync(build, { recursive: true });
  const compiler = compilerOptions(target, libraries, build);
  const sources = ensureSources();
  // CMake itself does nothing where nothing changed.
  run(
    cmake,
    [
      ...['--preset', preset, '-B', build, ...compiler],
      `-DPREFLEXOR_GGML_SOURCE=${sources}`,
      `-DPREFLEXOR_GGML_LIBRARIES=${libraries}`,
      `-DBUILD_TESTING=${tests ? 'ON' : 'OFF'}`,
      '--log-level=WARNING',
    ],
    { cwd: native, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const jobs = process.env.PREFLEXOR_BUILD_JOBS ?? '2';
  run(cmake, ['--build', build, '--parallel', jobs], { cwd: native });
  placeOpenblas(build, target);
  if (!tests) return;
  const ctest = cmake === 'cmake' ? 'ctest' : path.join(path.dirname(cmake), 'ctest');
  run(ctest, ['--preset', preset, '--parallel', jobs], { cwd: native });
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
