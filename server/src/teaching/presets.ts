// Plain names for whole sets of numbers, for those who do not want to know them; every one can be said instead. Pure.
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { TeachSettings, type DatasetSettings, type PhaseSettings } from '../protocol/index.ts';
import { planTraining } from '../training/index.ts';

export const presetNames = ['quick', 'overnight', 'paper'] as const;
export type PresetName = (typeof presetNames)[number];

export type DatasetPreset = Omit<DatasetSettings, 'phase' | 'parts'> & {
  /** Of the prompt set's headings, the first so many. */
  readonly headings: number;
};

/** Temperatures and shares that all presets have. */
const shared = {
  ...{ topic: null, heldoutShare: 0.2, temperature: 0.3, answersTemperature: 0.8, answers: 0 },
} as const;
const short = { headings: 3, partTokens: 80, reflectionTokens: 80, answerTokens: 96 } as const;
const long = { headings: 12, partTokens: 160, reflectionTokens: 160, answerTokens: 256 } as const;

/** What the data is made of. The paper draws three passages a sample. */
export const datasetPresets: Readonly<Record<PresetName, DatasetPreset>> = {
  quick: { ...shared, ...short, chunks: 1, passages: 1, perChunk: 3, judge: 'reference' },
  overnight: { ...shared, ...long, chunks: 1, passages: 3, perChunk: 3, judge: 'both' },
  paper: { ...shared, ...long, chunks: 3, passages: 3, perChunk: 5, judge: 'both' },
};

/** Samples, how often they are made anew, and the answers that are compared in phase II. */
const loops: Readonly<Record<PresetName, Pick<TeachSettings, 'samples' | 'refreshes' | 'answers'>>> = {
  quick: { samples: 64, refreshes: 1, answers: 2 },
  overnight: { samples: 200, refreshes: 1, answers: 4 },
  paper: { samples: 50, refreshes: 6, answers: 4 },
};

export interface ModelShape {
  /** A count. */
  readonly parameters: number;
  /** Longest context, in tokens. */
  readonly trainedContext: number;
}

/** All numbers of a preset for a model of this size. @param headings what thinking starts from */
export function teachPreset(name: PresetName, model: ModelShape, headings: readonly string[]): TeachSettings {
  const { headings: count, answers: _none, ...dataset } = datasetPresets[name];
  return {
    ...loops[name],
    dataset: { ...dataset, parts: headings.slice(0, count) },
    ...{ writerWeight: 2, evaluateEvery: 10 },
    phase1: phaseOf(1, model, 'none'),
    phase2: phaseOf(2, model, 'thinking+reflection'),
  };
}

/** As a run by hand would have it, but for the mask. */
function phaseOf(phase: 1 | 2, model: ModelShape, mask: PhaseSettings['mask']): PhaseSettings {
  const plan = planTraining({ phase }, model);
  const { learningRate, rank, alpha, dropout, beta, epsilon, maxLength, maxPromptLength } = plan;
  const { batch, accumulation, clip, steps } = plan;
  return {
    ...{ learningRate, rank, alpha, dropout, beta, epsilon, maxLength, maxPromptLength },
    ...{ batch, accumulation, clip, steps, mask, maskShare: 1 },
  };
}

/**
 * Settings with some of their numbers said anew: `phase1.learningRate=1e-4`, `dataset.topic=fracture`.
 * @throws PreflexorError `bad-input` with what can be said
 */
export function withValues(settings: TeachSettings, said: readonly string[]): TeachSettings {
  const changed: Record<string, unknown> = structuredClone(settings);
  for (const one of said) {
    const [, name = '', text = ''] = /^([\w.]+)=(.*)$/s.exec(one) ?? [];
    const way = name.split('.');
    const last = way.pop() ?? '';
    const place = way.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), changed);
    if (!isRecord(place) || !(last in place)) throw unknownName(one, settings);
    place[last] = valueOf(text);
  }
  const decoded = TeachSettings.safeParse(changed);
  if (decoded.success) return decoded.data;
  throw new PreflexorError('bad-input', `These settings do not go: ${z.prettifyError(decoded.error)}`, {
    remedy: 'See all of them with --plan.',
    cause: decoded.error,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number, a list or null where it is one, else the words themselves. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unknownName(said: string, settings: TeachSettings): PreflexorError {
  return new PreflexorError('bad-input', `"${said}" sets nothing that there is.`, {
    remedy: `Write NAME=VALUE with one of: ${namesIn(settings).join(', ')}.`,
  });
}

function namesIn(settings: Record<string, unknown>, above = ''): string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    isRecord(value) ? namesIn(value, `${above}${name}.`) : [`${above}${name}`],
  );
}
