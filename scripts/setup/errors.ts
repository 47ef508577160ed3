// A failed step of the setup: a sentence for the person at the terminal, and what to do next.

export class SetupError extends Error {
  override readonly name = 'SetupError';
  readonly remedy: string;

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
  }
}

/** What to print for an error: a sentence where it was foreseen, everything where it was not. */
export function explain(error: unknown): string {
  if (error instanceof SetupError) return `${error.message}\n${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
