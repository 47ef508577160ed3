// Real stores, in temporary folders.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { PreflexorError } from '../../server/src/errors.ts';
import {
  openIndex,
  type IndexIdentity,
  type OpenIndex,
  type StoreOptions,
} from '../../server/src/retrieval/store/index.ts';
import { dimensions, sha256 } from '../../server/src/retrieval/testing/examples.ts';

export const workspaceKey = 'a'.repeat(32);

export function identityOf(embedder = 'small', chunker = '1'): IndexIdentity {
  return {
    embedder: { id: embedder, sha256: sha256(embedder), dimensions, maxTokens: 512 },
    reader: '1',
    chunker,
  };
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'preflexor-store-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Options for a store in `folder`. Reading always looks for news, so that tests need not wait. */
export function optionsFor(folder: string, more: Partial<StoreOptions> = {}): StoreOptions {
  return {
    ...{ address: path.join(folder, 'index'), home: path.join(folder, 'home'), workspaceKey },
    ...{ holder: 'a test', waitMs: 5_000, freshnessSeconds: 0 },
    ...more,
  };
}

export async function opened(
  t: TestContext,
  options: StoreOptions,
  identity: IndexIdentity = identityOf(),
): Promise<OpenIndex> {
  const index = await openIndex(options, identity);
  t.after(() => index.close());
  return index;
}

/** What the indexer writes into: what is being built, else what serves. */
export function targetOf(index: OpenIndex) {
  const target = index.building ?? index.serving;
  if (!target) throw new Error('There is no index to write into.');
  return target.store;
}

export const fails = (code: PreflexorError['code']) => (error: unknown) => PreflexorError.is(error, code);

/** The texts of a document in its nth state; each state has other ones. */
export function textsOf(document: string, n: number): string[] {
  return [1, 2, 3].map((at) => `${document} state ${n} part ${at}`);
}
