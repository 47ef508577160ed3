// The process that teaches, played by a small program: its lines, its failures, its crash, and being told to end.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { PreflexorError } from '../../errors.ts';
import type { TeachingLine } from '../../protocol/index.ts';
import { teachLines } from './teachProcess.ts';

const program = join(import.meta.dirname, '..', 'testing', 'scriptedTeaching.ts');
const never = new AbortController().signal;

function linesOf(behaviour: string, signal = never, stopMs = 10_000): AsyncGenerator<TeachingLine> {
  return teachLines([behaviour], { program, onLog: () => undefined, stopMs }, signal);
}

test('given a process that teaches, when it is followed, then known lines come whole and in order, and others are passed over', async () => {
  const events: string[] = [];
  for await (const line of linesOf('done')) events.push(line.event);
  assert.deepEqual(events, ['stage', 'sample']);
});

test('given a process that says how it failed or says nothing, when it is followed, then that is the error', async () => {
  const errorOf = async (behaviour: string) => {
    try {
      for await (const line of linesOf(behaviour)) assert.fail(line.event);
    } catch (error) {
      return error;
    }
    return null;
  };
  const failed = await errorOf('failed');
  assert.ok(PreflexorError.is(failed, 'locked') && failed.message === 'Somebody else teaches.');
  const crashed = await errorOf('crashed');
  assert.ok(PreflexorError.is(crashed, 'trainer-failed'));
  assert.match(crashed.message, /ended with 3: no such library/);
});

test('given a process that goes on, when it is told to end, then it is waited for; one that does not hear is killed', async () => {
  for (const behaviour of ['endless', 'deaf']) {
    const stop = new AbortController();
    const lines = linesOf(behaviour, stop.signal, behaviour === 'deaf' ? 50 : 10_000);
    assert.equal((await lines.next()).done, false);
    stop.abort();
    await assert.rejects(lines.next(), (error) => PreflexorError.is(error, 'cancelled'));
  }
  const stopped = AbortSignal.abort();
  await assert.rejects(linesOf('done', stopped).next(), (error) => PreflexorError.is(error, 'cancelled'));
});
