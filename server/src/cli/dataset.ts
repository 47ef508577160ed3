// preflexor dataset generate: preference pairs out of the writer's own notes and papers.
import path from 'node:path';
import { createShelf } from '../composition.ts';
import type { Engine } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import { ExportRegister } from '../preferences/index.ts';
import type { DatasetSample, DatasetSettings, DatasetSetup, PreferencePair } from '../protocol/index.ts';
import { makeFolders, workspaceKey, workspaceOf, writeDurably } from '../state/index.ts';
import {
  datasetPresets,
  datasetPromptVersion,
  generateDataset,
  pairsOfSamples,
  trlLines,
  type Dataset,
  type DatasetEvent,
  type PresetName,
} from '../teaching/index.ts';
import { noAdapter } from '../training/index.ts';
import { programVersion } from '../version.ts';
import type { Context } from './context.ts';
import { withTeachingTools, type TeachingTools } from './teachingTools.ts';
import { findModel } from './training.ts';

/** Numbers of a dataset that may be said instead of the preset's. */
export interface DatasetOptions {
  readonly preset?: PresetName;
  readonly topic?: string;
  readonly chunks?: number;
  readonly passages?: number;
  readonly perChunk?: number;
  readonly headings?: number;
  readonly judge?: DatasetSettings['judge'];
  readonly heldoutShare?: number;
  readonly sampleTemperature?: number;
  readonly partTokens?: number;
  readonly reflectionTokens?: number;
  readonly answerTokens?: number;
}

export interface GenerateDatasetOptions extends DatasetOptions {
  readonly samples: number;
  readonly out: string;
  readonly phase: '1' | '2';
  readonly answers?: number;
}

/** Seed of a dataset where none is named, so that the same command goes on with what it began. */
export const usualSeed = 1;

export async function generateDatasetCommand(
  options: GenerateDatasetOptions,
  context: Context,
): Promise<void> {
  const { home, signal, output } = context;
  const { workspace } = context.options;
  const root = await workspaceOf({ home, ...(workspace !== undefined && { workspace }) });
  const out = path.resolve(options.out);
  const adapter = await presentAdapter(context);
  const done = await withTeachingTools(root, context, async (tools) => {
    await requireIndex(tools, root);
    const { answers = 0, phase } = options;
    const settings = { ...datasetSettings(options, tools), phase: phase === '1' ? 1 : 2, answers } as const;
    const open = tools.open(adapter, answers > 1 && settings.judge !== 'reference');
    try {
      const setup = await setupOf(open.student, settings, context);
      const request = { setup, samples: options.samples, log: `${out}.log`, earlier: null, heldout: null };
      return await follow(generateDataset(request, open.ports, signal), options.samples, context);
    } finally {
      await open.close();
    }
  });
  const files = await writePairs(done.samples, { root, out }, context);
  const kept = done.samples.filter((sample) => sample.kept).length;
  const { end, refused, diversity } = done;
  const event = { event: 'done', kept, refused, diversity, end, files };
  if (output.json) output.line(event);
  else
    output.result(
      event,
      [end.message, ...readable(done), `The pairs are in ${files.join(' and ') || 'no file'}.`].join('\n'),
    );
  if (kept === 0) {
    throw new PreflexorError('bad-input', `No sample could be used. ${end.message}`, {
      remedy: `What was wrong with each stands in ${out}.log. Try a larger model, or notes with more text.`,
    });
  }
}

/** The preset's numbers, or those that were said. */
export function datasetSettings(
  options: DatasetOptions,
  { prompts }: TeachingTools,
): Omit<DatasetSettings, 'phase' | 'answers'> {
  const { headings, answers: _none, ...preset } = datasetPresets[options.preset ?? 'quick'];
  return {
    ...preset,
    parts: prompts.thinkingParts.slice(0, options.headings ?? headings),
    topic: options.topic ?? preset.topic,
    chunks: options.chunks ?? preset.chunks,
    passages: options.passages ?? preset.passages,
    perChunk: options.perChunk ?? preset.perChunk,
    judge: options.judge ?? preset.judge,
    heldoutShare: options.heldoutShare ?? preset.heldoutShare,
    temperature: options.sampleTemperature ?? preset.temperature,
    partTokens: options.partTokens ?? preset.partTokens,
    reflectionTokens: options.reflectionTokens ?? preset.reflectionTokens,
    answerTokens: options.answerTokens ?? preset.answerTokens,
  };
}

