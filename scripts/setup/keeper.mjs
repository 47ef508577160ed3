// Runs one command in a process group of its own and ends the whole group when the process that asked for
// it is gone, whatever became of that one (crash, kill -9, closed terminal). It is told by the end of stdin.
// Usage: node keeper.mjs COMMAND ARGUMENT… (started detached, with a pipe as stdin)
import { spawn } from 'node:child_process';
import { setInterval } from 'node:timers';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let ending = false;

child.on('error', (error) => {
  console.error(`Could not start ${command}: ${error.message}`);
  process.exit(127);
});
// The group goes with its first command: nothing that it started may stay behind.
child.on('exit', endGroup);
process.stdin.resume();
process.stdin.on('error', endGroup);
process.stdin.on('close', endGroup);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, endGroup);

/** Asks everyone in the group to end, and kills who has not done so when the command is gone, or after 3 s. */
function endGroup() {
  if (ending) return;
  ending = true;
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' }).on('exit', process.exit);
    return;
  }
  signalGroup('SIGTERM'); // Reaches this process too, which no longer listens.
  const started = Date.now();
  setInterval(() => {
    const alive = child.exitCode === null && child.signalCode === null;
    if (!alive || Date.now() - started > 3000) signalGroup('SIGKILL');
  }, 100);
}

function signalGroup(signal) {
  try {
    process.kill(-process.pid, signal);
  } catch {
    process.exit(1); // No group of that number: this process was not started detached.
  }
}
