// What a run has to do: the differences between what the index knows and what is on the disk.
// Reads a file only where size and time do not tell: to recognise a moved file, and among LaTeX files.
import type { DocumentRecord } from '../ports.ts';
import { findDependencies, type Dependencies } from './dependencies.ts';
import { hashOf } from './fileReading.ts';
import type { IndexParts, IndexRequest } from './parts.ts';
import { mapAll } from './pipeline.ts';
import { isPart, partRecord, sameStat } from './records.ts';
import { coveredBy, type ScanResult } from './scan.ts';
import type { ScannedFile } from './workspaceWalker.ts';
import { Turns } from './yielding.ts';

/** A file that has to be looked into. */
export interface WorkItem {
  readonly file: ScannedFile;
  readonly previous: DocumentRecord | null;
  /** Read it even when its bytes are the same: something that it takes in is not. */
  readonly forced: boolean;
}

export interface Plan {
  readonly renames: readonly { readonly from: string; readonly to: DocumentRecord }[];
  readonly removed: readonly DocumentRecord[];
  /** Records of files that stand under another document, where they are new or out of date. */
  readonly parts: readonly DocumentRecord[];
  readonly work: readonly WorkItem[];
  /** Documents about which there is nothing to do. */
  readonly unchanged: number;
}

/** Records by path, the request, and what the scan found for it. */
export interface PlanQuestion {
  readonly records: ReadonlyMap<string, DocumentRecord>;
  readonly request: IndexRequest;
  readonly scan: ScanResult;
}

/**
 * The paths that a request is about. Where LaTeX is concerned, all LaTeX files are: what stands under what
 * cannot be told from one of them.
 */
export function scopeOf(
  paths: readonly string[] | null,
  records: ReadonlyMap<string, DocumentRecord>,
  parts: Pick<IndexParts, 'reader'>,
): readonly string[] | null {
  if (paths === null || paths.includes('')) return null;
  const asked = new Set(paths);
  const entangled = new Set<string>();
  for (const record of records.values()) {
    if (record.kind === 'latex' || isPart(record)) entangled.add(record.path);
    for (const { path } of record.dependencies) entangled.add(record.path).add(path);
  }
  const concerned =
    paths.some((path) => parts.reader.kindOf(path) === 'latex') ||
    [...entangled].some((path) => coveredBy(path, asked));
  return concerned ? [...new Set([...asked, ...entangled])] : [...asked];
}

/** @throws PreflexorError `cancelled` */
export async function planRun(question: PlanQuestion, parts: IndexParts, signal: AbortSignal): Promise<Plan> {
  const { records, request, scan } = question;
  const turns = new Turns(filesPerTurn, parts.giveTurn);
  const { gone, fresh, latex, latexChanged } = await differences(question, parts, turns);
  const dependencies = await findDependencies(
    { records, files: scan.files, latex, changed: request.changed, anyChange: latexChanged },
    parts,
    signal,
  );
  const renames = await findRenames({ gone, fresh, parts: dependencies.parts }, parts, signal);
  const moved = new Set(renames.flatMap(({ from, to }) => [from, to.path]));
  return {
    renames,
    // A part need not be among the files that the globs take in.
    removed: gone.filter(({ path }) => !moved.has(path) && !dependencies.parts.has(path)),
    parts: await partsToRecord(records, dependencies, parts),
    ...(await workOf(question, dependencies, moved, turns)),
  };
}

/** Comparing many thousands of files takes a while, though none of them is looked into. */
const filesPerTurn = 500;

interface Differences {
  /** Records of files that are not there any more. */
  readonly gone: readonly DocumentRecord[];
  /** Files that no record speaks of. */
  readonly fresh: readonly ScannedFile[];
  readonly latex: readonly string[];
  readonly latexChanged: boolean;
}

async function differences(question: PlanQuestion, parts: IndexParts, turns: Turns): Promise<Differences> {
  const { records, request, scan } = question;
  const scope = new Set(request.paths ?? ['']);
  const isLatex = (path: string): boolean => parts.reader.kindOf(path) === 'latex';
  const gone: DocumentRecord[] = [];
  for (const record of records.values()) {
    await turns.step();
    const { path } = record;
    if (!scan.files.has(path) && coveredBy(path, scope) && !coveredBy(path, scan.unknown)) gone.push(record);
  }
  const [fresh, latex]: [ScannedFile[], string[]] = [[], []];
  let latexChanged = gone.some(({ path }) => isLatex(path));
  for (const file of scan.files.values()) {
    await turns.step();
    if (!records.has(file.path)) fresh.push(file);
    if (!isLatex(file.path)) continue;
    latex.push(file.path);
    latexChanged ||= !records.has(file.path) || looksChanged(file, records, request);
  }
  return { gone, fresh, latex, latexChanged };
}

