// A reporter of node:test that counts what a reader would call a test, and writes it as one JSON document:
// no suites, no test that only holds others, and nothing that looks like success without being it.
import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import type { Results } from './results.ts';

export default async function* countReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counter = new Counter();
  for await (const event of events) {
    if (event.type === 'test:pass') counter.passed(event.data);
    if (event.type === 'test:fail') counter.failed(event.data);
  }
  yield JSON.stringify(counter.results());
}

type Pass = EventData.TestPass;
type Fail = EventData.TestFail;

/** Characters: a counterexample may be a whole document. */
const longestSummary = 500;

class Counter {
  #passed = 0;
  readonly #failures: string[] = [];
  readonly #skips: string[] = [];
  /** Tests that were seen to hold others. Those come first, so a parent is known before its own event. */
  readonly #parents = new Set<string>();

  results(): Results {
    return { passed: this.#passed, failures: this.#failures, skips: this.#skips };
  }

  passed(test: Pass): void {
    const holdsOthers = this.#isParent(test) || test.details.type === 'suite';
    if (typeof test.skip === 'string' && test.skip !== '') this.#skips.push(`${label(test)}: ${test.skip}`);
    else if (test.skip !== undefined) this.#failures.push(`${label(test)}: skipped without a reason`);
    else if (test.todo !== undefined) this.#failures.push(`${label(test)}: still to be done`);
    else if (isWholeFile(test)) this.#failures.push(`${label(test)}: holds no test`);
    else if (!holdsOthers) this.#passed += 1;
  }

  failed(test: Fail): void {
    const holdsOthers = this.#isParent(test);
    const { error } = test.details;
    // It failed only because of those that it holds, and they have been counted.
    if (holdsOthers && (error as { failureType?: string }).failureType === 'subtestsFailed') return;
    // What was thrown, which need not be an error.
    const cause: unknown = error.cause;
    const reason = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : error.message;
    this.#failures.push(`${label(test)}: ${summary(reason)}`);
  }

  #isParent(test: Pass | Fail): boolean {
    const { entryFile = test.file, testId, parentId } = test as Pass & Lineage;
    if (parentId) this.#parents.add(`${String(entryFile)}:${String(parentId)}`);
    return this.#parents.has(`${String(entryFile)}:${String(testId)}`);
  }
}

/** What the events carry beyond their published types. */
interface Lineage {
  readonly entryFile?: string;
  readonly testId?: number;
  readonly parentId?: number;
}

function isWholeFile(test: Pass): boolean {
  return test.nesting === 0 && test.file !== undefined && test.name === test.file;
}

function label(test: Pass | Fail): string {
  const file = test.file?.replace(/^.*[\\/]/, '') ?? '';
  return test.name === test.file ? file : `${file} › ${test.name}`;
}

/** The first line of why; of a property that failed also its counterexample and the seed that finds it again. */
function summary(reason: string): string {
  const [first = '', ...rest] = reason.trim().split('\n');
  if (!first.startsWith('Property failed')) return first;
  const found = rest.filter((line) => /^(\{ seed: |Counterexample: )/.test(line));
  return [first, ...found].join('; ').slice(0, longestSummary);
}
