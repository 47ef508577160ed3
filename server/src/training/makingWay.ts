// A trainer that makes way: its runs pause while generation leaves no thread.
import type { TrainerLine } from '../protocol/index.ts';
import type { ThreadBudget, Trainer, TrainerRun } from './trainer.ts';

/** The trainer, whose runs, scoring too, pause in the middle while text is generated, and go on by themselves. */
export function makingWay(trainer: Trainer, budget: ThreadBudget): Trainer {
  return {
    run: (task, folder, signal) => watched(trainer.run(task, folder, signal), budget),
    selfTest: (signal) => trainer.selfTest(signal),
  };
}

function watched(run: TrainerRun, budget: ThreadBudget): TrainerRun {
  return {
    send: (command) => run.send(command),
    async *[Symbol.asyncIterator](): AsyncGenerator<TrainerLine> {
      const over = new AbortController();
      let paused = false;
      const listen = (threadsLeft: number) => {
        if (paused === (threadsLeft === 0)) return;
        paused = !paused;
        run.send(paused ? 'pause' : 'resume');
      };
      // Without word from the budget the run goes on: it is a courtesy.
      budget.watch(listen, over.signal).catch(() => undefined);
      try {
        yield* run;
      } finally {
        over.abort();
      }
    },
  };
}
