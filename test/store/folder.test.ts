// The store in a folder keeps what every store keeps.
import { storeContract } from '../../server/src/retrieval/testing/storeContract.ts';
import { opened, optionsFor, targetOf, temporaryFolder } from './support.ts';

storeContract('store in a folder', async (t) => targetOf(await opened(t, optionsFor(temporaryFolder(t)))));
