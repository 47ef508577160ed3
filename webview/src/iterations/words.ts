// What the Iterations view says, in words. Pure.
import type {
  DecisionKind,
  IterationSnapshot,
  RemedyAction,
  RunEntry,
  RunSnapshot,
  SectionSnapshot,
  StreamKind,
  SegmentProblem,
  Signal,
  TokenCounts,
} from '../../../server/src/protocol/index.ts';
import { openSection } from './viewState.ts';

export const sectionNames: Record<StreamKind, string> = {
  thinking: 'Thinking',
  reflection: 'Reflection',
  answer: 'Suggestion',
  critique: 'Critique',
  integration: 'Integration',
};

const problemSentences: Record<SegmentProblem, (section: string) => string> = {
  unclosed: (section) => `${section}: the model did not say where it ends, so all that followed was taken.`,
  'stray-end': (section) =>
    `${section}: the model did not say where it begins, so all that came before was taken.`,
  nested: (section) => `${section}: the model began another section inside it.`,
  truncated: (section) => `${section} was cut off at its token budget.`,
};

const signalSentences: Record<Signal['name'], string> = {
  'same-meaning': 'It says the same as the iteration before in other words.',
  generic: 'It may be generic: it has few words in common with your paragraph.',
  'empty-reflection': 'The reflection names nothing that could be improved.',
  'no-change': 'It hardly differs from the iteration before.',
  degradation: 'It was judged weaker than the iteration before.',
  loop: 'It repeats itself.',
  truncation: 'A section was cut off at its token budget.',
};

export const remedyTitles: Record<RemedyAction, string> = {
  retry: 'Try Again',
  chooseModel: 'Choose Model',
  save: 'Save Note',
  showLog: 'Show Log',
  reload: 'Reload Window',
};

/** "0.4 s", "12 s", "1 min 5 s". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function tokenCount(tokens: number): string {
  return tokens === 1 ? '1 token' : `${tokens.toLocaleString('en')} tokens`;
}

/** "12 s · 240 tokens". @param since seconds since the snapshot, counted on while it is being written */
export function sectionFacts({ seconds, tokens, done }: SectionSnapshot, since: number): string {
  const time = seconds === null ? null : done ? duration(seconds) : `${Math.floor(seconds + since)} s`;
  return joined([time, tokens === null ? null : tokenCount(tokens)]);
}

/** "Draft", "Iteration 2". Iteration 0 is the draft, everywhere. */
export function iterationName(index: number): string {
  return index === 0 ? 'Draft' : `Iteration ${index}`;
}

export function iterationFacts(
  { facts, index }: IterationSnapshot,
  { best, picked }: Pick<RunSnapshot, 'best' | 'picked'>,
): string {
  return joined([
    best === index ? 'best' : null,
    picked === index ? 'your choice' : null,
    facts?.score == null ? null : `score ${outOfTen(facts.score)}`,
    facts && duration(facts.seconds),
    facts && tokenCount(facts.tokens.generated),
  ]);
}

function outOfTen(score: number): string {
  return (score * 10).toFixed(1);
}

/** The critic's score and how far it is to be trusted. null: there is none. */
export function scoreWords({ score, rubrics = [] }: NonNullable<IterationSnapshot['facts']>): string | null {
  if (score === null) return null;
  const marks = rubrics.map(
    ({ grounded, answers, specific, consistent }) => (grounded + answers + specific + consistent) / 40,
  );
  const all = `The critic gives it ${outOfTen(score)} of 10`;
  if (marks.length < 2) return `${all}, read once.`;
  const spread = Math.max(...marks) - Math.min(...marks);
  const readings = marks.map(outOfTen).join(' and ');
  const trust =
    spread < 0.05
      ? 'its readings agree'
      : `a difference of less than ${outOfTen(spread)} between iterations means nothing`;
  return `${all} (read ${marks.length} times: ${readings}; ${trust}).`;
}

/** The mean of each of the rubric's marks. */
export function rubricWords({ rubrics = [] }: NonNullable<IterationSnapshot['facts']>): string | null {
  if (rubrics.length === 0) return null;
  const mean = (name: keyof (typeof rubrics)[number]): string =>
    (rubrics.reduce((sum, rubric) => sum + rubric[name], 0) / rubrics.length).toFixed(1);
  return `Grounded in your notes ${mean('grounded')}, answers the question ${mean('answers')}, specific ${mean('specific')}, consistent ${mean('consistent')}.`;
}

const signalNames: Record<Signal['name'], string> = {
  'same-meaning': 'Same meaning as before (similarity)',
  generic: 'Words shared with your paragraph',
  'empty-reflection': 'Words of the reflection',
  'no-change': 'Words changed since the iteration before',
  degradation: 'Fall of the score',
  loop: 'Repetition',
  truncation: 'Sections cut off',
};

