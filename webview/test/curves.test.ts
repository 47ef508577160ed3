// Curves of training runs as the view keeps and reads them: what is joined, drawn, aligned, smoothed, zoomed and saved.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CurveColumns,
  TrainingPart,
  TrainingRunDetail,
  TrainingRunEntry,
} from '../../server/src/protocol/index.ts';
import { csvOf, metrics, pictureOf, svgOf, ticks } from '../src/training/picture.ts';
import { aligned, smoothed, stepFrom, valueAt, zoomed } from '../src/training/points.ts';
import {
  cursorsOf,
  curvesOf,
  nothingYet,
  staleRuns,
  withCurve,
  withDetail,
  withRuns,
} from '../src/training/trainingState.ts';

const entry = (run: string, state: TrainingRunEntry['state'] = 'running'): TrainingRunEntry => {
  return { run, kind: 'train', time: '2026-11-24T12:00:00.000Z', model: 'm', state, offered: null };
};

function columns(
  steps: readonly number[],
  of: (step: number) => number | null = (step) => step,
): CurveColumns {
  const values = steps.map(of);
  return {
    ...{ step: [...steps], margin: values, loss: values, accuracy: values.map(() => 1) },
    ...{ chosen: values, rejected: values },
  };
}

function detail(run: string, parts: readonly Partial<TrainingPart>[]): TrainingRunDetail {
  const usual = { phase: null, epoch: 0, from: 0, planned: 10, secondsRemaining: null };
  return {
    ...{ entry: entry(run), watch: [], gates: [], why: null, log: [], data: [], samples: [] },
    parts: parts.map((part) => {
      return { part: 'train', ...usual, trained: columns([]), heldout: columns([]), ...part };
    }),
  };
}

const steps = (state: ReturnType<typeof withDetail>, run: string): number[] | undefined =>
  state.details.get(run)?.parts[0]?.trained.step;

test('given what is known of a run, when more of it comes, then steps follow each other once, and what is the same is the same object', () => {
  const runs = withRuns(nothingYet, 'notes', [entry('a')]);
  const first = withDetail(runs, detail('a', [{ trained: columns([1, 2, 3]) }]));
  assert.deepEqual(first.shown, ['a train']);
  const more = withDetail(first, detail('a', [{ from: 3, trained: columns([4]) }]));
  assert.deepEqual(steps(more, 'a'), [1, 2, 3, 4]);
  assert.deepEqual(cursorsOf(more, 'a'), [{ part: 'train', epoch: 0, steps: 4 }]);
  const nothing = withDetail(more, detail('a', [{ from: 4 }]));
  assert.equal(nothing.details.get('a')?.parts[0]?.trained, more.details.get('a')?.parts[0]?.trained);
  const anew = withDetail(more, detail('a', [{ epoch: 1, trained: columns([1, 2]) }]));
  assert.deepEqual(steps(anew, 'a'), [1, 2]);
});

test('given several runs, when curves are switched on and off, then a new part of a drawn run is drawn, and one that was switched off stays so', () => {
  const runs = withRuns(nothingYet, 'notes', [entry('a'), entry('b', 'finished')]);
  const both = withCurve(withDetail(runs, detail('a', [{ part: 'phase-1' }])), 'b train', true);
  assert.deepEqual(staleRuns(both).sort(), ['a', 'b']);
  const known = withDetail(both, { ...detail('b', [{}]), entry: entry('b', 'finished') });
  assert.deepEqual(
    curvesOf(known).map(({ key, colour }) => [key, colour]),
    [
      ['a phase-1', 0],
      ['b train', 1],
    ],
  );
  assert.deepEqual(staleRuns(known), ['a']);
  const grown = withDetail(known, detail('a', [{ part: 'phase-1' }, { part: 'phase-2' }]));
  assert.ok(grown.shown.includes('a phase-2'));
  const off = withCurve(grown, 'a phase-1', false);
  assert.ok(
    !withDetail(off, detail('a', [{ part: 'phase-1' }, { part: 'phase-2' }])).shown.includes('a phase-1'),
  );
  assert.deepEqual(withRuns(off, 'notes', [entry('b')]).chosen, 'b');
});

test('given steps, when the point moves, then it stays within them, and a value is the last one at or before it', () => {
  const known = [1, 5, 9];
  assert.deepEqual(
    [stepFrom(known, null, 1), stepFrom(known, 5, 1), stepFrom(known, 9, 1), stepFrom(known, 5, -Infinity)],
    [1, 9, 9, 1],
  );
  assert.equal(stepFrom([], 5, 1), null);
  const some = columns(known, (step) => (step === 5 ? null : step));
  assert.deepEqual(valueAt(some, some.loss, 8), { step: 1, value: 1 });
  assert.equal(valueAt(some, some.loss, 0), null);
});

test('given curves of different steps, when they are aligned, then each value stands at its step', () => {
  const curve = { key: 'a', name: 'A', colour: 0, trained: columns([1, 2]), heldout: columns([2, 4]) };
  assert.deepEqual(aligned([curve], 'loss', 1), [
    [1, 2, 4],
    [1, 2, undefined],
    [undefined, 2, 4],
  ]);
  assert.deepEqual(smoothed([2, 4, null, 6], 2), [2, 3, null, 6]);
});

test('given a range, when it is zoomed, then it stays within the whole, and the whole is no range', () => {
  const whole = { min: 1, max: 101 };
  assert.deepEqual(zoomed(whole, null, 101, 0.5), { min: 51, max: 101 });
  assert.equal(zoomed(whole, { min: 51, max: 101 }, null, 8), null);
  assert.deepEqual(zoomed(whole, { min: 5, max: 6 }, null, 0.5), { min: 5, max: 6 });
});

test('given a name with signs of markup and of formulas, when curves are saved, then picture and table hold it as text', () => {
  const name = '=<b>"A"&';
  const curve = {
    key: 'a',
    name,
    colour: 0,
    trained: columns([1, 2], (step) => 1 / step),
    heldout: columns([]),
  };
  const colours = {
    ...{ foreground: '#000', faint: '#555', lines: '#ccc', background: '#fff' },
    ...{ charts: ['#00f'], font: 'sans-serif' },
  };
  const series = { trained: true, heldout: true };
  const svg = svgOf(pictureOf({ ...{ curves: [curve], range: null, smoothing: 1 }, series, colours }));
  assert.match(svg, /=&#60;b&#62;&#34;A&#34;&#38;, trained on/);
  assert.equal(svg.match(/stroke="#00f" stroke-width="1\.5"\/>/g)?.length, metrics.length + 1);
  assert.equal(csvOf([curve]).split('\r\n')[2], `"'=<b>""A""&",trained on,2,0.5,0.5,1,0.5,0.5`);
  assert.deepEqual(ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});
