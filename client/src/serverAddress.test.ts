import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAddress } from './serverAddress.ts';

test('given the setting, when it is read, then a key belongs to scheme, host and port, whatever the path is', () => {
  assert.deepEqual(serverAddress('https://models.example.org:8443/v1'), {
    origin: 'https://models.example.org:8443',
    host: 'models.example.org:8443',
  });
  assert.equal(serverAddress('https://me:secret@models.example.org/')?.origin, 'https://models.example.org');
});

test('given no address, when the setting is read, then there is none', () => {
  for (const setting of ['', '  ', 'localhost', 'file:///etc/passwd', undefined, 7])
    assert.equal(serverAddress(setting), null);
});
