// Model files that are missing, broken, hostile or something else: each is refused with a sentence, and the engine
// goes on to load a good one.
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLlamaEngine, type LlamaEngine } from '../../server/src/engine/index.ts';
import { PreflexorError } from '../../server/src/errors.ts';
import { preflexorMarkers, type GenerateRequest } from '../../server/src/protocol/index.ts';
import { adapterFile, ggufFile, modelMetadata, modelTensors } from '../support/ggufFile.ts';
import { hostModule, testEngine, testModelFile } from '../support/testModel.ts';

const never = new AbortController().signal;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preflexor-gguf-'));
});
after(() => rm(folder, { recursive: true }));

/** An engine whose model file a test can exchange, as a writer does who chooses another model. */
function exchangeable(file: string): { engine: LlamaEngine; use: (file: string) => void } {
  let current = file;
  const engine = createLlamaEngine({
    modelName: 'a file',
    resolveModel: () =>
      Promise.resolve({
        file: current,
        identity: { id: 'a-file', file: current, sha256: '0'.repeat(64) },
        markers: preflexorMarkers,
        chatTemplate: 'embedded',
      }),
    ...{ gpu: 'cpu', contextTokens: 512, threads: 1, idleUnloadMs: 0, adapter: null, hostModule },
    measurementsFile: join(folder, 'measurements.json'),
    onLog: () => undefined,
  });
  return {
    engine,
    use: (other) => {
      current = other;
    },
  };
}

