import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrate, thresholdFor } from './thresholds.ts';

test('given a calibrated embedder, when its threshold is asked for, then that one; else by family', () => {
  assert.equal(thresholdFor('mine', { mine: 0.42 }), 0.42);
  assert.equal(thresholdFor('bge-large-en-v1.5', {}), thresholdFor('/models/bge-small.gguf', {}));
  assert.equal(thresholdFor('e5-base', {}), thresholdFor('bge-large-en-v1.5', {}));
  assert.ok(thresholdFor('all-minilm-l6-v2', {}) < thresholdFor('bge-large-en-v1.5', {}));
});

test('given similarities that do not overlap, when calibrated, then the threshold lies between them', () => {
  const threshold = calibrate([0.5, 0.6, 0.7], [0.1, 0.2, 0.3]);
  assert.ok(threshold !== null && threshold > 0.3 && threshold <= 0.5, String(threshold));
});

test('given similarities that overlap, when calibrated, then as many are turned away as are let through', () => {
  const answerable = [0.3, 0.5, 0.6, 0.7];
  const unanswerable = [0.1, 0.2, 0.25, 0.4];
  const threshold = calibrate(answerable, unanswerable) ?? NaN;
  const turnedAway = answerable.filter((value) => value < threshold).length / answerable.length;
  const letThrough = unanswerable.filter((value) => value >= threshold).length / unanswerable.length;
  assert.equal(turnedAway, letThrough);
});

test('given nothing to go by, when calibrated, then null', () => {
  assert.equal(calibrate([], [0.1]), null);
  assert.equal(calibrate([0.1], []), null);
});
