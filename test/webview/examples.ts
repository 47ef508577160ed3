// Messages for the Iterations view, as the client makes them: every one through the client's own run model.
import type {
  Iteration,
  IterationsToView,
  ReasonEvent,
  Run,
  RunEntry,
  Segment,
} from '../../server/src/protocol/index.ts';
import { askedRun, snapshotOf, withAnswer, withEvent, type RunModel } from '../../client/src/runModel.ts';

export const runId = '01JDA0000000000000000000AB';
export const key = 'asked-1';

const question = 'How can the argument of this paragraph be made stronger?';
const paragraph =
  'Nacre is tough because its aragonite platelets slide against each other before they break, and the thin layer of protein between them takes up the energy.';

export const thinkingText = `The paragraph gives one mechanism, sliding, and one place where energy goes, the protein layer.

What it takes for granted: that sliding comes before fracture. That holds only while the shear strength of the interface is below the strength of a platelet, which depends on the aspect ratio.

Mineral bridges and the roughness of the platelets also carry load.`;
export const reflectionText = `The condition on the aspect ratio is not stated, so the claim reads as if it always held.
The numbers are missing: toughness of nacre against that of aragonite.`;
export const answerText = `Nacre is about three thousand times tougher than the aragonite that it is made of. Its platelets are long enough for the interface to shear before they break, so they slide; mineral bridges and rough surfaces resist this sliding, and the thin protein layer between the platelets takes up the energy.`;

export const started: ReasonEvent = {
  event: 'started',
  run: runId,
  block: 'k3v9q2',
  question,
  paragraph,
  iterations: 0,
};

export const opens = (kind: Segment['kind']): ReasonEvent => ({
  event: 'segment',
  run: runId,
  iteration: 0,
  kind,
});
export const writes = (kind: Segment['kind'], text: string): ReasonEvent => {
  return { event: 'text', run: runId, iteration: 0, kind, text };
};
export const ends = (kind: Segment['kind']): ReasonEvent => {
  return { event: 'segment-end', run: runId, iteration: 0, kind, problems: [] };
};

function segment(kind: Segment['kind'], text: string, start: number, end: number): Segment {
  return { kind, text, tokens: { start, end }, withMarkers: { start, end }, problems: [] };
}

/** A finished run whose three texts are given. */
export function finishedRun(thinking = thinkingText, reflection = reflectionText, answer = answerText): Run {
  const model = { id: 'smollm2-135m-instruct', file: 'SmolLM2.gguf', sha256: 'x' };
  return {
    schema: 1,
    id: runId,
    block: 'k3v9q2',
    time: '2026-11-24T12:00:00.000Z',
    note: { path: 'nacre.md', hash: 'h', range: { start: 0, end: 10 } },
    paragraph,
    question,
    passages: [],
    iterations: [
      {
        index: 0,
        thinking,
        reflection,
        answer,
        score: null,
        signals: [{ name: 'generic', value: 0.1, threshold: 0.2, verdict: 'doubtful' }],
        tokens: { prompt: 300, reused: 0, generated: 412 },
        seconds: 19,
        segments: [
          segment('thinking', thinking, 0, 240),
          { ...segment('reflection', reflection, 250, 320), problems: ['truncated'] },
          segment('answer', answer, 330, 412),
        ],
      },
    ],
    best: 0,
    final: answer,
    stoppedBecause: 'finished',
    model: model.id,
    adapter: null,
    seconds: 19.4,
    provenance: {
      model,
      adapter: null,
      promptVersion: '1',
      prompt: '',
      sampler: { seed: 1, temperature: 0.1, thinkingTokens: 512, reflectionTokens: 256, answerTokens: 512 },
      backend: 'cpu',
      threads: { prompt: 2, generation: 1 },
      version: '0.1.0',
    },
  };
}

/** A run after these events, one second apart. */
export function running(events: readonly ReasonEvent[]): RunModel {
  return events.reduce((model, event, index) => withEvent(model, event, index * 1000), askedRun(key, '', 0));
}

export function finished(run = finishedRun()): RunModel {
  const events = [
    started,
    opens('thinking'),
    ends('thinking'),
    opens('reflection'),
    ends('reflection'),
    opens('answer'),
  ];
  return withAnswer(running(events), { run, placement: 'inserted', reason: null });
}

export const entries: RunEntry[] = [
  { key, question, time: new Date().toISOString(), state: 'finished', decision: null, resumable: false },
  {
    key: 'b',
    question: 'Which assumptions does this paragraph make?',
    time: new Date(Date.now() - 7_200_000).toISOString(),
    state: 'finished',
    decision: 'accept',
    resumable: false,
  },
  {
    key: 'c',
    question: 'What would an opponent say?',
    time: new Date(Date.now() - 10_800_000).toISOString(),
    state: 'finished',
    decision: 'reject',
    resumable: false,
  },
  {
    key: 'd',
    question: 'Say this more clearly.',
    time: '2026-03-02T12:00:00.000Z',
    state: 'stopped',
    decision: null,
    resumable: false,
  },
];

export function snapshot(
  model: RunModel | null,
  list: readonly RunEntry[] = entries,
  at = 8000,
): IterationsToView {
  return { type: 'snapshot', note: 'nacre.md', current: model && snapshotOf(model, at), entries: [...list] };
}

/** A recursion of two rounds: the second iteration was criticised, the first is the best. */
export function recursiveRun(): Run {
  const run = finishedRun();
  const [draft] = run.iterations;
  if (!draft) throw new Error('a run has a draft');
  const marks = { grounded: 7, answers: 8, specific: 6, consistent: 7 };
  const round = (index: number, answer: string, from: 'reflection' | 'critic', more: string): Iteration => {
    const thinking = `${thinkingText} ${more}`;
    return {
      ...{ ...draft, index, thinking, answer, score: 0.7, rubrics: [marks, { ...marks, answers: 4 }] },
      feedback: { from, text: `What round ${index} set out to mend.` },
      segments: [segment('thinking', thinking, 0, 240), segment('answer', answer, 330, 412)],
    };
  };
  const passage = { source: 'notes/bone.md', heading: ['Toughness'], page: null, start: 0, end: 9 };
  return {
    ...run,
    iterations: [
      { ...draft, score: 0.5, rubrics: [marks] },
      round(1, `${answerText} So does bone.`, 'reflection', 'Bone too.'),
      round(2, 'Nacre is tough.', 'critic', 'Short is better.'),
    ],
    best: 1,
    final: `${answerText} So does bone, and so does antler.`,
    stoppedBecause: 'degraded',
    passages: [{ id: 'p1', ...passage, text: 'Bone is tough.', score: 0.8 }],
    sources: [
      { iteration: 1, kind: 'answer', passages: [{ id: 'p1', support: 0.8, sentence: 'So does bone.' }] },
    ],
    omitted: ['The thinking of the draft was left out of the last prompt.'],
    wanted: 3,
  };
}
