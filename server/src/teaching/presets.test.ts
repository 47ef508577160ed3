// Presets by the size of the model, and numbers that are said instead.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreflexorError } from '../errors.ts';
import { TeachSettings } from '../protocol/index.ts';
import { presetNames, teachPreset, withValues } from './presets.ts';

const headings = ['reasoning steps', 'hypothesis', 'background', 'materials', 'principles'];
const threeBillion = { parameters: 3.2e9, trainedContext: 131_072 };
const small = { parameters: 135e6, trainedContext: 2048 };

test('given a model of three billion parameters, when a preset is made, then its phases are the method’s table', () => {
  for (const name of presetNames) {
    const { phase1, phase2 } = TeachSettings.parse(teachPreset(name, threeBillion, headings));
    assert.deepEqual(
      [
        phase1.learningRate,
        phase1.beta,
        phase1.maxLength,
        phase1.maxPromptLength,
        phase1.clip,
        phase1.rank,
        phase1.alpha,
        phase1.dropout,
      ],
      [5e-5, 0.1, 2048, 512, 1, 64, 64, 0.1],
    );
    assert.deepEqual(
      [
        phase2.learningRate,
        phase2.beta,
        phase2.epsilon,
        phase2.maxLength,
        phase2.clip,
        phase2.batch,
        phase2.accumulation,
      ],
      [1e-6, 0.1, 0.005, 2000, 0.3, 1, 2],
    );
    assert.deepEqual([phase1.mask, phase2.mask, phase2.maskShare], ['none', 'thinking+reflection', 1]);
  }
});

test('given the paper’s preset, when it is made, then three passages make a sample and 50 samples a refresh', () => {
  const { samples, refreshes, dataset } = teachPreset('paper', threeBillion, headings);
  assert.deepEqual([samples, dataset.chunks, dataset.parts], [50, 3, headings]);
  assert.ok(refreshes > 1);
});

test('given a small model, when a preset is made, then phase I has the rate that it learns the form with', () => {
  const { phase1, samples } = teachPreset('quick', small, headings);
  const { learningRate, rank, alpha, dropout } = phase1;
  assert.deepEqual([learningRate, rank, alpha, dropout, samples], [5e-4, 16, 32, 0, 64]);
});

test('given numbers by name, when they are said, then they take the place of the preset’s, and all others stay', () => {
  const preset = teachPreset('quick', small, headings);
  const said = withValues(preset, [
    'phase1.learningRate=3e-4',
    'dataset.topic=grain size = hardness',
    'phase2.steps=4',
  ]);
  assert.deepEqual(said, {
    ...preset,
    dataset: { ...preset.dataset, topic: 'grain size = hardness' },
    phase1: { ...preset.phase1, learningRate: 3e-4 },
    phase2: { ...preset.phase2, steps: 4 },
  });
});

test('given a name that there is not, or a value that does not go, when it is said, then a sentence says what does', () => {
  const preset = teachPreset('quick', small, headings);
  for (const wrong of [
    'phase1.rate=1',
    'samples',
    'dataset=3',
    '__proto__.x=1',
    'phase1.learningRate=fast',
    'samples=0',
  ])
    assert.throws(
      () => withValues(preset, [wrong]),
      (error) => PreflexorError.is(error, 'bad-input') && error.remedy !== null,
      wrong,
    );
});
