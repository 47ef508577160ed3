// What the tests of passages and citations share: a folder with notes, a bibliography and a stored run, open in a
// client whose server has retrieval in memory.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { runsStore } from '../../server/src/preferences/index.ts';
import type { IndexStatus, Passage, Run } from '../../server/src/protocol/index.ts';
import { LspClient, type LspOptions } from '../support/lspClient.ts';

export const entry = join(import.meta.dirname, '..', 'support', 'retrievalServer.ts');

export const draft = `# Draft

Small grains make an alloy hard, because dislocations stop at their boundaries.

Texture is another matter [@kocks1998texture; @nobody2020].
`;

export const alloys = `# Alloys

## Grain size

Dislocations stop at grain boundaries, so small grains make an alloy hard and strong.

## Colour

Copper is red and gold is yellow.
`;

export const bib = `@book{kocks1998texture,
  title = {Texture and {Anisotropy}},
  author = {Kocks, U. F. and Tomé, C. N. and Wenk, H.-R.},
  publisher = {Cambridge University Press},
  year = {1998}
}

@article{hall1951deformation,
  title = {The Deformation and Ageing of Mild Steel},
  author = {Hall, E. O.},
  journal = {Proc. Phys. Soc. B},
  year = {1951},
  doi = {10.1088/0370-1301/64/9/303}
}
`;

export interface Library {
  readonly client: LspClient;
  readonly folder: string;
  /** Of the note `draft.md`. */
  readonly uri: string;
  readonly write: (file: string, text: string) => Promise<string>;
}

export interface LibraryOptions extends LspOptions {
  readonly files?: Readonly<Record<string, string>>;
  /** Put into the folder's store before the server starts. */
  readonly run?: Run;
}

/** A folder of notes, indexed, with its draft open. */
export async function library(t: TestContext, options: LibraryOptions = {}): Promise<Library> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'preflexor Žofie 田 '));
  const write = async (file: string, text: string): Promise<string> => {
    const name = join(folder, file);
    await mkdir(dirname(name), { recursive: true });
    await writeFile(name, text);
    return name;
  };
  const files = { 'draft.md': draft, 'notes/alloys.md': alloys, 'works.bib': bib, ...options.files };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  if (options.run) await runsStore(folder).save(options.run);
  const home = join(folder, '.home');
  const client = await LspClient.start({
    folders: [folder],
    entry,
    // A script has the completions of a draft.
    settings: { reasoning: { iterations: 0 } },
    ...options,
    env: { PREFLEXOR_HOME: home, ...options.env },
  });
  t.after(async () => {
    await client.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { client, folder, write, uri: await client.open(join(folder, 'draft.md')) };
}

/** Waits until the index of the folder is in this state, as the server tells it. */
export async function untilIndex(
  client: LspClient,
  what: string,
  fits: (status: IndexStatus) => boolean,
): Promise<IndexStatus> {
  const end = Date.now() + 30_000;
  for (;;) {
    const { folders } = await client.request<{ folders: IndexStatus[] }>('preflexor/indexStatus', {});
    const found = folders.find(fits);
    if (found) return found;
    assert.ok(Date.now() < end, `waited 30 s for ${what}: ${JSON.stringify(folders)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const isIdle = ({ state, files }: IndexStatus): boolean => state === 'idle' && files > 0;

/** A passage of the file `source`, whose text is `text`. */
export function passage(id: string, source: string, text: string, words: string): Passage {
  const start = text.indexOf(words);
  return {
    id,
    source,
    heading: ['Alloys', 'Grain size'],
    page: null,
    start,
    end: start + words.length,
    text: words,
    score: 0.9,
  };
}

export const evidence =
  'Dislocations stop at grain boundaries, so small grains make an alloy hard and strong.';

/** A run that was shown passages. */
export function storedRun(more: Partial<Run> = {}): Run {
  const thinking =
    'The dislocations stop at the grain boundaries of the alloy.\nNothing else is known about colours here.';
  const answer = 'Small grains make an alloy hard and strong.';
  return {
    schema: 1,
    id: '01JDA0000000000000000000AB',
    block: 'k3v9q2xa',
    time: '2026-11-24T12:00:00.000Z',
    note: { path: 'draft.md', hash: 'h', range: { start: 9, end: 88 } },
    paragraph: 'Small grains make an alloy hard, because dislocations stop at their boundaries.',
    question: 'How can this be made stronger?',
    passages: [passage('p1', 'notes/alloys.md', alloys, evidence)],
    iterations: [
      {
        index: 0,
        thinking,
        reflection: 'It is short.',
        answer,
        score: null,
        signals: [],
        tokens: { prompt: 1, reused: 0, generated: 1 },
        seconds: 1,
        segments: [],
      },
    ],
    best: 0,
    final: answer,
    stoppedBecause: 'finished',
    model: 'scripted',
    adapter: null,
    seconds: 1,
    provenance: {
      model: { id: 'scripted', file: 'scripted.gguf', sha256: '0' },
      adapter: null,
      promptVersion: '1',
      prompt: '',
      sampler: { seed: 1, temperature: 0, thinkingTokens: 16, reflectionTokens: 16, answerTokens: 16 },
      backend: 'cpu',
      threads: { prompt: 1, generation: 1 },
      version: '0',
    },
    ...more,
  };
}
