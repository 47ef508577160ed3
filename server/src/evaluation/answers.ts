// What a text answers, so that it can be compared with what is known: a number, a choice, or words. Total and pure.
import type { EvaluationQuestion, KnownAnswer } from '../protocol/index.ts';

/** How an answer is to end, so that it can be found: GSM8K's own mark. */
export const answerMark = '####';

/** Digits with thousands set apart, a decimal part, a sign; a currency sign or a unit may stand around it. */
const numberPattern = /[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-−+]?\.\d+/g;

/** Letters of choices: A for the first one. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/**
 * What the text answers, or null where no answer can be found. Looked for, in this order: after the last `####`,
 * after the last "answer is", and, for numbers, the last number of all (as GSM8K's own evaluations do).
 */
export function extractAnswer(text: string, question: EvaluationQuestion): KnownAnswer | null {
  const { answer, choices } = question;
  if (choices !== null) return choiceIn(text, choices);
  if (answer?.kind === 'number') return numberIn(text);
  const said = afterMark(text) ?? text;
  return said.trim() === '' ? null : { kind: 'text', text: said.trim() };
}

/** Exact match: numbers by value, choices by place, words in small letters without marks around them. */
export function isSameAnswer(one: KnownAnswer, other: KnownAnswer): boolean {
  if (one.kind === 'number' && other.kind === 'number') return one.value === other.value;
  if (one.kind === 'choice' && other.kind === 'choice') return one.index === other.index;
  return one.kind === 'text' && other.kind === 'text' && plainWords(one.text) === plainWords(other.text);
}

/** A number as it is compared: `1,200.50` and `$1200.5` are `1200.5`; null where there is none. */
export function canonicalNumber(text: string): string | null {
  const found = text.match(numberPattern)?.[0];
  if (found === undefined) return null;
  const plain = found.replaceAll(',', '').replace('−', '-').replace('+', '');
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  const rest = fraction.replace(/0+$/, '');
  const value = rest === '' ? digits : `${digits}.${rest}`;
  return plain.startsWith('-') && value !== '0' ? `-${value}` : value;
}

function afterMark(text: string): string | null {
  const at = text.lastIndexOf(answerMark);
  return at < 0
    ? null
    : (text
        .slice(at + answerMark.length)
        .trim()
        .split('\n')[0] ?? null);
}

/** What follows the last "answer is" or "answer:" on its line. */
function afterWords(text: string): string | null {
  const found = [...text.matchAll(/\banswer(?:\s+is)?\s*[:=]?\s*([^\n]+)/gi)].at(-1);
  return found?.[1] ?? null;
}

function numberIn(text: string): KnownAnswer | null {
  for (const said of [afterMark(text), afterWords(text)]) {
    const value = said === null ? null : canonicalNumber(said);
    if (value !== null) return { kind: 'number', value };
  }
  const last = text.match(numberPattern)?.at(-1);
  const value = last === undefined ? null : canonicalNumber(last);
  return value === null ? null : { kind: 'number', value };
}

function choiceIn(text: string, choices: readonly string[]): KnownAnswer | null {
  for (const said of [afterMark(text), afterWords(text), text]) {
    const index = said === null ? null : choiceOf(said, choices);
    if (index !== null) return { kind: 'choice', index };
  }
  return null;
}

/** The one choice that a text names, by its letter or by its words; null where it names none, or several. */
function choiceOf(said: string, choices: readonly string[]): number | null {
  const letters = choices.map((_, index) => letterOf(index)).join('');
  const alone = new RegExp(`^\\W*([${letters}])(?:\\W|$)`).exec(said)?.[1];
  if (alone !== undefined && said.trim().length < 4) return letters.indexOf(alone);
  const byWords = choices.flatMap((choice, index) => (mentions(said, choice) ? [index] : []));
  const [only] = byWords;
  if (only !== undefined && byWords.length === 1) return only;
  const bracketed = [...said.matchAll(new RegExp(`\\(([${letters}])\\)|\\b([${letters}])(?=[).:])`, 'g'))];
  const named = new Set(bracketed.map((match) => match[1] ?? match[2] ?? ''));
  if (named.size === 1) return letters.indexOf([...named][0] ?? '');
  // A and I are words as well.
  return alone === undefined || alone === 'A' || alone === 'I' ? null : letters.indexOf(alone);
}

function mentions(said: string, choice: string): boolean {
  const words = plainWords(choice);
  return words !== '' && ` ${plainWords(said)} `.includes(` ${words} `);
}

/** Words and numbers in small letters, one space between them. */
export function plainWords(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
