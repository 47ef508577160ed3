// An encoder's host that does what the first text says: "wait" is answered only by a cancel, "die" ends the process,
// "few" gets a number too few; all else is embedded and ranked.
import { embedded, ranked, reply, runFakeHost } from './fakeHost.ts';

runFakeHost({
  embed: (message) => {
    const { request, embed } = message;
    const [first] = embed.texts;
    if (first === 'wait') return;
    if (first === 'die') process.kill(process.pid, 'SIGKILL');
    else if (first === 'few') {
      reply({ is: 'embedded', request, vectors: Float32Array.from([1]), tokens: 1, seconds: 0.01 });
    } else embedded(message);
  },
  rank: (message) => {
    if (message.rank.query === 'few') reply({ is: 'ranked', request: message.request, scores: [] });
    else ranked(message);
  },
});
