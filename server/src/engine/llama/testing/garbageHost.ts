// Sends messages that no host may send; which one, the last message says.
import { writeSync } from 'node:fs';
import { begin, replyAnything, runFakeHost } from './fakeHost.ts';

runFakeHost({
  generate: (message) => {
    const { request } = message;
    switch (message.generate.messages.at(-1)?.text) {
      case 'string':
        replyAnything('<|thinking|>');
        return;
      case 'half':
        replyAnything({ is: 'generated', request, events: [{ event: 'text', text: 'no tokens' }] });
        return;
      case 'unknown':
        replyAnything({ is: 'evil', request, command: 'rm' });
        return;
      default: {
        // Bytes that are no message at all, and then the end: what a crash in the middle of a write leaves.
        begin(message);
        const channel = Number(process.env['NODE_CHANNEL_FD'] ?? 3);
        setTimeout(() => {
          writeSync(channel, '{"is":"gener');
          process.kill(process.pid, 'SIGKILL');
        }, 20);
      }
    }
  },
});
