// What is remembered of model files: beside each downloaded one, that it was verified and how it looked then;
// in models.json, the files elsewhere that the user added. Reads and writes these records, nothing else.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PreflexorError } from '../../errors.ts';
import { EmbedderPrefixes, MarkerProfile, Sha256 } from '../../protocol/index.ts';
import { isMissing, withLock, writeDurably } from '../../state/index.ts';
import { diskError, type FileStamp } from './files.ts';

/** Size, time of last change, and the hash that the file had then. */
const Verified = z.object({
  bytes: z.int().nonnegative(),
  mtimeMs: z.number(),
  sha256: Sha256,
});
export type Verified = z.infer<typeof Verified>;

const VerifiedFile = Verified.extend({ schema: z.literal(1) });

/** The record beside a downloaded file; null when there is none, or none that can be understood. */
export async function readVerified(file: string): Promise<Verified | null> {
  const text = await readFile(recordPath(file), 'utf8').catch(() => null);
  if (text === null) return null;
  const parsed = VerifiedFile.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

export async function writeVerified(file: string, stamp: FileStamp, sha256: string): Promise<void> {
  await writeDurably(recordPath(file), `${JSON.stringify({ schema: 1, ...stamp, sha256 })}\n`);
}

export function recordPath(file: string): string {
  return `${file}.verified.json`;
}

const added = {
  ...Verified.shape,
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  name: z.string(),
  path: z.string(),
  license: z.string(),
  /** Memory with a context of 4,096 tokens (of an encoder, with its longest input), by the file's header. */
  estimatedBytes: z.int().nonnegative(),
};

/** A file of the user's own, where it is. Records of the first version are of language models and do not say so. */
export const AddedModel = z.union([
  z.object({
    ...added,
    kind: z.literal('language').default('language'),
    markers: MarkerProfile,
    chatTemplate: z.string(),
  }),
  z.object({
    ...added,
    kind: z.literal('embedder'),
    prefixes: EmbedderPrefixes,
    maxTokens: z.int().positive(),
  }),
  z.object({ ...added, kind: z.literal('reranker'), maxTokens: z.int().positive() }),
]);
export type AddedModel = z.infer<typeof AddedModel>;

const Registry = z.object({ schema: z.literal(1), models: z.array(AddedModel) });

/** The models of models.json. Throws `bad-input` when the file cannot be understood: it may hold much work. */
export async function readAdded(folder: string): Promise<readonly AddedModel[]> {
  const path = join(folder, 'models.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return [];
    throw diskError(error, path);
  }
  const parsed = Registry.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.models;
  throw new PreflexorError('bad-input', `The list of your own models, ${path}, cannot be understood.`, {
    remedy: 'Correct it, or delete it and add your models again.',
    cause: parsed.error,
  });
}

/** Reads, changes and writes models.json, one process at a time. */
export async function changeAdded<T>(
  folder: string,
  change: (models: readonly AddedModel[]) => { models: readonly AddedModel[]; result: T },
): Promise<T> {
  const path = join(folder, 'models.json');
  return await withLock([`${path}.lock`], async () => {
    const { models, result } = change(await readAdded(folder));
    await writeDurably(path, `${JSON.stringify({ schema: 1, models }, null, 2)}\n`);
    return result;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
