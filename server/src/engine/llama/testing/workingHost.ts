// Does everything right: loads at once and answers with what it was told. "wait" is answered only by a cancel.
import { begin, echo, runFakeHost } from './fakeHost.ts';

process.stderr.write('a line on stderr\n');
runFakeHost({
  generate: (message) => {
    if (message.generate.messages.at(-1)?.text === 'wait') begin(message);
    else echo(message);
  },
});
