// Reading stored JSON that may be damaged, newer than this version, or made by somebody else.
import type { z } from 'zod';

/**
 * JSON.parse without fields named `__proto__`: whoever copies fields one by one would set a prototype with them. A
 * text that cannot name it is read without asking at each field, which is several times as fast.
 */
export function parseStored(text: string): unknown {
  // Any character of the name may be written by its number.
  if (!text.includes('__proto__') && !text.includes('\\u00')) return JSON.parse(text);
  return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value));
}

/** The schema version of a value that is newer than `ours`, else null. */
export function newerSchema(value: unknown, ours: number): number | null {
  if (typeof value !== 'object' || value === null || !('schema' in value)) return null;
  const { schema } = value;
  return typeof schema === 'number' && Number.isSafeInteger(schema) && schema > ours ? schema : null;
}

/** What is wrong first, in a few words: `texts.offered: Invalid input: expected string, received number`. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'it has the wrong shape';
  const place = issue.path.map(String).join('.');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}
