// What `preflexor teach` says while it works.
import type { TeachEvent } from '../teaching/index.ts';
import type { TeachEstimate } from '../protocol/index.ts';
import { bytesText, durationText, type Output } from './output.ts';

const stages = { dataset: 'making samples', training: 'training', gate: 'at the gate' } as const;

export function tellTeaching(event: TeachEvent, output: Output): void {
  if (output.json) {
    output.line(event);
    return;
  }
  const said = wordsFor(event);
  if (said === null) return;
  if (event.event === 'sample' || event.event === 'step') output.progress(said);
  else output.write(`${said}\n`);
}

/** What a run would take. */
export function estimateWords({ samples, sampleSeconds, phases, diskBytes }: TeachEstimate): string {
  const making =
    sampleSeconds === null
      ? 'how long one takes shows with the first'
      : `about ${durationText(samples * sampleSeconds)} at ${sampleSeconds.toFixed(1)} s for one that is kept, as in the last run`;
  const free =
    phases[0] && phases[0].availableBytes > 0 ? ` (${bytesText(phases[0].availableBytes)} free)` : '';
  return [
    `Samples: ${samples} and some more that fail their checks, ${making}.`,
    ...phases.map(
      ({ phase, steps, bytes, seconds }) =>
        `Phase ${phase === 1 ? 'I' : 'II'}: ${steps} steps, at most ${durationText(seconds)} and ${bytesText(bytes)} of memory${free}.`,
    ),
    `On the disk: about ${bytesText(diskBytes)}.`,
  ].join('\n');
}

function wordsFor(event: TeachEvent): string | null {
  switch (event.event) {
    case 'stage':
      return `Phase ${event.phase === 1 ? 'I' : 'II'}, refresh ${event.refresh}: ${stages[event.stage]}.`;
    case 'resumed':
      return 'samples' in event
        ? `${event.samples} samples are there, ${event.kept} of them kept.`
        : 'Going on.';
    case 'sample': {
      const question = event.question.replace(/[\s\p{Cc}]+/gu, ' ');
      return `Sample ${event.attempt + 1}: ${event.kept ? question : event.checks.problems.join(', ')}`;
    }
    case 'step':
      return `Step ${event.step}: loss ${event.loss?.toFixed(4) ?? '–'}, ${Math.ceil(event.seconds_remaining)} s left`;
    case 'eval':
      return `Held out after step ${event.step}: loss ${event.loss?.toFixed(4) ?? '–'}, margin ${event['rewards/margins']?.toFixed(4) ?? '–'}`;
    case 'warning':
      return event.message;
    case 'watch': {
      const told = event.findings.filter(({ verdict }) => verdict !== 'fine');
      return told.length === 0
        ? null
        : told.map(({ says, verdict }) => `Watch list (${verdict}): ${says}`).join('\n');
    }
    case 'gate':
      return `${event.adapter}: ${event.why}`;
    case 'verdict':
      return [
        event.offered
          ? `An adapter is offered. Put it into use: preflexor adapters use ${event.adapter ?? ''}`
          : 'No adapter is offered; those that were trained are kept.',
        `The report with its curves: ${event.report}`,
      ].join('\n');
    case 'done':
      return `Trained: ${event.adapter}`;
    default:
      return null;
  }
}
