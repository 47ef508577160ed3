import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PairFormat } from '../../server/src/protocol/index.ts';
import { exportWords, forgottenWords, formatChoices, importWords } from './keepingWords.ts';

const id = '0'.repeat(32);

test('given the formats of the protocol, when one is to be chosen, then each is offered once', () => {
  assert.deepEqual(formatChoices.map(({ format }) => format).sort(), [...PairFormat.options].sort());
});

test('given an export and an import, when told, then what is missing is named with its reason and count', () => {
  const leftOut = [
    { id, reason: 'it has one side' },
    { id, reason: 'it has one side' },
    { id, reason: 'you excluded it' },
  ];
  assert.equal(
    exportWords({ files: [], exported: 1, leftOut }),
    '1 pair exported. 2 left out: it has one side. 1 left out: you excluded it.',
  );
  assert.equal(importWords({ imported: 2, known: 0, refused: [] }), '2 pairs imported.');
  const refused = [{ file: 'a', line: 1, reason: 'chosen is empty' }];
  assert.match(importWords({ imported: 0, known: 3, refused }), /3 were here already. 1 lines refused/);
});

test('given what was forgotten, when told, then only what was there is named, and what stays is below it', () => {
  const removed = {
    ...{ ledger: 2, damagedLines: 0, runs: 1, unfinished: 0 },
    ...{ imported: 0, documents: 0, graph: 0, teaching: 0, caches: 1 },
  };
  const adapters = { marked: ['k3'], unknown: [] };
  assert.deepEqual(forgottenWords({ note: 'a.md', removed, adapters, remaining: ['The note stays.'] }), {
    message: 'Forgotten of a.md: 2 decisions, 1 run, 1 adapter marked.',
    detail: 'The note stays.',
  });
  const nothing = { ...removed, ledger: 0, runs: 0 };
  const told = forgottenWords({
    note: null,
    removed: nothing,
    adapters: { marked: [], unknown: [] },
    remaining: [],
  });
  assert.equal(told.message, 'Nothing was known of everything in this folder.');
});
