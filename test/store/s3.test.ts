// The same store in an S3-compatible object store on this machine; credentials and endpoint come from the
// environment, as a writer would set them.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import {
  openForSearch,
  openIndex,
  repairIndex,
  type StoreOptions,
} from '../../server/src/retrieval/store/index.ts';
import { changeOf, never } from '../../server/src/retrieval/testing/examples.ts';
import { storeContract } from '../../server/src/retrieval/testing/storeContract.ts';
import {
  findPython,
  isObjectStoreInstalled,
  startObjectStore,
  type ObjectStore,
} from '../../scripts/setup/objectStore.ts';
import { fails, identityOf, opened, optionsFor, targetOf, temporaryFolder } from './support.ts';

const bucket = 'notes';

function reason(): string | false {
  if (isObjectStoreInstalled()) return false;
  if (findPython() === undefined)
    return 'there is no Python here, and the S3-compatible store is written in it';
  throw new Error('The S3-compatible store is not installed: `npm test -- store` installs it.');
}

describe('given a bucket', { skip: reason() }, () => {
  let store: ObjectStore | undefined;
  let places = 0;

  before(async () => {
    store = await startObjectStore();
    await store.makeBucket(bucket);
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT: store.endpoint,
      AWS_ALLOW_HTTP: 'true',
    });
  });
  after(async () => {
    await store?.end();
  });

  function place(t: TestContext): StoreOptions {
    return optionsFor(temporaryFolder(t), { address: `s3://${bucket}/group/${(places += 1)}` });
  }

  storeContract('store in a bucket', async (t) => targetOf(await opened(t, place(t))));

  it('when an index is made, switched and opened by another reader, then it serves from the bucket', async (t) => {
    const options = place(t);
    assert.equal(await openForSearch(options), null);
    const index = await openIndex(options, identityOf('old'));
    await targetOf(index).apply([changeOf('a.md', ['alpha'])]);
    await index.switchOver();
    await index.close();
    const next = await openIndex(options, identityOf('new'));
    await next.building?.store.apply([changeOf('a.md', ['beta'])]);
    await next.switchOver();
    await next.close();
    const search = await openForSearch(options);
    assert.equal(search?.serving?.identity.embedder.id, 'new');
    assert.equal((await search.serving.store.textHits('beta', 5, {}, never)).length, 1);
    await search.close();
    assert.equal(await repairIndex(options, never), 'sound');
  });

  it('when the store does not answer, then offline says so, and nothing is rebuilt', async (t) => {
    const options = place(t);
    const index = await openIndex(options, identityOf());
    await targetOf(index).apply([changeOf('a.md', ['alpha'])]);
    await index.switchOver();
    await index.close();
    const endpoint = process.env['AWS_ENDPOINT'];
    process.env['AWS_ENDPOINT'] = 'http://127.0.0.1:1';
    try {
      await assert.rejects(openIndex(options, identityOf()), fails('offline'));
      await assert.rejects(repairIndex(options, never), fails('offline'));
    } finally {
      process.env['AWS_ENDPOINT'] = endpoint;
    }
    assert.deepEqual(await (await opened(t, options)).serving?.store.counts(), { documents: 1, chunks: 1 });
  });

  it('when the bucket is not there, then offline names the address', async (t) => {
    const options = { ...place(t), address: 's3://no-such-bucket/x' };
    await assert.rejects(
      openIndex(options, identityOf()),
      (error) => fails('offline')(error) && String(error).includes('s3://no-such-bucket/x'),
    );
  });
});
