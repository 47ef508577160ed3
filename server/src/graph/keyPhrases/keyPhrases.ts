// The concepts of a document: key phrases of its own prose, never words that a model made up. Deterministic.
import { throwIfCancelled } from '../../errors.ts';
import type { Block, SourceDocument } from '../../retrieval/index.ts';
import { createBreather } from '../breather.ts';
import { Candidates, keyOf, type Candidate, type Mention, type WordBlock } from './candidates.ts';
import { languageOf, type Language } from './languages.ts';
import { selectConcepts } from './selection.ts';
import { wordsOf, wordsOfText } from './words.ts';

export interface KeyPhrase {
  /** Normal forms of its words, the same for every spelling and inflection. */
  readonly key: string;
  /** As it is written most often; with its acronym, where the text gives one. */
  readonly label: string;
  /** How often it is written so within a sentence: of several documents' labels the most frequent is shown. */
  readonly labelWeight: number;
  /** How much of a term it is within this document. */
  readonly score: number;
  /** A concept by this document alone; a weak one needs another document to say so too. */
  readonly strong: boolean;
  /** The key that the acronym which the text gives it would have by itself. */
  readonly acronymKey: string | null;
  /** Every place, in the order of the text. */
  readonly mentions: readonly Mention[];
}

/** The key phrases of one document. */
export interface KeyPhrases {
  /** What keys were made by: phrases of another text compare by it. */
  readonly language: Language;
  /** Strong ones first, best first. */
  readonly phrases: readonly KeyPhrase[];
}

const proseKinds: ReadonlySet<Block['kind']> = new Set([
  'heading',
  'paragraph',
  'list',
  'table',
  'quote',
  'entry',
]);
/** A longer block is data rather than prose, and would hold the event loop. UTF-16 units. */
const longestProse = 100_000;
/** Sections of a paper that name people and works: no concepts of its own. */
const nameSections =
  /^(?:references?|bibliography|works cited|acknowledge?ments?|(?:author(?:ship)?|authors['’]?) contributions?|funding|literatur(?:verzeichnis)?|danksagung|bibliographie|remerciements|referencias)$/iu;

/**
 * The key phrases of a document. Total: any document gives phrases, perhaps none.
 * @throws PreflexorError `cancelled`
 */
export async function keyPhrasesOf(document: SourceDocument, signal: AbortSignal): Promise<KeyPhrases> {
  const breathe = createBreather();
  const blocks: WordBlock[] = [];
  for (const block of document.blocks) {
    await breathe();
    throwIfCancelled(signal);
    if (!isProse(block)) continue;
    const words = wordsOf(block, document.texts[block.source] ?? '');
    blocks.push({ source: block.source, heading: block.kind === 'heading', words });
  }
  const language = languageOf(surfacesOf(blocks));
  const candidates = new Candidates(language);
  for (const block of blocks) candidates.learn(block);
  for (const block of blocks) {
    await breathe();
    throwIfCancelled(signal);
    candidates.count(block);
  }
  for (const text of [document.title, ...document.tags]) candidates.promote(wordsOfText(text));
  return { language, phrases: phrases(candidates, blocks, language) };
}

function phrases(candidates: Candidates, blocks: readonly WordBlock[], language: Language): KeyPhrase[] {
  const words = blocks.reduce((sum, block) => sum + block.words.length, 0);
  return selectConcepts(candidates.found, words).map(({ candidate, score, strong }) => ({
    key: candidate.key,
    ...labelOf(candidate),
    score,
    strong,
    acronymKey: candidate.acronym === null ? null : keyOf([candidate.acronym], language),
    mentions: distinct(candidate.mentions),
  }));
}

function isProse(block: Block): boolean {
  if (block.end - block.start > longestProse || block.readable.length > longestProse) return false;
  const titles = block.kind === 'heading' ? [...block.heading, block.readable] : block.heading;
  return proseKinds.has(block.kind) && !titles.some((title) => nameSections.test(title.trim()));
}

function* surfaces(blocks: readonly WordBlock[]): Generator<string> {
  for (const { words } of blocks) for (const { surface } of words) yield surface;
}

function surfacesOf(blocks: readonly WordBlock[]): string[] {
  return [...surfaces(blocks)];
}

/** The most frequent spelling; of equally frequent ones the shorter, then the first in code order. */
function labelOf({ surfaces: spellings, acronym, key }: Candidate): { label: string; labelWeight: number } {
  const [best] = [...spellings].sort(
    ([a, countA], [b, countB]) => countB - countA || a.length - b.length || (a < b ? -1 : 1),
  );
  const [label, labelWeight] = best ?? [key, 0];
  return { label: acronym === null ? label : `${label} (${acronym})`, labelWeight };
}

function distinct(mentions: readonly Mention[]): Mention[] {
  const known = new Map(
    mentions.map((mention) => [`${mention.start} ${mention.end} ${mention.source}`, mention]),
  );
  return [...known.values()].sort(
    (a, b) => compare(a.source, b.source) || a.start - b.start || a.end - b.end,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
