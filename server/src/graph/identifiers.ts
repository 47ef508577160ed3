// Ids and labels of nodes: the same thing has the same id in every run and on every machine.
import { createHash } from 'node:crypto';

export const documentId = (path: string): string => `document:${path}`;
export const chunkId = (id: string): string => `chunk:${id}`;
export const citationId = (key: string): string => `citation:${key}`;
export const conceptId = (key: string): string => `concept:${key}`;
export const answerId = (run: string): string => `answer:${run}`;

/** Headings with the same words above them are one heading. */
export function headingId(path: string, heading: readonly string[]): string {
  return `heading:${digest([path, ...heading])}`;
}

/** The same question about the same paragraph is one question, however often it is asked. */
export function questionId(question: string, paragraph: string): string {
  return `question:${digest([question, paragraph])}`;
}

/** sha256 of texts that can't run into each other, 32 hex digits. */
function digest(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
}

const longestLabel = 120;

/** One line to show: blanks and control characters as single blanks, cut at a word. `otherwise` where nothing is left. */
export function labelOf(text: string, otherwise: string): string {
  const line = text
    .slice(0, 10 * longestLabel)
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
  if (line === '') return otherwise;
  const letters = Array.from(line);
  if (letters.length <= longestLabel) return line;
  const cut = letters.slice(0, longestLabel - 1).join('');
  return `${cut.replace(/(?<=.{60})\s\S*$/u, '')}…`;
}
