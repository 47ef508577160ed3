import { MemoryStore } from './memoryStore.ts';
import { storeContract } from './storeContract.ts';

storeContract('store in memory', () => Promise.resolve(new MemoryStore()));
