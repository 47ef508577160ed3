// Reading stored JSON that may be damaged, newer than this version, or made by somebody else.
import { z } from 'zod';

/** JSON.parse without fields named `__proto__`: whoever copies fields one by one would set a prototype with them. */
export function parseStored(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value));
}

/** The schema version of a value that is newer than `ours`, else null. */
export function newerSchema(value: unknown, ours: number): number | null {
  const newer = z.object({ schema: z.int().gt(ours) }).safeParse(value);
  return newer.success ? newer.data.schema : null;
}

/** What is wrong first, in a few words: `texts.offered: Invalid input: expected string, received number`. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'it has the wrong shape';
  const place = issue.path.map(String).join('.');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}
