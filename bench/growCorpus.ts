// Grows the committed corpus to a wished size, the same for the same seed: its sentences shuffled and varied, so that
// no two passages are equal. Alone: node bench/growCorpus.ts FOLDER CHUNKS [SEED]
import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const corpus = join(import.meta.dirname, '..', 'test', 'fixtures', 'corpus');

/** How long what is written is. */
export interface GrownShape {
  readonly wordsPerSection: number;
  readonly sectionsPerNote: number;
}

/** Each section becomes a passage of some 150 tokens. */
const usualShape: GrownShape = { wordsPerSection: 110, sectionsPerNote: 8 };

/** Random numbers from 0 to 1 from a seed (mulberry32, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Writes notes with about `chunks` sections, each under a heading of its own.
 * @returns how many notes and sections there are
 */
export async function growCorpus(
  folder: string,
  chunks: number,
  seed = 1,
  { wordsPerSection, sectionsPerNote } = usualShape,
): Promise<{ notes: number; sections: number }> {
  const random = seeded(seed);
  const sentences = await sentencesOf(corpus);
  const seen = new Set<string>();
  let notes = 0;
  for (let written = 0; written < chunks; notes += 1) {
    const count = Math.min(sectionsPerNote, chunks - written);
    const sections = Array.from({ length: count }, (_none, at) =>
      newSection(written + at, sentences, { random, seen, words: wordsPerSection }),
    );
    const inside = join(folder, `part ${Math.floor(notes / 100)}`);
    await mkdir(inside, { recursive: true });
    await writeFile(join(inside, `note ${notes}.md`), `# Note ${notes}\n\n${sections.join('\n\n')}\n`);
    written += count;
  }
  return { notes, sections: chunks };
}

async function sentencesOf(folder: string): Promise<string[]> {
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
  const sentences: string[] = [];
  for (const file of globSync('*/*.md', { cwd: folder }).sort()) {
    const text = (await readFile(join(folder, file), 'utf8')).replace(/^---\n.*?\n---\n/s, '');
    for (const paragraph of text.split(/\n\s*\n/)) {
      // Headings, lists, code, tables and figures are no sentences.
      if (!/^[A-Z]/.test(paragraph)) continue;
      const parts = [...segmenter.segment(paragraph.replaceAll(/\s+/g, ' '))].map(({ segment }) =>
        segment.trim(),
      );
      sentences.push(...parts.filter((part) => part.split(' ').length >= 6));
    }
  }
  return sentences;
}

function newSection(
  number: number,
  sentences: readonly string[],
  how: { readonly random: () => number; readonly seen: Set<string>; readonly words: number },
): string {
  const { random, seen } = how;
  for (;;) {
    const chosen: string[] = [];
    for (let words = 0; words < how.words; words += chosen.at(-1)?.split(' ').length ?? 1) {
      chosen.push(varied(sentences[Math.floor(random() * sentences.length)] ?? '', random));
    }
    const text = chosen.join(' ');
    if (seen.has(text)) continue;
    seen.add(text);
    return `## Section ${number}\n\n${text}`;
  }
}

/** The sentence with two neighbouring words exchanged and its numbers drawn anew. */
function varied(sentence: string, random: () => number): string {
  const words = sentence.replaceAll(/\d+/g, () => String(Math.floor(random() * 1000))).split(' ');
  const at = Math.floor(random() * (words.length - 1));
  const [left, right] = [words[at], words[at + 1]];
  if (left !== undefined && right !== undefined) words.splice(at, 2, right, left);
  return words.join(' ');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, chunks, seed] = process.argv.slice(2);
  if (folder === undefined || !(Number(chunks) > 0)) {
    console.error('Usage: node bench/growCorpus.ts FOLDER CHUNKS [SEED]');
    process.exitCode = 2;
  } else {
    console.log(JSON.stringify(await growCorpus(folder, Number(chunks), Number(seed ?? 1))));
  }
}