/** "Repetition: 0.02, threshold 0.5: fine". */
export function signalWords({ name, value, threshold, verdict }: Signal): string {
  return `${signalNames[name]}: ${short(value)}, threshold ${short(threshold)}: ${verdict}`;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** What the prompts cost: what was evaluated, what came out of the cache, what was written. */
export function countWords({ prompt, reused, generated }: TokenCounts): string {
  const part = (value: number): string => value.toLocaleString('en');
  return `${part(prompt)} in prompts, ${part(reused)} of them reused; ${part(generated)} written`;
}

const endings: Partial<Record<NonNullable<RunSnapshot['ended']>, string>> = {
  converged: 'It ended early: two iterations said the same.',
  degraded: 'It ended early: the next iteration was weaker, and the best one was kept.',
  'answer-now': 'You asked for the answer before it was done thinking.',
};

/** What is to be known of a run besides its texts. */
export function remarks({ ended, nothingRelevant, omitted }: RunSnapshot): string[] {
  const how = ended === null ? undefined : endings[ended];
  return [
    ...(nothingRelevant ? ['Nothing relevant in your notes: it thinks without them.'] : []),
    ...(how === undefined ? [] : [how]),
    ...omitted,
  ];
}

/** What is doubtful about an iteration: each thing once. */
export function warnings({ sections, facts }: IterationSnapshot): string[] {
  const problems = sections.flatMap(({ kind, problems: found }) =>
    found.map((problem) => problemSentences[problem](sectionNames[kind])),
  );
  const signals = (facts?.signals ?? [])
    .filter(({ verdict }) => verdict !== 'fine')
    // The section that was cut off has said so itself.
    .filter(
      ({ name }) =>
        name !== 'truncation' || !sections.some((section) => section.problems.includes('truncated')),
    )
    .map(({ name }) => signalSentences[name]);
  return [...new Set([...problems, ...signals])];
}

const decisions: Partial<Record<DecisionKind, string>> = {
  accept: 'Accepted',
  'accept-edited': 'Accepted with your edit',
  hunk: 'Accepted in part',
  reject: 'Rejected',
  regenerate: 'Replaced',
};

/** What the writer decided, or null while it is open. */
export function decisionWords(decision: DecisionKind | null): string | null {
  return decision === null ? null : (decisions[decision] ?? null);
}

/** The line under the question: what the run is doing, or how it ended. */
export function stateWords(run: RunSnapshot): string {
  const tokens = run.iterations.reduce((sum, { facts }) => sum + (facts?.tokens.generated ?? 0), 0);
  switch (run.state) {
    case 'waiting':
      return run.message ?? 'Waiting for the language server';
    case 'running': {
      const kind = openSection(run)?.kind;
      return kind === undefined
        ? 'Working'
        : {
            thinking: 'Thinking',
            reflection: 'Reflecting',
            answer: 'Answering',
            critique: 'Criticising',
            integration: 'Integrating all answers',
          }[kind];
    }
    case 'finished':
      return joined([
        run.model,
        run.seconds === null ? null : duration(run.seconds),
        tokens > 0 ? tokenCount(tokens) : null,
      ]);
    case 'stopped':
      return 'Stopped';
    case 'failed':
      return 'Failed';
  }
}

/** What a screen reader is told, as soon as it changes. Ends with the suggestion, read out once as a whole. */
export function spokenState(run: RunSnapshot | null): string {
  if (!run) return '';
  if (run.failure) return [run.failure.message, run.failure.remedy ?? ''].join(' ').trim();
  const decided = decisionWords(run.decision);
  if (decided !== null) return decided;
  if (run.state !== 'finished') return stateWords(run);
  const used = run.picked ?? run.best;
  const picked = run.iterations.find(({ index }) => index === used) ?? run.iterations.at(-1);
  const answer =
    (run.picked === null ? run.final : null) ??
    picked?.sections.findLast(({ kind }) => kind === 'answer')?.text ??
    '';
  return `Finished. Suggestion: ${answer}`;
}

/** How an earlier run ended, for the list. */
export function entryWords({ state, decision }: RunEntry): string {
  return (
    decisionWords(decision) ??
    { waiting: 'Waiting', running: 'Running', finished: 'To review', stopped: 'Stopped', failed: 'Failed' }[
      state
    ]
  );
}

export function entryIcon({ state, decision }: RunEntry): string {
  if (decision === 'accept' || decision === 'accept-edited' || decision === 'hunk') return 'check';
  if (decision === 'reject') return 'close';
  if (decision === 'regenerate') return 'refresh';
  return {
    waiting: 'watch',
    running: 'sync',
    finished: 'circle-outline',
    stopped: 'debug-stop',
    failed: 'warning',
  }[state];
}

/** "just now", "5 min ago", "3 h ago", else the date. Both in milliseconds since the epoch. */
export function ago(time: number, now: number, language: string): string {
  const minutes = Math.floor((now - time) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(time).toLocaleDateString(language, { day: 'numeric', month: 'short', year: 'numeric' });
}

function joined(parts: readonly (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}

/** What a writer is warned of: works that the model made up. null: there are none. */
export function unknownCitationWords(keys: readonly string[]): string | null {
  const [last] = keys.slice(-1);
  if (last === undefined) return null;
  const names = keys.length === 1 ? last : `${keys.slice(0, -1).join(', ')} and ${last}`;
  return keys.length === 1
    ? `No bibliography knows ${names}: the model made it up. It is marked in the suggestion.`
    : `No bibliography knows ${names}: the model made them up. They are marked in the suggestion.`;
}