async function refusal(file: string): Promise<PreflexorError> {
  const { engine, use } = exchangeable(file);
  try {
    const error = await engine.load(never).then(
      () => assert.fail(`${file} was loaded`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof PreflexorError, String(error));
    assert.ok(error.remedy, 'it says what to do');
    assert.equal(engine.status().error?.message, error.message);
    use(testModelFile());
    assert.equal((await engine.load(never)).architecture, 'llama');
    return error;
  } finally {
    await engine.dispose();
  }
}

/** The real model with one 32-bit number of its metadata changed. */
async function patchedModel(file: string, key: string, value: number): Promise<void> {
  await copyFile(testModelFile(), file);
  const handle = await open(file, 'r+');
  try {
    const { buffer } = await handle.read(Buffer.alloc(1 << 20), 0, 1 << 20, 0);
    // The key is followed by its type, which is 4 for such a number.
    const at = buffer.indexOf(`${key}\u0004\0\0\0`);
    assert.ok(at > 0, `${key} is not in the model`);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    await handle.write(bytes, 0, 4, at + key.length + 4);
  } finally {
    await handle.close();
  }
}

const cases: readonly {
  readonly what: string;
  readonly make: (file: string) => Promise<unknown>;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  { what: 'no file', make: () => Promise.resolve(), code: 'no-model', says: /There is no file/ },
  {
    what: 'text',
    make: (file) => writeFile(file, 'Dear model, please load me.'),
    code: 'bad-model',
    says: /not a GGUF file/,
  },
  {
    what: 'half of a model',
    make: async (file) => {
      await copyFile(testModelFile(), file);
      await truncate(file, 49_000_000);
    },
    code: 'bad-model',
    says: /it is cut off: [\d,]+ bytes are missing/,
  },
  {
    what: 'a header that claims 2^60 tensors',
    make: (file) => {
      const bytes = ggufFile(modelMetadata('llama'), modelTensors);
      bytes.writeBigUInt64LE(2n ** 60n, 8);
      return writeFile(file, bytes);
    },
    code: 'bad-model',
    says: /claims to have 1152921504606846976 tensors/,
  },
  {
    what: 'a string of 2^63 bytes',
    make: (file) => {
      const bytes = ggufFile(modelMetadata('llama'), modelTensors);
      bytes.writeBigUInt64LE(2n ** 63n, 24);
      return writeFile(file, bytes);
    },
    code: 'bad-model',
    says: /is 9223372036854775808 bytes long/,
  },
  {
    what: 'an encoder',
    make: (file) => writeFile(file, ggufFile(modelMetadata('bert'), modelTensors)),
    code: 'bad-model',
    says: /it is an embedding model, which cannot write text/,
  },
  {
    what: 'an adapter',
    make: (file) => writeFile(file, adapterFile('llama', 0)),
    code: 'bad-model',
    says: /it is an adapter, which belongs on top of a model/,
  },
  {
    what: 'an architecture that nobody knows',
    make: (file) => writeFile(file, ggufFile(modelMetadata('frobnicate'), modelTensors)),
    code: 'bad-model',
    says: /architecture "frobnicate" are not known/,
  },
  {
    what: 'a language model without its tensors',
    make: (file) => writeFile(file, ggufFile(modelMetadata('llama'), modelTensors)),
    code: 'bad-model',
    says: /the model library refuses it \(.+\)/,
  },
  {
    what: 'a model that claims one layer too many',
    make: (file) => patchedModel(file, 'llama.block_count', 31),
    code: 'bad-model',
    says: /the model library refuses it \(.*'blk\.30\.[\w.]+'.*\)/,
  },
  {
    what: 'a model over which the library breaks off',
    make: (file) => patchedModel(file, 'llama.attention.head_count', 0),
    code: 'bad-model',
    says: /the model library breaks off while it loads it/,
  },
  {
    what: 'a model that claims more heads than any memory holds',
    make: (file) => patchedModel(file, 'llama.attention.head_count_kv', 2 ** 31),
    code: 'out-of-memory',
    says: /needs about [\d.]+ GB of memory with a context of 512 tokens, and [\d.]+ GB can be had/,
  },
];

for (const { what, make, code, says } of cases) {
  test(`given ${what}, when it is loaded, then it is refused with a sentence and a good model loads after it`, async () => {
    const file = join(folder, `${what.replaceAll(/\W/g, '-')}.gguf`);
    await make(file);
    const error = await refusal(file);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
  });
}

test('given a chat template that nobody knows, when the model is loaded, then the names that exist are said', async () => {
  const file = testModelFile();
  const engine = testEngine(file, {
    resolveModel: () =>
      Promise.resolve({
        ...{ file, markers: preflexorMarkers, chatTemplate: 'klingon' },
        identity: { id: 'x', file, sha256: '0'.repeat(64) },
      }),
  });
  try {
    await assert.rejects(engine.load(never), (error) => {
      assert.ok(PreflexorError.is(error, 'bad-input'));
      assert.match(`${error.message} ${error.remedy ?? ''}`, /named "klingon".*"embedded".*chatML/);
      return true;
    });
  } finally {
    await engine.dispose();
  }
});

const request: GenerateRequest = {
  messages: [{ role: 'user', text: 'Name three metals.' }],
  ...{ prefix: '', stop: [], maxTokens: 16, temperature: 0, seed: 1 },
};

async function answerWith(adapter: string | null): Promise<string> {
  const engine = testEngine(testModelFile(), { adapter });
  let text = '';
  try {
    assert.equal((await engine.load(never)).adapter, adapter);
    for await (const event of engine.generate(request, never)) if (event.event === 'text') text += event.text;
    return text;
  } finally {
    await engine.dispose();
  }
}

test('given an adapter, when it is zero, then nothing changes, and when it is not, then the answer does', async () => {
  const files = { zero: join(folder, 'zero.gguf'), strong: join(folder, 'strong.gguf') };
  await writeFile(files.zero, adapterFile('llama', 0));
  await writeFile(files.strong, adapterFile('llama', 1));
  const base = await answerWith(null);
  assert.equal(await answerWith(files.zero), base);
  assert.notEqual(await answerWith(files.strong), base);
});

test('given what is no adapter for this model, when it is loaded with it, then that is said', async () => {
  const other = join(folder, 'other.gguf');
  await writeFile(other, adapterFile('gemma3', 0));
  await assert.rejects(answerWith(other), /it belongs to a gemma3 model, and this is llama/);
  await assert.rejects(answerWith(testModelFile()), /it is not an adapter/);
});
