// preflexor pairs: list, check, import, export.
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import {
  checkPairs,
  defaultSplit,
  folderFormats,
  importPairs,
  type CheckPorts,
} from '../preferences/index.ts';
import { PairSignal, type PairFormat, type PairProblem, type PreferencePair } from '../protocol/index.ts';
import { workspaceOf } from '../state/index.ts';
import {
  drawRejected,
  exportTo,
  importFrom,
  Stores,
  workspacePairs,
  type WorkspacePairs,
} from '../workflow/index.ts';
import { settingsOf, withEngine, type Context } from './context.ts';

/** Which pairs a command is about. */
export interface SelectOptions {
  readonly note?: string;
  readonly signal?: PairSignal[];
  readonly split?: 'train' | 'held-out' | 'all';
  /** Minutes. */
  readonly quiet?: number;
  readonly heldoutSince?: string;
}

async function rootOf({ options, home }: Context): Promise<string> {
  const { workspace } = options;
  return await workspaceOf({ home, ...(workspace !== undefined && { workspace }) });
}

async function selected(
  options: SelectOptions,
  context: Context,
): Promise<WorkspacePairs & { root: string }> {
  const root = await rootOf(context);
  const now = Date.now();
  const since = options.heldoutSince === undefined ? null : timeOf(options.heldoutSince);
  const record = settingsOf(context.options)['preferences.record'];
  const request = {
    ...{ root, now, record, split: { ...defaultSplit, since } },
    ...(options.quiet !== undefined && { quietMs: options.quiet * 60_000 }),
  };
  const found = await workspacePairs(request, new Stores(context.home, Date.now), context.signal);
  for (const { file, line, reason } of found.problems) {
    context.output.say(`${file}${line === null ? '' : `, line ${line}`}: set aside, ${reason}.`);
  }
  const { note, signal, split = 'all' } = options;
  const pairs = found.pairs.filter(
    (pair) =>
      (note === undefined || pair.note?.path === note) &&
      (signal === undefined || signal.includes(pair.signal)) &&
      (split === 'all' || pair.split === split),
  );
  return { ...found, pairs, root };
}

function timeOf(text: string): string {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new PreflexorError('bad-input', `"${text}" is not a time.`, { remedy: 'Write it as 2026-11-24.' });
}

/** All pairs, derived anew, with those that were imported. */
export async function listPairsCommand(options: SelectOptions, context: Context): Promise<void> {
  const { pairs } = await selected(options, context);
  context.output.result(pairs, pairs.map(readable).join('\n') || 'No pairs yet.');
}

function readable({ id, signal, split, consent, note, chosen, rejected, curation }: PreferencePair): string {
  const sides = [chosen, rejected].map((text) => (text === null ? '–' : oneLine(text)));
  const marks = [
    ...(consent === 'withdrawn' ? [' (recording is off)'] : []),
    ...(curation && curation.excluded !== null ? [` (excluded${reasonText(curation.excluded)})`] : []),
    ...(curation ? curation.tags.map((tag) => ` #${oneLine(tag)}`) : []),
  ];
  const mark = marks.join('');
  return `${id}  ${signal}  ${split}  ${note?.path ?? 'imported'}${mark}\n  + ${sides[0] ?? ''}\n  - ${sides[1] ?? ''}`;
}

function reasonText(reason: string): string {
  return reason === '' ? '' : `: ${oneLine(reason)}`;
}

/** The end of a completion, where the answer is, without what a terminal would obey. */
function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length <= 100 ? line : `…${line.slice(-99)}`;
}

export interface CheckOptions extends SelectOptions {
  /** A file to be checked instead of the workspace's pairs. */
  readonly file?: string;
  readonly maxTokens?: number;
  /** Left out: near-duplicates are looked for where there is an embedder. */
  readonly similar?: boolean;
}

/** Gives `work` what checks need of models: an embedder, and the tokenizer of the model that is to be trained. */
export type WithCheckPorts = <T>(
  context: Context,
  root: string,
  wanted: { readonly embed: 'always' | 'where-there-is-one' | 'never'; readonly maxTokens: number | null },
  work: (ports: CheckPorts) => Promise<T>,
) => Promise<T>;

