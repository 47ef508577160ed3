// Training as its doors and its files show it: preference pairs, runs, adapters, events.
// Must not import anything that runs.
import { z } from 'zod';
import { GateVerdict } from './gate.ts';
import { ModelIdentity } from './reasoning.ts';
import { Sha256 } from './models.ts';
import { AnchorKind, TrainerLoss } from './trainer.ts';

/** One turn, under the name that TRL's conversational format gives its text. */
export const PairMessage = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
});
export type PairMessage = z.infer<typeof PairMessage>;

const Turns = z.array(PairMessage).min(1).max(64);

/**
 * One line of a pairs file, in TRL's conversational or standard form. A plain string as prompt is a user's turn, as
 * completion the assistant's. `completion` with `label` is TRL's unpaired form, for KTO.
 */
export const PairLine = z.object({
  prompt: z.union([z.string().min(1), Turns]),
  chosen: z.union([z.string(), Turns]).optional(),
  rejected: z.union([z.string(), Turns]).optional(),
  completion: z.union([z.string(), Turns]).optional(),
  label: z.boolean().optional(),
});
export type PairLine = z.infer<typeof PairLine>;

/** Which tokens of a completion the loss leaves out, or (`answer-only`) alone looks at. */
export const MaskKind = z.enum(['none', 'thinking', 'thinking+reflection', 'answer-only']);
export type MaskKind = z.infer<typeof MaskKind>;

/** How completions are masked. The defaults leave every token in. */
export const MaskOptions = z.object({
  kind: MaskKind,
  /** Share of each section's tokens that is masked, rounded down, drawn with the seed. 1: all of them. */
  share: z.number().min(0).max(1),
  /** Whether the markers of a masked section are masked with it. */
  markers: z.boolean(),
  /** Filler tokens in a thinking section of their own after every token; 0: none. Excludes the other masks. */
  thinkAfterToken: z.int().min(0).max(64),
  /** Whether rejected completions get them too. */
  thinkInRejected: z.boolean(),
});
export type MaskOptions = z.infer<typeof MaskOptions>;

/** A line that is not trained on, and why. Lines count from 1. */
export const RefusedLine = z.object({ line: z.int().positive(), reason: z.string() });
export type RefusedLine = z.infer<typeof RefusedLine>;

/** What became of a pairs file on its way to token ids. */
export const PreparedCounts = z.object({
  /** The file's name and the sha256 of its bytes. */
  file: z.string(),
  sha256: Sha256,
  records: z.int().nonnegative(),
  refused: z.array(RefusedLine),
  /** Records whose prompt lost its beginning, and completions that lost their end, to the length limits. */
  truncatedPrompts: z.int().nonnegative(),
  truncatedCompletions: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
});
export type PreparedCounts = z.infer<typeof PreparedCounts>;

/** Everything that decides what a run computes. */
export const TrainingParameters = z.object({
  phase: z.union([z.literal(1), z.literal(2)]).nullable(),
  loss: TrainerLoss,
  learningRate: z.number().nonnegative(),
  schedule: z.enum(['constant', 'linear', 'cosine']),
  warmup: z.int().nonnegative(),
  clip: z.number().nonnegative(),
  weightDecay: z.number().nonnegative(),
  rank: z.int().positive(),
  alpha: z.number().positive(),
  /** Share of the adapter's inputs that is dropped while training; runs of earlier versions dropped none. */
  dropout: z.number().min(0).max(0.95).default(0),
  beta: z.number().positive(),
  epsilon: z.number().positive(),
  gamma: z.number().nonnegative(),
  maxLength: z.int().positive(),
  maxPromptLength: z.int().positive(),
  batch: z.int().positive(),
  accumulation: z.int().positive(),
  steps: z.int().positive(),
  seed: z.int().nonnegative(),
  mask: MaskOptions,
});
export type TrainingParameters = z.infer<typeof TrainingParameters>;

