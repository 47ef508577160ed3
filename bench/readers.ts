// How fast documents are read and cut, in processor time: each reader on the corpus repeated to a size, beside the
// parsers that it could have been built on. `node bench/readers.ts [--write] [--kilobytes=500]`
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseBibtex } from '@retorquere/bibtex-parser';
import { parse as parseLatex } from '@unified-latex/unified-latex-util-parse';
import { chunkDocument } from '../server/src/retrieval/chunking.ts';
import { readDocument } from '../server/src/retrieval/readers/index.ts';
import { median, numberOption, report } from './measure.ts';

const fixtures = join(import.meta.dirname, '..', 'test', 'fixtures');
const kilobytes = numberOption('kilobytes', 500);
const rounds = 3;
const signal = new AbortController().signal;

const texts = {
  'note.md': read('corpus/elasticipy/paper.md').replace(/^---[^]*?\n---\n/, ''),
  'paper.tex': read('documents/paper/sections/intro.tex'),
  'library.bib': read('corpus/kanapy/paper.bib'),
  'page.html': read('documents/page.html'),
  'text.txt': read('corpus/simcardems/paper.md'),
};

function read(path: string): string {
  return readFileSync(join(fixtures, path), 'utf8');
}

/** Milliseconds of processor time. */
async function cost(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return median(times);
}

const megabytesPerSecond: Record<string, number> = {};
const rate = (units: number, milliseconds: number): number => units / 1e3 / milliseconds;

for (const [path, text] of Object.entries(texts)) {
  const long = text.repeat(Math.ceil((kilobytes * 1000) / text.length));
  const bytes = new TextEncoder().encode(long);
  const options = { readOther: () => Promise.resolve(null), maxBytes: 1e9, signal };
  megabytesPerSecond[`read ${path}`] = rate(
    bytes.length,
    await cost(() => readDocument(path, bytes, options)),
  );
  const found = await readDocument(path, bytes, options);
  if ('refusal' in found) throw new Error(found.refusal.reason);
  const countTokens = (pieces: readonly string[]) => Promise.resolve(pieces.map(({ length }) => length >> 2));
  const chunking = { countTokens, maxTokens: 256, overlapTokens: 40, modified: 0, signal };
  megabytesPerSecond[`cut ${path}`] = rate(
    bytes.length,
    await cost(() => chunkDocument(found.document, chunking)),
  );
  if (path === 'paper.tex')
    megabytesPerSecond['unified-latex parses paper.tex'] = rate(
      bytes.length,
      await cost(() => parseLatex(long)),
    );
  if (path === 'library.bib')
    megabytesPerSecond['bibtex-parser parses library.bib'] = rate(
      bytes.length,
      await cost(() => parseBibtex(long)),
    );
}

const pdf = readFileSync(join(fixtures, 'documents/two-columns.pdf'));
const perPage = await cost(() =>
  readDocument('a.pdf', pdf, { readOther: () => Promise.resolve(null), maxBytes: 1e9, signal }),
);

await report('readers', { kilobytes, megabytesPerSecond, millisecondsPerPdfPage: perPage / 3 });
