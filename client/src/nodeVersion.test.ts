import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeProblem } from './nodeVersion.ts';

test('given the Node of the editor, when it is older than 22, then the writer is told what to do', () => {
  assert.equal(nodeProblem('22.0.0'), null);
  assert.equal(nodeProblem('24.21.0'), null);
  assert.match(nodeProblem('20.19.1') ?? '', /needs Node 22 or newer.*Node 20\.19\.1\. Update the editor\./);
  assert.match(nodeProblem('9.0.0') ?? '', /Node 9\.0\.0/);
});
