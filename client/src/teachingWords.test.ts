// What is said of teaching and of adapters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdapterListing, TeachingStatus } from '../../server/src/protocol/index.ts';
import { adapterWords, inUseText, moodOf, startQuestion, teachingWords } from './teachingWords.ts';

const status: TeachingStatus = {
  ...{ state: 'idle', mode: 'manual', says: 'Nothing goes on.', folder: null, run: null, elsewhere: false },
  ...{ started: null, stage: null, phase: null, refresh: null, step: null, steps: null, metrics: null },
  ...{ estimate: null, newPairs: 3, offer: null },
};
const offer = {
  adapter: 'exo-1',
  time: '2026-03-01T00:00:00.000Z',
  why: 'Better.',
  report: '/r.md',
  later: false,
};

test('given each state, when the status item is asked, then it says in plain words what goes on, and nothing where nothing does', () => {
  const text = (changes: Partial<TeachingStatus>) => teachingWords({ ...status, ...changes })?.text ?? null;
  assert.equal(text({}), null);
  assert.match(text({ offer }) ?? '', /A better adapter is ready/);
  assert.match(text({ state: 'running', stage: 'training', step: 31, steps: 156 }) ?? '', /Learning · 19 %/);
  assert.match(text({ state: 'running', stage: 'dataset' }) ?? '', /making samples/);
  assert.match(text({ state: 'running', elsewhere: true }) ?? '', /another window/);
  assert.match(text({ state: 'yielding' }) ?? '', /makes way for you/);
  assert.equal(teachingWords({ ...status, state: 'failed' })?.warns, true);
  assert.match(teachingWords({ ...status, state: 'held', says: 'It waits.' })?.spoken ?? '', /It waits\./);
});

test('given each state, when commands ask what they may do, then the mood says it', () => {
  const mood = (changes: Partial<TeachingStatus>) => moodOf({ ...status, ...changes });
  assert.deepEqual(
    [mood({}), mood({ mode: 'off' }), mood({ state: 'yielding' }), mood({ state: 'paused' })],
    ['idle', 'off', 'busy', 'paused'],
  );
  assert.equal(mood({ state: 'running', elsewhere: true }), 'held');
});

test('given an estimate, when the writer is asked, then the question has its numbers, and what is not known is said so', () => {
  const { message, detail } = startQuestion({
    ...{ bytes: 1.2e9, availableBytes: 6.1e9, trainingSeconds: 1900, samplesSeconds: null, diskBytes: 9e7 },
    ...{ freeDiskBytes: 1e11, steps: 308, samples: 64, writerPairs: 1, refusal: null },
  });
  assert.match(message, /64 samples from your notes, and 1 pair of your own/);
  assert.match(detail, /about 32 minutes and 1\.2 GB of 6\.1 GB that are free, and 90 MB on the disk/);
  assert.match(detail, /not known before the first run/);
});

test('given adapters, when they are listed, then it is said where each is from, how it was judged, and what is wrong with it', () => {
  const base = { id: 'smol', file: 'smol.gguf', sha256: 'a'.repeat(64) };
  const adapter: AdapterListing = {
    ...{
      id: 'exo-1',
      created: '2026-03-01T00:00:00.000Z',
      base,
      fits: false,
      active: false,
      forgotten: true,
    },
    ...{ origin: 'phase II, 8 steps on 4 pairs', verdict: { offered: false, why: '' } },
    heldout: { step: 8, records: 4, loss: 1, accuracy: 0.75, margin: 0.1 },
  };
  assert.deepEqual(adapterWords(adapter), {
    label: '$(circle-slash) exo-1',
    description: '2026-03-01 · phase II, 8 steps on 4 pairs',
    detail:
      '75 % of held-out pairs · kept by the gate · belongs to another model: smol · learnt from something that you had forgotten since',
  });
  assert.equal(inUseText({ active: null, model: base }), 'smol now runs without adapter.');
});
