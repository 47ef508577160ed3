// Whether a process lives, and when it began: a number alone may have gone to another program since.
import type { SystemReader } from './system.ts';

export interface Processes {
  isAlive(pid: number): boolean;
  /** The same words as long as it is the same process, over restarts of the machine too; null: it is not known. */
  beganAt(pid: number): Promise<string | null>;
}

export function realProcesses(platform: NodeJS.Platform, system: SystemReader): Processes {
  return {
    isAlive(pid) {
      try {
        return process.kill(pid, 0);
      } catch (error) {
        // Somebody else's process runs all the same.
        return (error as NodeJS.ErrnoException).code === 'EPERM';
      }
    },
    beganAt: (pid) => beganAt(pid, platform, system),
  };
}

export async function beganAt(
  pid: number,
  platform: NodeJS.Platform,
  system: SystemReader,
): Promise<string | null> {
  if (platform === 'linux') {
    const ticks = startTicks((await system.readText(`/proc/${pid}/stat`)) ?? '');
    // Ticks count from the machine's start.
    const boot = ((await system.readText('/proc/sys/kernel/random/boot_id')) ?? '').trim();
    return ticks === null ? null : `${boot} ${ticks}`;
  }
  const said =
    platform === 'win32'
      ? await system.run('powershell.exe', [
          ...['-NoProfile', '-NonInteractive', '-Command'],
          `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`,
        ])
      : await system.run('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return said?.trim() || null;
}

/** The 22nd field of /proc/PID/stat. The 2nd, a program's name in brackets, may hold anything. */
function startTicks(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields[19];
  return ticks !== undefined && /^\d+$/.test(ticks) ? ticks : null;
}
