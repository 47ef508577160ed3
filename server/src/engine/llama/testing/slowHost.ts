// Never gets beyond half of its loading; confirms being cancelled.
import { reply, runFakeHost } from './fakeHost.ts';

runFakeHost({
  load: ({ request }) => {
    reply({ is: 'loading', request, phase: 'loading', fraction: 0.5 });
  },
});
