// preflexor index: brings the index of notes and papers up to date, and says why a file is not in it.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import type { FailedFile, IndexedAnswer, IndexReport } from '../protocol/index.ts';
import { relativeNotePath, workspaceOf } from '../state/index.ts';
import type { Context } from './context.ts';

export interface IndexOptions {
  /** Says why this file is not indexed, and indexes nothing. */
  readonly why?: string;
}

/** How far a run is. */
export interface IndexStep {
  readonly state: 'scanning' | 'indexing';
  readonly done: number;
  readonly total: number;
  readonly chunks: number;
}

/** The index of one workspace, as this command needs it. */
export interface OpenRetrieval {
  /** `paths`: files and folders relative to the workspace; null: all of it. */
  index(
    paths: readonly string[] | null,
    onStep: (step: IndexStep) => void,
    signal: AbortSignal,
  ): Promise<IndexReport>;
  explain(file: string, signal: AbortSignal): Promise<IndexedAnswer>;
  close(): Promise<void>;
}

/** Opens the index of a workspace folder; composition.ts has the real one. */
export type OpenRetrievalOf = (root: string, context: Context) => Promise<OpenRetrieval>;

/**
 * Indexes folders (the current one by default), each in the index of the workspace that it lies in.
 * Errors: `bad-input` for what is not there or lies outside of `--workspace`; and those of the run.
 */
export async function indexCommand(
  folders: readonly string[],
  options: IndexOptions,
  context: Context,
  open: OpenRetrievalOf,
): Promise<void> {
  if (options.why !== undefined) {
    const answer = await explainFile(options.why, folders[0], context, open);
    context.output.result(answer, `${answer.path}: ${answer.reason}`);
    return;
  }
  const workspaces = await byWorkspace(folders.length > 0 ? folders : ['.'], context);
  const reports: IndexReport[] = [];
  for (const [root, paths] of workspaces) {
    const report = await withRetrieval(root, context, open, (retrieval) =>
      retrieval.index(
        paths.includes('') ? null : paths,
        (step) => context.output.progress(stepText(step)),
        context.signal,
      ),
    );
    reports.push(workspaces.size > 1 ? withRoot(root, report) : report);
  }
  const report = together(reports);
  context.output.result(report, readable(report));
}

/** The index that is asked is that of the folder, else that of the file. */
async function explainFile(
  file: string,
  folder: string | undefined,
  context: Context,
  open: OpenRetrievalOf,
): Promise<IndexedAnswer> {
  const { workspace } = context.options;
  const root = await workspaceOf({
    home: context.home,
    ...(workspace !== undefined && { workspace }),
    ...(folder === undefined ? { note: file } : { folder }),
  });
  return await withRetrieval(root, context, open, (retrieval) =>
    retrieval.explain(path.resolve(file), context.signal),
  );
}

async function withRetrieval<T>(
  root: string,
  context: Context,
  open: OpenRetrievalOf,
  work: (retrieval: OpenRetrieval) => Promise<T>,
): Promise<T> {
  const retrieval = await open(root, context);
  try {
    return await work(retrieval);
  } finally {
    await retrieval.close();
  }
}

/** The workspaces of the folders, each with what is to be indexed in it; '' is all of it. */
async function byWorkspace(folders: readonly string[], context: Context): Promise<Map<string, string[]>> {
  const workspaces = new Map<string, string[]>();
  for (const folder of folders) {
    const absolute = path.resolve(folder);
    const stats = await stat(absolute).catch(() => null);
    if (!stats) throw new PreflexorError('bad-input', `There is no ${folder}.`, { remedy: 'Name a folder.' });
    const { workspace } = context.options;
    const root = await workspaceOf({
      home: context.home,
      ...(workspace !== undefined && { workspace }),
      ...(stats.isDirectory() ? { folder: absolute } : { note: absolute }),
    });
    const inside = path.relative(root, absolute) === '' ? '' : relativeNotePath(root, absolute);
    workspaces.set(root, [...(workspaces.get(root) ?? []), inside]);
  }
  return workspaces;
}

/** Several reports as one. */
function together(reports: readonly IndexReport[]): IndexReport {
  const sum = (value: (report: IndexReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0);
  return {
    files: {
      added: sum(({ files }) => files.added),
      changed: sum(({ files }) => files.changed),
      removed: sum(({ files }) => files.removed),
      renamed: sum(({ files }) => files.renamed),
      unchanged: sum(({ files }) => files.unchanged),
      failed: reports.flatMap(({ files }) => files.failed),
    },
    chunks: sum(({ chunks }) => chunks),
    embedded: sum(({ embedded }) => embedded),
    seconds: sum(({ seconds }) => seconds),
  };
}

/** With more than one workspace, a relative path alone does not say which file is meant. */
function withRoot(root: string, report: IndexReport): IndexReport {
  const failed = report.files.failed.map((file) => ({ ...file, path: path.join(root, file.path) }));
  return { ...report, files: { ...report.files, failed } };
}

const barWidth = 24;

function stepText({ state, done, total, chunks }: IndexStep): string {
  if (state === 'scanning') return 'Looking at the files';
  const share = total === 0 ? 1 : done / total;
  const full = Math.round(share * barWidth);
  const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`;
  return `${bar} ${done} of ${total} files, ${chunks} passages`;
}

function readable({ files, chunks, embedded, seconds }: IndexReport): string {
  const counts: [number, string][] = [
    [files.added, 'new'],
    [files.changed, 'changed'],
    [files.renamed, 'renamed'],
    [files.removed, 'removed'],
    [files.unchanged, 'as they were'],
  ];
  const told = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [
    `Files: ${told.join(', ') || 'none'}.`,
    `${chunks} passages in the index; ${embedded} embedded now, in ${seconds.toFixed(1)} s.`,
    ...failures(files.failed),
  ].join('\n');
}

/** A long list would push the counts off the screen; `--json` has it whole. */
const mostShown = 20;

function failures(failed: readonly FailedFile[]): string[] {
  if (failed.length === 0) return [];
  const more =
    failed.length > mostShown ? [`  and ${failed.length - mostShown} more (--json lists all)`] : [];
  return [
    'Not indexed:',
    ...failed.slice(0, mostShown).map((file) => `  ${file.path}: ${file.reason}`),
    ...more,
  ];
}
