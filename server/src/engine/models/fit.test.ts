import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { catalogue, type CatalogueModel } from './catalogue.ts';
import { availableByVmStat, availableMemory, estimateMemory, fits } from './fit.ts';
import { temporaryFolder } from './testing.ts';

function entry(id: string): CatalogueModel {
  return catalogue.find((each) => each.id === id) ?? assert.fail(id);
}

const mebibyte = 1024 * 1024;

test('given SmolLM2, when its memory is estimated, then cache and buffers are what llama.cpp logs for it', () => {
  const { shape, bytes } = entry('smollm2-135m-instruct');
  const estimate = estimateMemory({ ...shape, weightBytes: bytes }, 8192);
  // "CPU KV buffer size = 180.00 MiB", "CPU compute buffer size = 98.25 MiB" at 8,192 tokens and a batch of 512.
  assert.equal(estimate.keyValueBytes, 180 * mebibyte);
  assert.equal(estimate.computeBytes, 98.25 * mebibyte);
  const parts = estimate.weightBytes + estimate.keyValueBytes + estimate.computeBytes + estimate.processBytes;
  assert.equal(estimate.totalBytes, parts);
});

test('given sliding layers, when the context grows past the window, then only the other layers grow', () => {
  const { shape, bytes } = entry('gemma-3-4b-it');
  const cacheAt = (tokens: number) => estimateMemory({ ...shape, weightBytes: bytes }, tokens).keyValueBytes;
  const fullLayers = 34 - 29;
  assert.equal(cacheAt(32_768) - cacheAt(16_384), fullLayers * 4 * (256 + 256) * 16_384 * 2);
});

test('given a machine, when fits is asked, then something is left for the editor', () => {
  assert.equal(fits(1000 * mebibyte, 1000 * mebibyte), false);
  assert.equal(fits(1000 * mebibyte, 1300 * mebibyte), true);
});

async function machine(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder(context);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const information = 'MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:    8000000 kB\n';

test('given no limits, when memory is asked for on Linux, then caches count as available', async (t) => {
  const root = await machine(t, { 'proc/meminfo': information, 'proc/self/cgroup': '0::/\n' });
  assert.equal(await availableMemory({ platform: 'linux', root }), 8_000_000 * 1024);
});

test('given a container with a limit, when memory is asked for, then the rest of the limit counts, caches apart', async (t) => {
  const root = await machine(t, {
    'proc/meminfo': information,
    'proc/self/cgroup': '0::/kubepods/pod1\n',
    'sys/fs/cgroup/kubepods/memory.max': 'max\n',
    'sys/fs/cgroup/kubepods/memory.current': '3000000000\n',
    'sys/fs/cgroup/kubepods/pod1/memory.max': '4000000000\n',
    'sys/fs/cgroup/kubepods/pod1/memory.current': '3000000000\n',
    'sys/fs/cgroup/kubepods/pod1/memory.stat': 'anon 900000000\nfile 2100000000\ninactive_file 2000000000\n',
  });
  assert.equal(await availableMemory({ platform: 'linux', root }), 3_000_000_000);
});

test('given the older control groups, when memory is asked for, then their limit counts too', async (t) => {
  const root = await machine(t, {
    'proc/meminfo': information,
    'proc/self/cgroup': '5:cpu:/x\n4:memory:/job\n0::/\n',
    'sys/fs/cgroup/memory/job/memory.limit_in_bytes': '2000000000\n',
    'sys/fs/cgroup/memory/job/memory.usage_in_bytes': '1500000000\n',
    'sys/fs/cgroup/memory/job/memory.stat': 'inactive_file 1\ntotal_inactive_file 500000000\n',
  });
  assert.equal(await availableMemory({ platform: 'linux', root }), 1_000_000_000);
});

test('given what vm_stat prints, when it is read, then free, inactive and speculative pages count', () => {
  const printed = [
    'Mach Virtual Memory Statistics: (page size of 16384 bytes)',
    'Pages free:                               10000.',
    'Pages active:                            200000.',
    'Pages inactive:                           20000.',
    'Pages speculative:                         3000.',
  ].join('\n');
  assert.equal(availableByVmStat(printed), 33_000 * 16_384);
  assert.equal(availableByVmStat('vm_stat: not permitted'), null);
});
