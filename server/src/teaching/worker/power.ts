// Whether the machine runs on its battery, as each system says it. Reads; decides nothing.
import type { SystemReader } from './system.ts';

/** `unknown`: the system does not say. */
export type Power = 'plugged-in' | 'battery' | 'unknown';

const supplies = '/sys/class/power_supply';

/** Asked of .NET, as batteries themselves say too little: `Online`, `Offline` or `Unknown`. */
const windowsQuery =
  'Add-Type -AssemblyName System.Windows.Forms; [System.Windows.Forms.SystemInformation]::PowerStatus.PowerLineStatus';

export async function readPower(platform: NodeJS.Platform, system: SystemReader): Promise<Power> {
  switch (platform) {
    case 'linux':
      return await linuxPower(system);
    case 'darwin':
      return macPower(await system.run('pmset', ['-g', 'batt']));
    case 'win32':
      return windowsPower(
        await system.run('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', windowsQuery]),
      );
    default:
      return 'unknown';
  }
}

/** One folder of the kernel's power supplies, as its files say. */
interface Supply {
  readonly type: string;
  /** `1`: it gives power now. */
  readonly online: string;
  readonly status: string;
  /** `Device`: of a mouse, a keyboard, a pen. */
  readonly scope: string;
}

async function linuxPower(system: SystemReader): Promise<Power> {
  const names = await system.list(supplies);
  const all = await Promise.all(names.map((name) => supplyOf(`${supplies}/${name}`, system)));
  const own = all.filter(({ scope }) => scope !== 'Device');
  if (own.some(({ type, online }) => type !== 'Battery' && type !== 'UPS' && online === '1'))
    return 'plugged-in';
  const batteries = own.filter(({ type }) => type === 'Battery' || type === 'UPS');
  // A desktop, or a machine in a rack.
  if (batteries.length === 0) return 'plugged-in';
  if (batteries.some(({ status }) => status === 'Discharging')) return 'battery';
  return batteries.some(({ status }) => status === 'Charging' || status === 'Full')
    ? 'plugged-in'
    : 'unknown';
}

async function supplyOf(folder: string, system: SystemReader): Promise<Supply> {
  const read = async (name: string) => ((await system.readText(`${folder}/${name}`)) ?? '').trim();
  const [type, online, status, scope] = await Promise.all(['type', 'online', 'status', 'scope'].map(read));
  return { type: type ?? '', online: online ?? '', status: status ?? '', scope: scope ?? '' };
}

function macPower(text: string | null): Power {
  const from = /Now drawing from '([^']+)'/.exec(text ?? '')?.[1];
  if (from === undefined) return 'unknown';
  return from === 'AC Power' ? 'plugged-in' : 'battery';
}

function windowsPower(text: string | null): Power {
  const said = text?.trim();
  if (said === 'Online') return 'plugged-in';
  return said === 'Offline' ? 'battery' : 'unknown';
}
