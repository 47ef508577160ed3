import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineStatus, type DownloadProgress, type ModelListing } from '../../server/src/protocol/index.ts';
import { downloadQuestion, downloadStep, modelDetail } from './modelWords.ts';
import { bytes, shortModel, statusFacts, statusWords } from './statusWords.ts';

const status: EngineStatus = {
  state: 'ready',
  model: 'smollm2-135m-instruct',
  fraction: null,
  backend: 'CPU',
  fallback: 'No CUDA device was found.',
  contextTokens: 4096,
  threads: { prompt: 2, generation: 1 },
  tokensPerSecond: null,
  memoryBytes: 141_000_000,
  error: null,
};

test('given each state, when it is shown, then the text has one icon and the spoken form has none', () => {
  for (const state of EngineStatus.shape.state.options) {
    const { text, spoken } = statusWords({ ...status, state }, 0);
    assert.equal(text.match(/\$\(/g)?.length, 1, state);
    assert.doesNotMatch(spoken, /\$\(/, state);
  }
});

test('given recording that is paused, when the state is shown, then it says so to eyes and ears', () => {
  const { text, spoken } = statusWords(status, 0, null, false);
  assert.match(text, /not recording$/);
  assert.match(spoken, /not recorded$/);
  assert.doesNotMatch(statusWords(status, 0).text, /recording/);
});

test('given work, when it is shown, then there is a spinner with what is known of it', () => {
  assert.equal(
    statusWords({ ...status, state: 'loading', fraction: 0.423 }, 1).text,
    '$(loading~spin) smollm2-135m-instruct · loading 42 %',
  );
  assert.equal(
    statusWords({ ...status, state: 'generating', tokensPerSecond: 61.4 }, 1).text,
    '$(loading~spin) smollm2-135m-instruct · 61 tokens/s',
  );
});

test('given a failure, when it is shown, then only then it stands out', () => {
  const error = { code: 'engine-crashed', message: 'The engine crashed.', remedy: 'Try again.' };
  const failed = statusWords({ ...status, state: 'failed', error }, 0);
  assert.deepEqual([failed.failed, failed.spoken], [true, 'PRefLexOR: The engine crashed.']);
  assert.equal(statusWords(status, 0).failed, false);
});

test('given an engine that fell back, when the menu is opened, then it says why', () => {
  const runsOn = statusFacts(status).find(({ label }) => label === 'Runs on');
  assert.deepEqual([runsOn?.description, runsOn?.detail], ['CPU', 'No CUDA device was found.']);
});

test('given an engine that nothing is known of, when the menu is opened, then nothing is made up', () => {
  const unknown = { ...status, backend: null, contextTokens: null, threads: null, memoryBytes: null };
  assert.deepEqual(
    statusFacts(unknown).map(({ label }) => label),
    ['Model'],
  );
});

test('given a path, when the model is named, then it is the name of its file', () => {
  assert.equal(shortModel('/home/me/Models/Llama.GGUF'), 'Llama');
  assert.equal(shortModel('C:\\models\\x.gguf'), 'x');
});

test('given sizes, when they are written, then in the unit that reads best', () => {
  assert.deepEqual([999, 98_362_432, 2_019_377_440].map(bytes), ['1 kB', '98 MB', '2.0 GB']);
});

const listing: ModelListing = {
  id: 'llama-3.2-3b-instruct',
  name: 'Llama 3.2 3B Instruct',
  file: 'x.gguf',
  bytes: 2_019_377_440,
  sha256: null,
  license: 'Llama-3.2-Community',
  role: ['reasoner'],
  installed: false,
  fits: false,
  estimatedBytes: 3_100_000_000,
  hosts: ['huggingface.co'],
};

test('given a model that is not here, when it is picked, then size, host and licence are said before anything is fetched', () => {
  const { message, detail } = downloadQuestion(listing);
  assert.equal(message, 'Download Llama 3.2 3B Instruct (2.0 GB) from huggingface.co?');
  assert.match(detail, /Licence: Llama-3\.2-Community\..*more memory than this machine has free/);
  assert.match(
    modelDetail(listing),
    /To be downloaded from huggingface\.co · needs about 3\.1 GB of memory, more than is free now/,
  );
});

test('given steps of a download, when they come, then the bar moves by what has come since', () => {
  const step = (received: number): DownloadProgress => ({ event: 'progress', received, total: 400_000_000 });
  assert.deepEqual(downloadStep(step(100_000_000), 0), {
    message: '100 MB of 400 MB',
    increment: 25,
    received: 100_000_000,
  });
  assert.equal(downloadStep(step(200_000_000), 100_000_000).increment, 25);
  assert.equal(
    downloadStep({ event: 'verifying', received: 400_000_000, total: 400_000_000 }, 400_000_000).increment,
    0,
  );
  assert.equal(downloadStep({ event: 'progress', received: 5_000_000, total: null }, 0).message, '5 MB');
});

test('given a model server, when anything is shown, then it says that text goes there, before the first word has gone', () => {
  const host = 'models.example.org';
  const backend = null;
  for (const state of EngineStatus.shape.state.options) {
    const { text, spoken } = statusWords({ ...status, backend, state }, 0, host);
    assert.match(spoken, /Your text goes to models\.example\.org$/, state);
    assert.equal(text.match(/\$\(/g)?.length, 1, state);
  }
  assert.match(statusWords(null, 0, host).spoken, /Your text goes to/);
  assert.match(statusWords(status, 0, host).text, /^\$\(cloud\)/);
  const facts = statusFacts({ ...status, backend: `server ${host}` }, host);
  assert.deepEqual(
    facts
      .filter(({ label }) => label === 'Your text goes to' || label === 'Runs on')
      .map((fact) => fact.description),
    [host],
  );
  assert.doesNotMatch(statusWords(status, 0).spoken, /goes to/);
});
