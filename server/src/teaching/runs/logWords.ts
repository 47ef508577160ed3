// What a run has said, line by line, for people. Pure.
import type { TrainerLine, TrainingLogEntry } from '../../protocol/index.ts';

type Said = Pick<TrainingLogEntry, 'event' | 'step' | 'says'>;

/** null: it says nothing that a chart doesn't show. */
export function saidIn(line: TrainerLine): Said | null {
  switch (line.event) {
    case 'started': {
      const { step, steps, resumed, records, heldout } = line;
      const on = `${records} pairs to train on, ${heldout} held out`;
      const how = resumed ? `Gone on with after step ${step} of ${steps}` : `Begun, ${steps} steps`;
      return { event: 'begun', step, says: `${how}: ${on}.` };
    }
    case 'eval': {
      const { step, loss, records } = line;
      const accuracy = line['rewards/accuracies'];
      const right =
        accuracy === null ? '' : `, the chosen text the likelier one in ${Math.round(accuracy * 100)} %`;
      return {
        event: 'held-out',
        step,
        says: `${records} held-out pairs: loss ${figure(loss)}, margin ${figure(line['rewards/margins'])}${right}.`,
      };
    }
    case 'checkpoint':
      return { event: 'saved', step: line.step, says: 'Saved, to be gone on with from here.' };
    case 'paused':
      return { event: 'paused', step: line.step, says: 'Waits, as something else needs the processor.' };
    case 'resumed':
      return { event: 'resumed', step: line.step, says: 'Goes on.' };
    case 'warning':
      return { event: 'warning', step: line.step ?? null, says: line.message };
    case 'done':
      return {
        event: 'done',
        step: line.step ?? null,
        says:
          line.reason === 'early-stop'
            ? 'Ended: the held-out pairs gained no more.'
            : line.stopped === true
              ? 'Ended early, as it was asked to.'
              : 'Ended.',
      };
    case 'failed':
      return { event: 'failed', step: null, says: [line.message, line.hint].join(' ').trim() };
    default:
      return null;
  }
}

function figure(value: number | null): string {
  return value === null ? 'not finite' : value.toFixed(3);
}