export async function checkPairsCommand(
  options: CheckOptions,
  context: Context,
  withPorts: WithCheckPorts,
): Promise<void> {
  const { pairs, root } =
    options.file === undefined ? await selected(options, context) : await ofFile(options.file, context);
  const embed = options.similar === undefined ? 'where-there-is-one' : options.similar ? 'always' : 'never';
  const wanted = { embed, maxTokens: options.maxTokens ?? null } as const;
  const kept = pairs.filter(({ curation }) => (curation?.excluded ?? null) === null);
  const problems = await withPorts(context, root, wanted, (ports) => checkPairs(kept, ports, context.signal));
  const counts = Object.fromEntries(
    [...Map.groupBy(problems, ({ code }) => code)].map(([code, found]) => [code, found.length]),
  );
  const lines = problems.map(problemText);
  const end = `${kept.length} pairs, ${problems.length} findings.`;
  context.output.result({ pairs: kept.length, counts, problems }, [...lines, end].join('\n'));
}

function problemText({ code, pairs, message }: PairProblem): string {
  return `${code}: ${message}${pairs.length > 0 ? ` (${pairs.join(', ')})` : ''}`;
}

async function ofFile(
  file: string,
  context: Context,
): Promise<{ pairs: readonly PreferencePair[]; root: string }> {
  const imported = await importPairs(file, { now: Date.now(), split: defaultSplit }, context.signal);
  sayRefused(imported.refused, context);
  return { pairs: imported.pairs, root: await rootOf(context) };
}

/** Takes pairs of a file, or a folder, into the workspace. */
export async function importPairsCommand(file: string, context: Context): Promise<void> {
  const root = await rootOf(context);
  const result = await importFrom({ root, file, now: Date.now() }, context.signal);
  const { imported, known, refused } = result;
  sayRefused(refused, context);
  context.output.result(result, `${imported} pairs imported, ${known} were here, ${refused.length} refused.`);
}

function sayRefused(
  refused: readonly { file: string; line: number; reason: string }[],
  { output }: Context,
): void {
  for (const { file, line, reason } of refused) output.say(`${file}, line ${line}: refused, ${reason}.`);
}

export interface ExportOptions extends SelectOptions {
  readonly format: PairFormat;
  readonly strict?: boolean;
  /** The current model answers for what was accepted with nothing to compare with. */
  readonly draw?: boolean;
}

/** Writes pairs to a file, or a folder where the format is one. A folder that is there is filled, not emptied. */
export async function exportPairsCommand(
  target: string,
  options: ExportOptions,
  context: Context,
): Promise<void> {
  const { pairs: found, root } = await selected(options, context);
  const { format, strict = false } = options;
  const pairs = options.draw === true ? await drawn(found, context) : found;
  const place = path.resolve(target);
  const done = await exportTo({ root, home: context.home, pairs, place, format, strict }, context.signal);
  const { files, exported, leftOut } = done;
  const result = { format, strict, files, exported, leftOut };
  const reasons = [...Map.groupBy(leftOut, ({ reason }) => reason)].map(
    ([reason, left]) => `${left.length} left out: ${reason}.`,
  );
  const where = folderFormats.has(format) ? `the folder ${place}` : place;
  context.output.result(result, [`${exported} pairs are in ${where}.`, ...reasons].join('\n'));
}

/** The model is loaded only where there is something to be drawn. */
async function drawn(pairs: readonly PreferencePair[], context: Context): Promise<readonly PreferencePair[]> {
  if (!pairs.some(({ wants }) => wants === 'rejected')) return pairs;
  const settings = settingsOf(context.options);
  const { output, options, signal } = context;
  const how = {
    temperature: settings['reasoning.temperature'],
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 31),
    onStep: (done: number, of: number) => {
      output.progress(`Rejected texts of the present model: ${done} of ${of}`);
    },
  };
  return await withEngine(context, settings, (model) => drawRejected(pairs, model, how, signal));
}
