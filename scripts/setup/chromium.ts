// The browser that the tests drive. Looked for where browsers usually are; installed only on Debian as root.
import { existsSync, readFileSync } from 'node:fs';
import { SetupError } from './errors.ts';
import { findOnPath, run } from './processes.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** The browser's file. PREFLEXOR_CHROMIUM names one that is elsewhere. */
export function findChromium(): string | undefined {
  const named = process.env['PREFLEXOR_CHROMIUM'];
  if (named) return named;
  return findOnPath(names) ?? places.find((place) => existsSync(place));
}

/** Finds Chromium, or installs it where that takes no more than apt-get. */
export async function installChromium(): Promise<string> {
  const found = findChromium();
  if (found) return found;
  if (!isDebian() || process.getuid?.() !== 0 || !findOnPath(['apt-get'])) {
    throw new SetupError(
      'The tests in the editor need Chromium or Chrome, and there is none here.',
      'Install one (Debian, Ubuntu: sudo apt-get install chromium), or set PREFLEXOR_CHROMIUM to its file.',
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', 'chromium']]) {
    const result = await run('apt-get', ['-q', ...args], { env });
    if (result.code !== 0) {
      throw new SetupError(
        `Chromium could not be installed:\n${result.stderr.trim() || result.stdout.trim().slice(-2000)}`,
        'Install it by hand (apt-get install chromium), or set PREFLEXOR_CHROMIUM to the file of another one.',
      );
    }
  }
  const installed = findChromium();
  if (installed) return installed;
  throw new SetupError(
    'apt-get installed Chromium, but it is not on PATH.',
    'Set PREFLEXOR_CHROMIUM to its file.',
  );
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
