// Dies in the middle of an answer, as when the system takes its memory; told to "echo", it works.
import { begin, echo, runFakeHost } from './fakeHost.ts';

runFakeHost({
  generate: (message) => {
    if (message.generate.messages.at(-1)?.text === 'echo') {
      echo(message);
      return;
    }
    begin(message);
    setImmediate(() => process.kill(process.pid, 'SIGKILL'));
  },
});