function looksChanged(
  file: ScannedFile,
  records: ReadonlyMap<string, DocumentRecord>,
  request: IndexRequest,
): boolean {
  const record = records.get(file.path);
  return record !== undefined && (!sameStat(record, file) || request.changed.has(file.path));
}

async function workOf(
  { records, request, scan }: PlanQuestion,
  dependencies: Dependencies,
  moved: ReadonlySet<string>,
  turns: Turns,
): Promise<Pick<Plan, 'work' | 'unchanged'>> {
  const work: WorkItem[] = [];
  let unchanged = 0;
  for (const file of scan.files.values()) {
    await turns.step();
    if (dependencies.parts.has(file.path) || moved.has(file.path)) continue;
    const previous = records.get(file.path) ?? null;
    const forced = dependencies.outdated.has(file.path) || (previous !== null && isPart(previous));
    if (previous === null || forced || looksChanged(file, records, request))
      work.push({ file, previous, forced });
    else if (previous.refusal === null) unchanged += 1;
  }
  return { work, unchanged };
}

async function partsToRecord(
  records: ReadonlyMap<string, DocumentRecord>,
  dependencies: Dependencies,
  parts: IndexParts,
): Promise<DocumentRecord[]> {
  const changed: DocumentRecord[] = [];
  for (const [path, parent] of dependencies.parts) {
    const file = await dependencies.current(path);
    if (!file) continue;
    const wanted = partRecord(file, await dependencies.hash(path), parts.reader.kindOf(path), parent);
    const known = records.get(path);
    if (!known || !saysTheSame(known, wanted)) changed.push(wanted);
  }
  return changed;
}

function saysTheSame(a: DocumentRecord, b: DocumentRecord): boolean {
  return a.hash === b.hash && a.refusal?.reason === b.refusal?.reason && sameStat(a, b);
}

/**
 * Files that went away and came back under another name. Only where nothing but the path can differ: the bytes,
 * the time and the ending are the same, it takes in no other file, and its title is not made of its name.
 * Everything else is read again, and finds its vectors by their texts.
 */
async function findRenames(
  candidates: {
    readonly gone: readonly DocumentRecord[];
    readonly fresh: readonly ScannedFile[];
    readonly parts: ReadonlyMap<string, string>;
  },
  parts: IndexParts,
  signal: AbortSignal,
): Promise<Plan['renames']> {
  const byStat = new Map<string, DocumentRecord[]>();
  for (const record of candidates.gone) {
    if (record.dependencies.length > 0 || isPart(record) || record.kind === 'latex') continue;
    const key = statKey(record);
    const alike = byStat.get(key);
    if (alike) alike.push(record);
    else byStat.set(key, [record]);
  }
  const likely = candidates.fresh.filter(
    (file) => byStat.has(statKey(file)) && !candidates.parts.has(file.path),
  );
  const hashed = await mapAll(likely, parts.limits.filesAhead, async (file) => {
    await parts.gate.pass(signal);
    const read = await parts.walker.read(file.path).catch(() => null);
    return { file, hash: read && sameFile(read.file, file) ? await hashOf(read.bytes) : null };
  });
  const renames: { from: string; to: DocumentRecord }[] = [];
  for (const { file, hash } of hashed) {
    const records = byStat.get(statKey(file)) ?? [];
    const index = records.findIndex((record) => record.hash === hash && keepsTitle(record, file.path));
    const [record] = index < 0 ? [] : records.splice(index, 1);
    if (record) renames.push({ from: record.path, to: { ...record, path: file.path } });
  }
  return renames;
}

function statKey({ path, bytes, modified }: ScannedFile): string {
  return `${bytes} ${modified} ${endingOf(path)}`;
}

function sameFile(a: ScannedFile, b: ScannedFile): boolean {
  return a.bytes === b.bytes && a.modified === b.modified;
}

function endingOf(path: string): string {
  return /\.[^./]*$/.exec(path)?.[0].toLowerCase() ?? '';
}

/** A title that says the same as the file's name may be made of it; then it changes with the name. */
function keepsTitle(record: DocumentRecord, path: string): boolean {
  const [old, now] = [nameOf(record.path), nameOf(path)];
  return old === now || plain(record.title) !== plain(old);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}
