// Decisions and runs to store in tests, and real child processes that write to a ledger.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LedgerRecord, Provenance, Run } from '../../server/src/protocol/index.ts';
import type { Decision } from '../../server/src/preferences/index.ts';

const provenance: Provenance = {
  model: { id: 'smollm2-135m-instruct', file: 'model.gguf', sha256: 'ab'.repeat(32) },
  adapter: null,
  promptVersion: '1',
  prompt: 'A prompt with "quotes",\nlines and 🙂.',
  sampler: { seed: 7, temperature: 0.1, thinkingTokens: 512, reflectionTokens: 256, answerTokens: 512 },
  backend: 'cpu',
  threads: { prompt: 2, generation: 1 },
  version: '0.1.0',
};

/** A decision whose texts say which one it is. */
export function decisionOf(label: string, changes: Partial<Decision> = {}): Decision {
  return {
    block: 'k3v9q2',
    run: '01JDF3Z0000000000000000000',
    kind: 'accept',
    iteration: 0,
    texts: {
      question: label,
      paragraph: 'Ein Absatz – with\r\nlines.',
      thinking: '<|thinking|>',
      reflection: '',
      offered: 'offered',
      result: 'result',
      reason: null,
    },
    note: { path: 'notes/a.md', hash: 'cd'.repeat(32), range: { start: 0, end: 10 } },
    provenance,
    ...changes,
  };
}

/** The labels of records, in their order. */
export function labels(records: readonly LedgerRecord[]): string[] {
  return records.map(({ texts }) => texts.question);
}

export function runOf(id: string, changes: Partial<Run> = {}): Run {
  return {
    schema: 1,
    id,
    block: 'k3v9q2',
    time: '2026-11-24T12:00:00.000Z',
    note: { path: 'notes/a.md', hash: 'cd'.repeat(32), range: { start: 0, end: 10 } },
    paragraph: 'A paragraph.',
    question: 'Why?',
    passages: [],
    iterations: [
      {
        index: 0,
        thinking: 'hm',
        reflection: 'well',
        answer: 'Because.',
        score: null,
        signals: [],
        tokens: { prompt: 10, reused: 0, generated: 5 },
        seconds: 0.5,
        segments: [],
      },
    ],
    best: 0,
    final: 'Because.',
    stoppedBecause: 'finished',
    model: 'smollm2-135m-instruct',
    adapter: null,
    seconds: 0.5,
    provenance,
    ...changes,
  };
}

/** A writing child: the ids it was given as acknowledged, and how it ended. */
export interface WriterOutcome {
  readonly acknowledged: string[];
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

/**
 * Starts a real process that appends `count` decisions, labelled `<name> 0` and on, and says each id once it
 * is acknowledged. `onAcknowledged` may kill it. `tear`: it kills itself with half of a line written.
 */
export async function startWriter(
  setting: { workspaceRoot: string; home: string; name: string; count: number; tear?: number },
  onAcknowledged: (soFar: number, kill: () => void) => void = () => undefined,
): Promise<WriterOutcome> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('ledgerWriter.ts', import.meta.url)), JSON.stringify(setting)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const acknowledged: string[] = [];
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    acknowledged.push(line);
    onAcknowledged(acknowledged.length, () => child.kill('SIGKILL'));
  });
  const [[, signal]] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    once(lines, 'close'),
  ]);
  return { acknowledged, signal, errors };
}
