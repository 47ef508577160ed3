import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSettings, defaultSettings, encodeSettings, settings } from './settings.ts';

test('given nothing, when settings are decoded, then every one has its default', () => {
  for (const section of [undefined, null, {}, 'text', 7]) {
    assert.deepEqual(decodeSettings(section), { settings: defaultSettings(), problems: [] });
  }
});

test('given the defaults, when each is held against its schema, then it fits', () => {
  for (const [key, { schema, fallback }] of Object.entries(settings)) {
    assert.ok(schema.safeParse(fallback).success, key);
  }
});

test('given nested values, when they are decoded, then they are found by their dotted keys', () => {
  const { settings: decoded, problems } = decodeSettings({
    engine: { gpu: 'cpu' },
    reasoning: { temperature: 0.7 },
  });
  assert.deepEqual(problems, []);
  assert.equal(decoded['engine.gpu'], 'cpu');
  assert.equal(decoded['reasoning.temperature'], 0.7);
});

test('given a wrong value, when it is decoded, then its default counts and the problem names key and reason', () => {
  const { settings: decoded, problems } = decodeSettings({ reasoning: { temperature: 'hot' } });
  assert.equal(decoded['reasoning.temperature'], 0.1);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /preflexor\.reasoning\.temperature.*number/s);
});

test('given keys of the prototype, when they are sent, then they are not taken for settings', () => {
  const section: unknown = JSON.parse('{"__proto__": {"model": "evil"}, "constructor": {"model": "evil"}}');
  assert.equal(decodeSettings(section).settings.model, defaultSettings().model);
});

test('given anything at all, when it is decoded, then settings come out that fit their schemas', () => {
  fc.assert(
    fc.property(fc.anything(), (section) => {
      for (const [key, value] of Object.entries(decodeSettings(section).settings)) {
        assert.ok(settings[key as keyof typeof settings].schema.safeParse(value).success, key);
      }
    }),
  );
});

test('given settings, when they are written as an editor holds them, then reading them gives the same', () => {
  const wanted = { ...defaultSettings(), 'teaching.window': '22:00-06:00', 'retrieval.include': ['**/*.md'] };
  assert.deepEqual(decodeSettings(encodeSettings(wanted)), { settings: wanted, problems: [] });
  assert.equal(decodeSettings({ teaching: { window: '25:00-06:00' } }).problems.length, 1);
});
