#!/usr/bin/env node
// `npm run build:native`: builds native/build/preflexor-trainer against the ggml that node-llama-cpp
// ships. Headers come from its own source bundle; the one thing that is taken from outside is OpenBLAS, out
// of its Python package, and the build does without it where that fails. Plain JavaScript: it runs before
// anything is built. Options: --sanitize (another build folder), --tests (builds and runs ctest).
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
import { findCmake, runs } from './setup/cmake.mjs';

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

/** The folder of the platform package that holds libggml-base. */
function findLibraries() {
  const names = {
    'linux-x64': 'linux-x64',
    'linux-arm64': 'linux-arm64',
    'darwin-arm64': 'mac-arm64-metal',
    'darwin-x64': 'mac-x64',
  };
  const name = names[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    throw new BuildError(`The trainer cannot be built for ${process.platform}-${process.arch} yet.`);
  }
  const folder = path.join(root, 'node_modules/@node-llama-cpp', name, 'bins', name);
  if (!existsSync(folder))
    throw new BuildError(`The package @node-llama-cpp/${name} is missing: run npm ci.`);
  return folder;
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

/** The folder of the package's library, fetched once a version; undefined where it cannot be had. */
function findOpenblas() {
  const folder = path.join(root, '.cache/openblas', openblas.version);
  const libraries = path.join(folder, 'scipy_openblas32/lib');
  if (existsSync(libraries)) return libraries;
  const python = findPython();
  if (python === undefined) return undefined;
  const partial = `${folder}.partial-${process.pid}`;
  const wanted = `${openblas.name}==${openblas.version}`;
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--target', partial];
  if (runs(python, ['-m', 'pip', 'install', ...options, wanted])) renameSync(partial, folder);
  rmSync(partial, { recursive: true, force: true });
  return existsSync(libraries) ? libraries : undefined;
}

/** Puts OpenBLAS beside the program, which looks for it there when it starts. */
function placeOpenblas(build) {
  const name = process.platform === 'darwin' ? 'libscipy_openblas.dylib' : 'libscipy_openblas.so';
  const libraries = findOpenblas();
  if (libraries === undefined) {
    console.error('OpenBLAS could not be fetched: the trainer works without it, two to three times slower.');
    return;
  }
  const target = path.join(build, name);
  if (!existsSync(target)) {
    copyFileSync(path.join(libraries, name), `${target}.partial`);
    renameSync(`${target}.partial`, target);
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

function main(args) {
  const known = ['--sanitize', '--tests'];
  const unknown = args.find((argument) => !known.includes(argument));
  if (unknown !== undefined) throw new BuildError(`Unknown option ${unknown}; known: ${known.join(', ')}.`);
  const preset = args.includes('--sanitize') ? 'sanitize' : 'release';
  const libraries = findLibraries();
  requireCompiler();
  const cmake = findCmake(path.join(root, '.cache'));
  if (cmake === undefined) {
    throw new BuildError(
      'Install CMake 3.21 or newer: apt-get install cmake, brew install cmake, or pip install cmake.',
    );
  }
  const sources = ensureSources();
  const native = path.join(root, 'native');
  const tests = args.includes('--tests');
  // CMake itself does nothing where nothing changed.
  run(
    cmake,
    [
      '--preset',
      preset,
      `-DPREFLEXOR_GGML_SOURCE=${sources}`,
      `-DPREFLEXOR_GGML_LIBRARIES=${libraries}`,
      `-DBUILD_TESTING=${tests ? 'ON' : 'OFF'}`,
      '--log-level=WARNING',
    ],
    { cwd: native, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const jobs = process.env.PREFLEXOR_BUILD_JOBS ?? '2';
  run(cmake, ['--build', '--preset', preset, '--parallel', jobs], { cwd: native });
  placeOpenblas(path.join(native, preset === 'sanitize' ? 'build-sanitize' : 'build'));
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
