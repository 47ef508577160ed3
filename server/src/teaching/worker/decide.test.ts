// When teaching starts by itself: every condition alone keeps it from starting, and says why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayWindow } from './dayWindow.ts';
import { mayGoOn, mayResume, mayStart, type Past, type Surroundings, type TeachingWishes } from './decide.ts';

const wishes: TeachingWishes = {
  ...{ mode: 'automatic', newPairs: 20, window: null, idleMinutes: 10, onBattery: false },
};
const night = (hours: number, minutes = 0) => new Date(2026, 2, 1, hours, minutes);
const quiet: Surroundings = {
  ...{ now: night(23), power: 'plugged-in', idleMs: 20 * 60_000, busyShare: 0.05 },
};
const past: Past = { newPairs: 20, broken: null };

test('given enough new pairs on an idle machine that is plugged in, when it is asked, then teaching starts', () => {
  assert.deepEqual(mayStart(wishes, quiet, past), { granted: true });
});

const reasons: readonly (readonly [
  string,
  Partial<TeachingWishes>,
  Partial<Surroundings>,
  Partial<Past>,
  RegExp,
])[] = [
  ['is switched off', { mode: 'off' }, {}, {}, /switched off/],
  ['starts on command only', { mode: 'manual' }, {}, {}, /20 new pairs to learn from\. Teach Now/],
  ['has too few pairs', {}, {}, { newPairs: 1 }, /1 new pair; teaching starts with 20/],
  ['runs on its battery', {}, { power: 'battery' }, {}, /plugged in/],
  ['does not say what it runs on', {}, { power: 'unknown' }, {}, /does not say/],
  ['is written on', {}, { idleMs: 60_000 }, {}, /not written/],
  ['has a clock that was set back', {}, { idleMs: -3_600_000 }, {}, /not written/],
  ['is busy', {}, { busyShare: 0.8 }, {}, /busy with something else/],
  ['does not say how busy it is', {}, { busyShare: null }, {}, /how busy/],
  [
    'waits for the night',
    { window: dayWindow('22:00-06:00') },
    { now: night(21, 59) },
    {},
    /its time, 22:00-06:00/,
  ],
  ['broke off an hour ago', {}, {}, { broken: { ago: 3_600_000, times: 1 } }, /in some hours/],
  ['broke off by a clock that is ahead', {}, {}, { broken: { ago: -1, times: 1 } }, /in some hours/],
  ['broke off again and again', {}, {}, { broken: { ago: 1e9, times: 3 } }, /3 times in a row/],
];
for (const [what, wished, around, before, says] of reasons) {
  test(`given a machine that ${what}, when it is asked, then teaching does not start and says why`, () => {
    const answer = mayStart({ ...wishes, ...wished }, { ...quiet, ...around }, { ...past, ...before });
    assert.match(answer.granted ? '' : answer.says, says);
  });
}

test('given a window over midnight, when the hour is asked, then it is open from its first minute to before its last', () => {
  const window = dayWindow('22:00-06:00');
  const open = (now: Date) => mayStart({ ...wishes, window }, { ...quiet, now }, past).granted;
  assert.deepEqual([night(22), night(0), night(5, 59), night(6), night(12)].map(open), [
    true,
    true,
    true,
    false,
    false,
  ]);
  const day = dayWindow('09:30-17:00');
  const inDay = (now: Date) => mayGoOn({ ...wishes, window: day }, { ...quiet, now }).granted;
  assert.deepEqual([night(9, 29), night(9, 30), night(17)].map(inDay), [false, true, false]);
  assert.equal(mayGoOn({ ...wishes, window: dayWindow('08:00-08:00') }, quiet).granted, true);
  assert.equal(dayWindow(''), null);
});

test('given a run that began by itself, when the writer writes, then it goes on; when the charger is pulled, it does not', () => {
  assert.equal(mayGoOn(wishes, { ...quiet, idleMs: 0, busyShare: 1 }).granted, true);
  assert.equal(mayGoOn(wishes, { ...quiet, power: 'battery' }).granted, false);
  assert.equal(mayGoOn({ ...wishes, onBattery: true }, { ...quiet, power: 'battery' }).granted, true);
  assert.equal(mayGoOn({ ...wishes, mode: 'manual' }, quiet).granted, false);
  assert.equal(mayResume(wishes, { ...quiet, idleMs: 0 }).granted, false);
  assert.equal(mayResume(wishes, quiet).granted, true);
});

test('given a break that is long ago, when it is asked, then teaching is tried again', () => {
  assert.equal(mayStart(wishes, quiet, { ...past, broken: { ago: 7 * 3_600_000, times: 2 } }).granted, true);
});
