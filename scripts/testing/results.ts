// What a stage of the tests came to, and how the whole is printed.
import { seconds } from '../setup/steps.ts';

export interface Results {
  readonly passed: number;
  /** One line each: which test, and the first line of why. */
  readonly failures: readonly string[];
  /** A test that is left out says why. */
  readonly skips: readonly string[];
}

export interface StageResults extends Results {
  readonly stage: string;
  readonly milliseconds: number;
}

export const nothing: Results = { passed: 0, failures: [], skips: [] };

export function failure(line: string): Results {
  return { ...nothing, failures: [line] };
}

/** Adds results up; the order is kept. */
export function together(parts: readonly Results[]): Results {
  return {
    passed: parts.reduce((sum, part) => sum + part.passed, 0),
    failures: parts.flatMap((part) => part.failures),
    skips: parts.flatMap((part) => part.skips),
  };
}

/** The table of all stages, what failed, what was left out, and the one line that everybody reads. */
export function report(stages: readonly StageResults[]): string {
  const rows = stages.map(
    ({ stage, passed, failures, skips, milliseconds }) =>
      `${stage.padEnd(12)}${cell(passed)} passed ${cell(failures.length)} failed ${cell(skips.length)} skipped  ${seconds(milliseconds)}`,
  );
  const failed = stages.flatMap(({ stage, failures }) => failures.map((line) => `  ${stage}: ${line}`));
  const skipped = stages.flatMap(({ stage, skips }) => skips.map((line) => `  ${stage}: ${line}`));
  return [
    '',
    ...rows,
    ...(failed.length > 0 ? ['', 'Failed:', ...failed] : []),
    ...(skipped.length > 0 ? ['', 'Skipped:', ...skipped] : []),
    '',
    lastLine(together(stages)),
  ].join('\n');
}

function cell(count: number): string {
  return String(count).padStart(6);
}

export function lastLine({ passed, failures, skips }: Results): string {
  const skipped = skips.length > 0 ? `, ${String(skips.length)} skipped` : '';
  return `${String(passed)} passed, ${String(failures.length)} failed${skipped}`;
}
