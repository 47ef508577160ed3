// The small real embedding model of the tests that need one, and an embedder on it.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  catalogue,
  createLlamaEmbedder,
  defaultEmbedderId,
  type FoundEmbedder,
  type LlamaEmbedder,
  type LlamaEmbedderOptions,
} from '../../server/src/engine/index.ts';
import { hostModule } from './testModel.ts';

/** What the catalogue says of the small embedding model. */
export function embedderEntry() {
  const entry = catalogue.find(({ id }) => id === defaultEmbedderId);
  if (entry?.kind === 'embedder') return entry;
  throw new Error(`${defaultEmbedderId} is not an embedder of the catalogue.`);
}

/** Path of the small embedding model. It is a fault, not a reason to skip, when it is missing. */
export function testEmbedderFile(): string {
  const inTestHome = join(import.meta.dirname, '../../.cache/test-home/models', embedderEntry().file);
  const file = process.env['PREFLEXOR_TEST_EMBEDDER'] || inTestHome;
  if (existsSync(file)) return file;
  throw new Error(
    `PREFLEXOR_TEST_EMBEDDER must name ${embedderEntry().file}; "npm test -- model" gets the file and sets it.`,
  );
}

/** An embedder on the small model with one thread. `found` changes what the catalogue says of it. */
export function testEmbedder(
  options: Partial<LlamaEmbedderOptions> & { readonly found?: Partial<FoundEmbedder> } = {},
): LlamaEmbedder {
  const { found = {}, ...others } = options;
  const { id, prefixes, maxTokens, sha256 } = embedderEntry();
  const file = found.file ?? testEmbedderFile();
  const identity = { id, file: basename(file), sha256: sha256 ?? '0'.repeat(64) };
  return createLlamaEmbedder({
    resolveModel: () => Promise.resolve({ file, identity, prefixes, maxTokens, ...found }),
    ...{ gpu: 'cpu', threads: 1, idleUnloadMs: 0, hostModule, onLog: () => undefined },
    ...others,
  });
}
