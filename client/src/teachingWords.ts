// What the status item, its menu and the questions say of teaching and of adapters. Pure.
import type {
  AdapterListing,
  AdaptersState,
  TeachingEstimate,
  TeachingStatus,
} from '../../server/src/protocol/index.ts';
import { bytes } from './statusWords.ts';

/** What the context key `preflexor.teaching` holds. */
export type TeachingMood = 'off' | 'idle' | 'busy' | 'paused' | 'held' | 'failed';

export function moodOf({ state, mode, elsewhere }: TeachingStatus): TeachingMood {
  if (elsewhere) return 'held';
  if (state === 'idle') return mode === 'off' ? 'off' : 'idle';
  return state === 'paused' || state === 'held' || state === 'failed' ? state : 'busy';
}

export interface TeachingWords {
  /** With one icon. */
  readonly text: string;
  /** For screen readers, and as a tooltip. */
  readonly spoken: string;
  readonly warns: boolean;
}

/** null: there is nothing to say. */
export function teachingWords(status: TeachingStatus): TeachingWords | null {
  const { state, says, offer, step, steps, stage } = status;
  const said = (icon: string, text: string, warns = false): TeachingWords => {
    return { text: `$(${icon}) ${text}`, spoken: `PRefLexOR: ${text}. ${says}`, warns };
  };
  switch (state) {
    case 'idle':
      if (!offer) return null;
      return {
        ...said('mortar-board', 'A better adapter is ready'),
        spoken: `PRefLexOR: ${offer.adapter} is ready`,
      };
    case 'starting':
      return said('mortar-board', 'Learning begins');
    case 'running':
      if (status.elsewhere) return said('mortar-board', 'Learning in another window');
      if (stage === 'training' && step !== null && steps !== null)
        return said('mortar-board', `Learning · ${Math.floor((100 * step) / steps)} %`);
      return said('mortar-board', stage === 'dataset' ? 'Learning · making samples' : 'Learning');
    case 'yielding':
      return said('mortar-board', 'Learning makes way for you');
    case 'stopping':
      return said('mortar-board', 'Learning stops');
    case 'paused':
      return said('debug-pause', 'Learning is paused');
    case 'held':
      return said('mortar-board', 'Learning waits');
    case 'failed':
      return said('warning', 'Learning broke off', true);
  }
}

/** What is asked before teaching starts. */
export function startQuestion(estimate: TeachingEstimate): {
  readonly message: string;
  readonly detail: string;
} {
  const { bytes: needed, availableBytes, trainingSeconds, samplesSeconds, samples, writerPairs } = estimate;
  const pairs = writerPairs === 1 ? '1 pair of your own' : `${writerPairs} pairs of your own`;
  const free = availableBytes > 0 ? ` of ${bytes(availableBytes)} that are free` : '';
  const making =
    samplesSeconds === null
      ? 'How long making the samples takes is not known before the first run.'
      : `Making the samples takes about ${duration(samplesSeconds)}.`;
  return {
    message: `Teach the model from this folder: ${samples} samples from your notes, and ${pairs}?`,
    detail:
      `Training takes at most about ${duration(trainingSeconds)} and ${bytes(needed)}${free}, and ` +
      `${bytes(estimate.diskBytes)} on the disk. ${making} It makes way whenever you work with the model, and ` +
      'nothing leaves this machine. What comes of it is used only when you say so.',
  };
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} seconds`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;
}

export interface AdapterWords {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

export function adapterWords(adapter: AdapterListing): AdapterWords {
  const { id, created, active, fits, origin, heldout, verdict, forgotten, base } = adapter;
  const figures =
    heldout?.accuracy === null || heldout?.accuracy === undefined
      ? []
      : [`${Math.round(heldout.accuracy * 100)} % of held-out pairs`];
  const judged = verdict === null ? [] : [verdict.offered ? 'offered by the gate' : 'kept by the gate'];
  const trouble = [
    ...(fits ? [] : [`belongs to another model: ${base.id}`]),
    ...(forgotten ? ['learnt from something that you had forgotten since'] : []),
  ];
  return {
    label: `$(${active ? 'check' : fits ? 'blank' : 'circle-slash'}) ${id}`,
    description: [created.slice(0, 10), origin].join(' · '),
    detail: [...figures, ...judged, ...trouble].join(' · '),
  };
}

/** By the name that people read. */
export function adapterName(adapter: string | null): string {
  return adapter ?? 'the model without adapter';
}

export function inUseText({ active, model }: Pick<AdaptersState, 'active' | 'model'>): string {
  return `${model.id} now runs ${active === null ? 'without adapter' : `with ${active}`}.`;
}
