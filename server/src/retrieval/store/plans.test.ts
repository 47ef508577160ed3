import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { PreflexorError } from '../../errors.ts';
import { parseAddress } from './address.ts';
import { storeFailure } from './failures.ts';
import { literal, predicateOf } from './filters.ts';
import { outgrown, planName, refineFactor, vectorPlan } from './indexes.ts';

test('given what a setting may say, when read as an address, then folder, bucket or cloud; else bad-input', () => {
  assert.deepEqual(parseAddress('notes/index'), { kind: 'folder', uri: path.resolve('notes/index') });
  assert.deepEqual(parseAddress('s3://bucket/path/'), { kind: 'bucket', uri: 's3://bucket/path' });
  for (const address of ['gs://b/p', 'az://c/p']) assert.equal(parseAddress(address).kind, 'bucket');
  assert.deepEqual(parseAddress('db://name'), { kind: 'cloud', uri: 'db://name' });
  assert.throws(
    () => parseAddress('http://example.org/x'),
    (error) => PreflexorError.is(error, 'bad-input'),
  );
});

test('given a Windows path, when read as an address, then a folder', () => {
  assert.equal(parseAddress('C:\\Users\\ada\\index').kind, 'folder');
});

test('given any text, when quoted, then the literal ends where the text does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const quoted = literal(text);
      assert.ok(quoted.startsWith("'") && quoted.endsWith("'"));
      assert.equal(quoted.slice(1, -1).replaceAll("''", ''), text.replaceAll("'", ''));
      assert.equal(quoted.slice(1, -1).replaceAll("''", "'"), text);
    }),
  );
});

test('given no filter, when made a predicate, then none', () => {
  assert.equal(predicateOf({}), null);
  assert.equal(predicateOf({ notSources: [] }), null);
});

test('given sizes, when an index is planned, then flat, whole vectors in partitions, quantised', () => {
  assert.deepEqual(vectorPlan(9_999, 384), { kind: 'flat' });
  assert.deepEqual(vectorPlan(20_000, 384), { kind: 'ivf-flat', partitions: 128 });
  assert.deepEqual(vectorPlan(200_000, 384), { kind: 'ivf-pq', partitions: 512, subVectors: 96 });
  assert.deepEqual(vectorPlan(1_000_000, 384), { kind: 'ivf-pq', partitions: 1024, subVectors: 96 });
  assert.deepEqual(vectorPlan(1_000_000, 1024), { kind: 'ivf-pq', partitions: 1024, subVectors: 256 });
});

test('given an index of another kind or of a quarter of the rows, when planned anew, then it gives way; else it stays', () => {
  const plan = vectorPlan(200_000, 384);
  assert.equal(outgrown(planName(plan), plan), false);
  assert.equal(outgrown(planName(plan), vectorPlan(250_000, 384)), false);
  assert.equal(outgrown(planName(plan), vectorPlan(1_000_000, 384)), true);
  assert.equal(outgrown(planName(vectorPlan(20_000, 384)), plan), true);
  assert.equal(outgrown('vector_idx', plan), true);
});

test('given results wanted, when refined, then a hundred candidates at least, and three for each', () => {
  assert.equal(refineFactor(10), 10);
  assert.ok(refineFactor(24) * 24 >= 100);
  assert.equal(refineFactor(1000), 3);
});

test('given what LanceDB says, when told to the writer, then disk, rights, network and damage are kept apart', () => {
  const folder = parseAddress('/notes/index');
  const bucket = parseAddress('s3://bucket/x');
  const code = (message: string, address = folder) => {
    const failure = storeFailure(new Error(message), address);
    return failure instanceof PreflexorError ? failure.code : 'unexpected';
  };
  assert.equal(code('LanceError(IO): No space left on device (os error 28)'), 'disk-full');
  assert.equal(code('Unable to open file: Permission denied (os error 13)'), 'read-only');
  assert.equal(
    code('Generic S3 error: Error performing GET http://x: error sending request', bucket),
    'offline',
  );
  assert.equal(code('LanceError(IO): file is too small'), 'index-failed');
  assert.equal(code('Not found: x.lance/_versions'), 'index-failed');
  assert.equal(code('Invalid input, Schema error: No field named nosuch.'), 'unexpected');
});
