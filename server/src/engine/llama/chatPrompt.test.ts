import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainTokens, withoutOverlap } from './chatPrompt.ts';

test('given a template that opens the thinking itself, when the prefix does too, then it is opened once', () => {
  assert.equal(withoutOverlap('<|im_start|>assistant\n<think>\n', '<think>\nFirst'), 'First');
  assert.equal(withoutOverlap('<|im_start|>assistant\n<think>', '<think>\nFirst'), '\nFirst');
});

test('given a template that opens nothing, when a prefix follows, then it stays whole', () => {
  assert.equal(withoutOverlap('<|im_start|>assistant\n', '<think>\nFirst'), '<think>\nFirst');
  assert.equal(withoutOverlap('<|im_start|>assistant\n', '\n\nFirst'), '\n\nFirst');
  assert.equal(withoutOverlap('', 'x'), 'x');
  assert.equal(withoutOverlap('x', ''), '');
});

test('given a vocabulary that matches a control token in plain text, when text has it, then it is taken apart', () => {
  const control = 99;
  const tokenize = (text: string) =>
    text
      .split(/(<end>)/)
      .flatMap((part) =>
        part === '<end>' ? [control] : Array.from(part).map((letter) => letter.codePointAt(0) ?? 0),
      );
  const tokens = plainTokens('a<end>b', (token) => token === control, tokenize);
  assert.equal(String.fromCodePoint(...tokens), 'a<end>b');
  assert.deepEqual(
    plainTokens('ab', (token) => token === control, tokenize),
    [97, 98],
  );
});
