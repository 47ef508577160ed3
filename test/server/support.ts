// What the server tests share: a temporary folder with a note, small token budgets, and one client each.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ReasonEvent, ReasonResult } from '../../server/src/protocol/index.ts';
import { LspClient, type LspOptions } from '../support/lspClient.ts';

export const note = [
  '# Alloys',
  '',
  'Small grains make an alloy hard, because dislocations stop at their boundaries.',
  '',
  'The second paragraph speaks of texture [@kocks1998texture] and of nothing else.',
  '',
].join('\n');

export const firstParagraph =
  'Small grains make an alloy hard, because dislocations stop at their boundaries.';

/** Budgets that keep a run of the small model under a few seconds. */
export const smallBudgets = {
  model: process.env['PREFLEXOR_TEST_MODEL'] ?? 'smollm2-135m-instruct',
  reasoning: { iterations: 0, thinkingTokens: 24, reflectionTokens: 16, answerTokens: 24, temperature: 0 },
  // Two test files run at a time.
  engine: { threads: 1 },
  // Embedding a folder takes processor time from the model; grounded.test.ts has it on.
  retrieval: { enabled: false },
};

export interface Desk {
  readonly client: LspClient;
  readonly folder: string;
  readonly uri: string;
}

/** A folder with `note.md` in it, open in a client that ends with the test. */
export async function desk(t: TestContext, text = note, options: LspOptions = {}): Promise<Desk> {
  // Names that trip careless path handling: a space, letters beyond ASCII.
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'preflexor Žofie 田 '));
  await writeFile(join(folder, 'note.md'), text);
  const client = await LspClient.start({ folders: [folder], settings: smallBudgets, ...options });
  t.after(async () => {
    await client.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { client, folder, uri: await client.open(join(folder, 'note.md')) };
}

/** Asks for a run about the paragraph that holds `words`. */
export function reason(
  { client, uri }: Desk,
  words: string,
  more: Record<string, unknown> = {},
  signal?: AbortSignal,
): Promise<ReasonResult> {
  const position = client.positionOf(uri, words);
  const params = { textDocument: { uri }, position, seed: 7, partialResultToken: 'events', ...more };
  return client.request<ReasonResult>('preflexor/reason', params, signal);
}

/** The events of a run so far, in order. */
export function eventsOf(client: LspClient): ReasonEvent[] {
  return client.progress('events').flat() as ReasonEvent[];
}

/** What a failed request says. */
export async function failure(
  request: Promise<unknown>,
): Promise<{ code: number; message: string; data?: { code: string } }> {
  try {
    await request;
  } catch (error) {
    return error as { code: number; message: string; data?: { code: string } };
  }
  throw new Error('the request did not fail');
}
