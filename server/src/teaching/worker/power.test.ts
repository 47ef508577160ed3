// What systems say of their power, as they were seen or are documented to say it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyShare } from './load.ts';
import { readPower } from './power.ts';
import type { SystemReader } from './system.ts';

/** @param files by their paths below /sys/class/power_supply. @param said by a program's name */
function system(
  files: Readonly<Record<string, string>>,
  said: Readonly<Record<string, string>> = {},
): SystemReader {
  const below = '/sys/class/power_supply/';
  return {
    readText: (file) => Promise.resolve(files[file.slice(below.length)] ?? null),
    list: () => Promise.resolve([...new Set(Object.keys(files).map((file) => file.split('/')[0] ?? ''))]),
    run: (program) => Promise.resolve(said[program] ?? null),
  };
}

const battery = (status: string) => ({ 'BAT0/type': 'Battery\n', 'BAT0/status': `${status}\n` });
const mains = (online: string) => ({ 'AC/type': 'Mains\n', 'AC/online': `${online}\n` });

const linux: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['a laptop on its charger', { ...mains('1'), ...battery('Charging') }, 'plugged-in'],
  [
    'a laptop on its charger that holds its charge',
    { ...mains('1'), ...battery('Not charging') },
    'plugged-in',
  ],
  ['a laptop on its battery', { ...mains('0'), ...battery('Discharging') }, 'battery'],
  [
    'a laptop that charges by USB-C',
    { 'ucsi/type': 'USB\n', 'ucsi/online': '1\n', ...battery('Charging') },
    'plugged-in',
  ],
  ['a battery that says nothing of a charger', battery('Full'), 'plugged-in'],
  ['a battery that does not know', { ...mains('0'), ...battery('Unknown') }, 'unknown'],
  ['a desktop', {}, 'plugged-in'],
  [
    'a desktop with a mouse on batteries',
    { 'hidpp/type': 'Battery\n', 'hidpp/scope': 'Device\n', 'hidpp/status': 'Discharging\n' },
    'plugged-in',
  ],
];
for (const [what, files, expected] of linux) {
  test(`given Linux on ${what}, when its power is read, then it is ${expected}`, async () => {
    assert.equal(await readPower('linux', system(files)), expected);
  });
}

test('given what pmset says, when the power of a Mac is read, then it is where the Mac draws from', async () => {
  const mac = (text: string) => readPower('darwin', system({}, { pmset: text }));
  const cell = ' -InternalBattery-0 (id=4653155)\t95%; charging; 0:20 remaining present: true\n';
  assert.equal(await mac(`Now drawing from 'AC Power'\n${cell}`), 'plugged-in');
  assert.equal(
    await mac(`Now drawing from 'Battery Power'\n${cell.replace('charging', 'discharging')}`),
    'battery',
  );
  assert.equal(await mac("Now drawing from 'UPS Power'\n"), 'battery');
  assert.equal(await mac(''), 'unknown');
  assert.equal(await readPower('darwin', system({})), 'unknown');
});

test('given what Windows says of its line, when its power is read, then it is that', async () => {
  const windows = (text: string) => readPower('win32', system({}, { 'powershell.exe': text }));
  assert.equal(await windows('Online\r\n'), 'plugged-in');
  assert.equal(await windows('Offline\r\n'), 'battery');
  assert.equal(await windows('Unknown\r\n'), 'unknown');
  assert.equal(await readPower('win32', system({})), 'unknown');
  assert.equal(await readPower('aix', system({})), 'unknown');
});

test('given two looks at the cores, when the share of work is taken, then polite work does not count and a clock that jumped says nothing', () => {
  const core = { user: 1000, nice: 500, sys: 100, idle: 9000, irq: 0 };
  assert.equal(busyShare([core], [{ ...core, user: 1250, idle: 9750 }]), 0.25);
  assert.equal(busyShare([core], [{ ...core, nice: 1250, idle: 9250 }]), 0);
  assert.equal(busyShare([core], [{ ...core, user: 10 }]), null);
  assert.equal(busyShare([core], [core]), null);
  assert.equal(busyShare([core], [core, core]), null);
});