export async function setupOf(
  student: Engine,
  settings: DatasetSettings,
  { options, output, signal }: Context,
): Promise<DatasetSetup> {
  const { identity, adapter } = await student.load(signal, (reason) => output.progress(reason));
  return {
    ...{ version: programVersion, seed: options.seed ?? usualSeed, model: identity, adapter },
    ...{ prompts: datasetPromptVersion, settings },
  };
}

export async function requireIndex({ library }: TeachingTools, root: string): Promise<void> {
  if (await library.isIndexed(root)) return;
  throw new PreflexorError('bad-input', `The folder ${root} has not been indexed.`, {
    remedy: `Run: preflexor index ${JSON.stringify(root)}`,
  });
}

/** The adapter that was named, else the one in use on the model; null: none. */
async function presentAdapter(context: Context): Promise<string | null> {
  const { adapter, engineUrl } = context.options;
  if (adapter !== undefined) return adapter === noAdapter ? null : adapter;
  if (engineUrl !== undefined) return null;
  const shelf = createShelf(context.home);
  return (await shelf.active(await findModel(context)))?.name ?? null;
}

/** Shows each sample as it is made. */
export async function follow(
  events: AsyncGenerator<DatasetEvent, Dataset>,
  wanted: number,
  { output }: Context,
): Promise<Dataset> {
  let kept = 0;
  let made = 0;
  for (;;) {
    const step = await events.next();
    if (step.done) return step.value;
    const event = step.value;
    if (output.json) output.line(event);
    if (event.event === 'resumed') {
      ({ kept, samples: made } = event);
      output.say(`Going on: ${event.samples} samples are there, ${kept} of them kept.`);
      continue;
    }
    made += 1;
    kept += event.kept ? 1 : 0;
    if (!output.json) output.progress(`${kept} of ${wanted} kept, ${made} made: ${lineOf(event)}`);
  }
}

function lineOf({ kept, checks, question }: DatasetSample): string {
  const why = kept ? '' : `(${checks.problems.join(', ')}) `;
  return `${why}${question.replace(/[\s\p{Cc}]+/gu, ' ')}`;
}

/** Pairs to train on at `out`, those held out beside it. */
async function writePairs(
  samples: readonly DatasetSample[],
  { root, out }: { readonly root: string; readonly out: string },
  context: Context,
): Promise<string[]> {
  const pairs = pairsOfSamples(samples);
  const { dir, name, ext } = path.parse(out);
  const written: string[] = [];
  for (const [split, file] of [
    ['train', out],
    ['held-out', path.join(dir, `${name}.heldout${ext}`)],
  ] as const) {
    const own = pairs.filter((pair) => pair.split === split);
    if (own.length === 0) continue;
    await writePairsFile(file, own, root, context);
    written.push(file);
  }
  return written;
}

/** Writes a pairs file. Which notes it was made from is remembered first: an adapter trained on it can be told then. */
export async function writePairsFile(
  file: string,
  pairs: readonly PreferencePair[],
  root: string,
  { home, signal }: Pick<Context, 'home' | 'signal'>,
): Promise<void> {
  const content = await trlLines(pairs, null, signal);
  const notes = new Set(
    pairs.flatMap(({ note, passages }) => [
      ...(note ? [note.path] : []),
      ...passages.map(({ source }) => source),
    ]),
  );
  const time = new Date().toISOString();
  await new ExportRegister(home).add(content, { workspace: await workspaceKey(root), notes, time });
  await makeFolders(path.dirname(file));
  await writeDurably(file, content);
}

function readable({ refused, diversity }: Dataset): string[] {
  const reasons = Object.entries(refused).map(([reason, count]) => `${count} ${reason}`);
  const { documents, chunks, chosenWords, rejectedWords } = diversity;
  return [
    ...(reasons.length > 0 ? [`Set aside: ${reasons.join(', ')}.`] : []),
    `From ${documents.used} of ${documents.of} notes, ${chunks.used} of ${chunks.of} passages; chosen ${Math.round(chosenWords)} words, rejected ${Math.round(rejectedWords)}.`,
  ];
}
