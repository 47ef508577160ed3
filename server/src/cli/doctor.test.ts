import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isThisMachine } from './doctor.ts';

test('given addresses, when they are looked at, then only loopback is this machine', () => {
  for (const address of [
    'http://127.0.0.1:8080',
    'http://localhost/v1',
    'https://[::1]:1',
    'http://127.1.2.3',
  ])
    assert.equal(isThisMachine(address), true, address);
  for (const address of [
    'http://10.0.0.1',
    'https://127.0.0.1.example.org',
    'http://localhost.example',
    'nonsense',
  ])
    assert.equal(isThisMachine(address), false, address);
});