/** The plain texts that a run holds the model to while it learns, and how firmly. */
export const AnchorRecord = z.object({
  kind: AnchorKind,
  weight: z.number().positive(),
  /** Pieces of the texts, those of them that each step takes, and the tokens of all. */
  pieces: z.int().positive(),
  perStep: z.int().positive(),
  tokens: z.int().positive(),
  /** Key of the workspace that the paths of its texts are relative to. */
  workspace: z.string().nullable(),
  texts: z.array(
    z.object({
      from: z.enum(['named', 'workspace', 'shipped']),
      /** A path in the workspace, else the file's name. */
      file: z.string(),
      sha256: Sha256,
    }),
  ),
});
export type AnchorRecord = z.infer<typeof AnchorRecord>;

/** `run.json` of a run's folder: written once, before the trainer starts. */
export const TrainingRunRecord = z.object({
  schema: z.literal(1),
  time: z.iso.datetime(),
  version: z.string(),
  model: ModelIdentity,
  pairs: PreparedCounts,
  heldout: PreparedCounts.nullable(),
  parameters: TrainingParameters,
  /** Null: nothing holds the model to what it was. */
  anchor: AnchorRecord.nullable().default(null),
  /** Id or path of the adapter that the run starts from, and of its reference; null: the base model. */
  adapter: z.string().nullable(),
  reference: z.string().nullable(),
});
export type TrainingRunRecord = z.infer<typeof TrainingRunRecord>;

/** What a run would take. Bytes are of memory at its peak; 0 bytes available: not known. */
export const TrainingEstimate = z.object({
  event: z.literal('estimate'),
  bytes: z.number(),
  /** With nothing kept that could be computed again. */
  least_bytes: z.number(),
  available_bytes: z.number(),
  model_bytes: z.number(),
  adapter_bytes: z.number(),
  kept_bytes: z.number(),
  /** Numbers that are trained. */
  parameters: z.number(),
  steps: z.int().positive(),
  seconds: z.number(),
  seconds_per_step: z.number(),
  pairs: PreparedCounts,
  heldout: PreparedCounts.nullable(),
  anchor: AnchorRecord.nullable(),
});
export type TrainingEstimate = z.infer<typeof TrainingEstimate>;

const Figure = z.number().nullable();

/** How an adapter did on pairs that it was not trained on. */
export const HeldoutResult = z.object({
  step: z.int().nonnegative(),
  records: z.int().positive(),
  loss: Figure,
  accuracy: Figure,
  margin: Figure,
});
export type HeldoutResult = z.infer<typeof HeldoutResult>;

/** An id is made of where the adapter is from and of its file's hash: the same file is the same adapter. */
export const AdapterId = z.string().regex(/^[a-z0-9][a-z0-9_-]{2,63}$/, 'not the id of an adapter');

/** `record.json` of an adapter in the application home. */
export const AdapterRecord = z.object({
  schema: z.literal(1),
  id: AdapterId,
  created: z.iso.datetime(),
  /** The model that it belongs to, by the hash of its file. */
  base: ModelIdentity,
  architecture: z.string(),
  /** sha256 of adapter.gguf, and of the PEFT folder's adapter_model.safetensors. */
  gguf: Sha256,
  peft: Sha256,
  rank: z.int().positive(),
  origin: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('trained'),
      run: TrainingRunRecord,
      steps: z.int().nonnegative(),
      stopped: z.boolean(),
      heldout: HeldoutResult.nullable(),
    }),
    /** `from`: the name of the folder or file that it came from. */
    z.object({ kind: z.literal('imported'), from: z.string(), baseName: z.string().nullable() }),
  ]),
  /** When the writer had something forgotten that it was trained on. */
  forgotten: z.iso.datetime().optional(),
  /** What the gate said of it; absent: it was not asked. */
  verdict: GateVerdict.optional(),
});
export type AdapterRecord = z.infer<typeof AdapterRecord>;

/** `active.json`: for each base model, by its hash, the adapter in use and those before it, the latest last. */
export const ActiveAdapters = z.object({
  schema: z.literal(1),
  active: z.record(Sha256, AdapterId),
  /** null: the base model was without. */
  before: z.record(Sha256, z.array(AdapterId.nullable())).default({}),
});
export type ActiveAdapters = z.infer<typeof ActiveAdapters>;
