// Zig, a C++ compiler with the libraries of every platform in one Python package: it builds the trainer on Windows,
// and for another platform than this one. Plain JavaScript: the trainer's build runs before anything is built.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runs } from './cmake.mjs';
import { exportedNames, manifestResource, moduleDefinition } from './dll.mjs';

const version = '0.17.1';

/** Zig's own names of the platforms. The oldest C library that node-llama-cpp's packages run with. */
const triples = {
  'linux-x64': 'x86_64-linux-gnu.2.29',
  'linux-arm64': 'aarch64-linux-gnu.2.29',
  'win32-x64': 'x86_64-windows-gnu',
};

/** What CMake calls the systems. */
const systems = { linux: 'Linux', win32: 'Windows' };

/** Whether Zig builds for a platform. macOS is not among them: its own libraries may not be passed on. */
export function isZigTarget(target) {
  return target in triples;
}

/** Zig's file, or undefined where it cannot be had. @param cache the folder that holds it */
export function findZig(cache, python) {
  const folder = path.join(cache, 'zig', version);
  const program = path.join(folder, 'ziglang', process.platform === 'win32' ? 'zig.exe' : 'zig');
  if (runs(program, ['version'])) return program;
  if (python === undefined) return undefined;
  const partial = `${folder}.partial-${process.pid}`;
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--target', partial];
  console.error(`Taking the C++ compiler out of the Python package "ziglang" into .cache/zig.`);
  if (runs(python, ['-m', 'pip', 'install', ...options, `ziglang==${version}`])) renameSync(partial, folder);
  rmSync(partial, { recursive: true, force: true });
  return runs(program, ['version']) ? program : undefined;
}

/** What CMake has to be told to build for a platform with Zig. */
export function zigOptions(zig, target) {
  const [system, processor] = target.split('-');
  const compiler = (language) => `${zig};${language};-target;${triples[target]}`;
  return [
    `-DCMAKE_C_COMPILER=${compiler('cc')}`,
    `-DCMAKE_CXX_COMPILER=${compiler('c++')}`,
    `-DCMAKE_SYSTEM_NAME=${systems[system]}`,
    `-DCMAKE_SYSTEM_PROCESSOR=${processor}`,
  ];
}

/**
 * Makes what Windows' linker needs beside the library itself, into `folder`, and gives CMake's options that name it.
 * @param run runs a program, and throws when it fails
 */
export function windowsOptions(zig, libraries, manifest, folder, run) {
  const dll = 'ggml-base.dll';
  const definition = path.join(folder, 'ggml-base.def');
  const library = path.join(folder, 'libggml-base.dll.a');
  const resource = path.join(folder, 'trainer.res');
  // What is written in C: the names of the rest are those of another compiler.
  const names = exportedNames(readFileSync(path.join(libraries, dll))).filter((name) => /^\w+$/.test(name));
  writeFileSync(definition, moduleDefinition(dll, names));
  run(zig, ['dlltool', '-m', 'i386:x86-64', '-d', definition, '-l', library]);
  writeFileSync(resource, manifestResource(readFileSync(manifest)));
  return [`-DPREFLEXOR_GGML_IMPORT=${library}`, `-DPREFLEXOR_RESOURCE=${resource}`];
}
