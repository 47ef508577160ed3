// The talk with the native trainer: the configuration that it reads and the lines that it writes.
// native/PROTOCOL.md is the contract in words. Must not import anything that runs.
import { z } from 'zod';

export const trainerProtocolVersion = 1;

export const TrainerLoss = z.enum([
  'sft',
  'sft_full',
  'orpo',
  'orpo_completion_nll',
  'dpo',
  'exo_pair',
  'ipo',
  'simpo',
  'cpo_simpo',
  'kto',
]);
export type TrainerLoss = z.infer<typeof TrainerLoss>;

const TokenIds = z.array(z.int().nonnegative()).min(1);
const Mask = z.array(z.union([z.literal(0), z.literal(1)])).min(1);

/** One example as token ids; masks say which tokens count, and are all ones when absent. */
export const TrainerRecord = z.strictObject({
  prompt: TokenIds,
  chosen: TokenIds.optional(),
  rejected: TokenIds.optional(),
  chosenMask: Mask.optional(),
  rejectedMask: Mask.optional(),
});
export type TrainerRecord = z.infer<typeof TrainerRecord>;

const common = {
  /** Folder of the @node-llama-cpp package that holds libggml. */
  libraries: z.string(),
  model: z.string(),
  /** `gpu`: the first one that the libraries find; `auto`: that one, or the processor where there is none. */
  device: z.enum(['cpu', 'gpu', 'auto']).optional(),
  threads: z.int().min(1).max(512).optional(),
  precision: z.enum(['auto', 'f32', 'bf16']).optional(),
  /** PEFT folders; without a reference the base model is the reference. */
  adapter: z.string().nullable().optional(),
  reference: z.string().nullable().optional(),
  losses: z
    .strictObject({
      beta: z.number().positive(),
      simpoBeta: z.number().positive(),
      gamma: z.number().nonnegative(),
      epsilon: z.number().positive(),
      smoothing: z.number().nonnegative(),
    })
    .partial()
    .optional(),
  records: z.array(TrainerRecord).min(1),
};

export const TrainerScoreConfig = z.strictObject({
  task: z.literal('score'),
  ...common,
  perToken: z.boolean().optional(),
  gradient: z.strictObject({ loss: TrainerLoss, file: z.string() }).optional(),
});
export type TrainerScoreConfig = z.infer<typeof TrainerScoreConfig>;

export const LoraTarget = z.enum([
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
]);
export type LoraTarget = z.infer<typeof LoraTarget>;

/** By the divergence from the frozen model, or by learning the texts themselves. */
export const AnchorKind = z.enum(['kl', 'replay']);
export type AnchorKind = z.infer<typeof AnchorKind>;

/** Plain texts on which the model shall stay what it was; see PROTOCOL.md. */
export const TrainerAnchor = z.strictObject({
  sequences: z.array(z.array(z.int().nonnegative()).min(2)).min(1),
  kind: AnchorKind.optional(),
  weight: z.number().nonnegative().optional(),
  /** Sequences that each step takes. */
  perStep: z.int().positive().optional(),
});
export type TrainerAnchor = z.infer<typeof TrainerAnchor>;

export const TrainerEarlyStop = z.strictObject({
  metric: z.enum(['loss', 'accuracy', 'margin']).optional(),
  /** Evaluations without improvement that end the run; 0: only the target does. */
  patience: z.int().nonnegative().optional(),
  minimumChange: z.number().nonnegative().optional(),
  target: z.number().optional(),
});
export type TrainerEarlyStop = z.infer<typeof TrainerEarlyStop>;

const trainFields = {
  ...common,
  /** Folder for checkpoint.safetensors, adapter.gguf and peft/. */
  out: z.string(),
  loss: TrainerLoss,
  heldout: z.array(TrainerRecord).optional(),
  /** Beside `adapter` only `dropout`: a given adapter keeps its shape. */
  lora: z
    .strictObject({
      rank: z.int().min(1).max(1024).optional(),
      alpha: z.number().positive().optional(),
      targets: z.array(LoraTarget).min(1).optional(),
      /** Layers that are adapted, counted from 0; all when absent. */
      layers: z.array(z.int().nonnegative()).min(1).optional(),
      dropout: z.number().min(0).max(0.95).optional(),
      /** By the end of a module's name, as PEFT's rank_pattern and alpha_pattern. */
      rankPattern: z.record(z.string().min(1), z.int().min(1).max(1024)).optional(),
      alphaPattern: z.record(z.string().min(1), z.number().positive()).optional(),
    })
    .optional(),
  optimizer: z
    .strictObject({
      learningRate: z.number().nonnegative(),
      beta1: z.number().nonnegative(),
      beta2: z.number().nonnegative(),
      epsilon: z.number().positive(),
      weightDecay: z.number().nonnegative(),
      clip: z.number().nonnegative(),
      schedule: z.enum(['constant', 'linear', 'cosine']),
      warmup: z.int().nonnegative(),
    })
    .partial()
    .optional(),
  steps: z.int().positive(),
  batch: z.int().positive().optional(),
  accumulation: z.int().positive().optional(),
  evaluateEvery: z.int().nonnegative().optional(),
  checkpointEvery: z.int().nonnegative().optional(),
  seed: z.int().nonnegative().optional(),
  resume: z.boolean().optional(),
  lowPriority: z.boolean().optional(),
  anchor: TrainerAnchor.optional(),
  /** Needs `heldout` and `evaluateEvery`. */
  earlyStop: TrainerEarlyStop.optional(),
  /** While this file exists, the run waits. */
  pauseFile: z.string().optional(),
  /** Folder that keeps reference sums across runs. */
  referenceCache: z.string().optional(),
  /** What the process may take; a run that needs more is refused. */
  memoryBudgetBytes: z.number().nonnegative().optional(),
};

export const TrainerTrainConfig = z.strictObject({ task: z.literal('train'), ...trainFields });
export type TrainerTrainConfig = z.infer<typeof TrainerTrainConfig>;

/** What a run with this configuration would take, without running it. */
export const TrainerEstimateConfig = z.strictObject({ task: z.literal('estimate'), ...trainFields });
export type TrainerEstimateConfig = z.infer<typeof TrainerEstimateConfig>;

/** A word and a line end on the trainer's stdin. */
export const TrainerCommand = z.enum(['pause', 'resume', 'checkpoint', 'stop']);
export type TrainerCommand = z.infer<typeof TrainerCommand>;

/** A number that may not have been finite; its key is then listed in `nonFinite`. */
const Measured = z.number().nullable();
const line = { seq: z.int().nonnegative(), nonFinite: z.array(z.string()).optional() };

/** A prompt of one token predicts none: its sum is 0 and its mean not finite. */
const SequenceSum = z.object({ sum: Measured, mean: Measured, tokens: z.number().nonnegative() });
const PerToken = z.object({
  prompt: z.array(Measured),
  chosen: z.array(Measured),
  rejected: z.array(Measured),
});
const metrics = {
  loss: Measured,
  'rewards/chosen': Measured,
  'rewards/rejected': Measured,
  'rewards/margins': Measured,
  'rewards/accuracies': Measured,
};
const step = z.int().nonnegative();

/** Derivatives are by the sums of log-probabilities: chosen, rejected, prompt and chosen together. */
export const TrainerLossValue = z.object({
  loss: Measured,
  byChosen: Measured,
  byRejected: Measured,
  byFull: Measured,
});

export const TrainerLine = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('hello'),
    ...line,
    protocol: z.literal(trainerProtocolVersion),
    version: z.string(),
    device: z.string(),
    features: z.array(z.string()),
    precision: z.enum(['f32', 'bf16']),
    /** The library that multiplies matrices. */
    matmul: z.string().optional(),
    threads: z.int().positive(),
    pid: z.int().positive(),
  }),
  z.object({
    event: z.literal('started'),
    ...line,
    step,
    steps: z.int().positive(),
    resumed: z.boolean(),
    records: z.int().positive(),
    heldout: z.int().nonnegative(),
    parameters: z.number().positive(),
  }),
  z.object({
    event: z.literal('step'),
    ...line,
    step,
    ...metrics,
    /** Nats a token on the anchor's texts, without the weight. */
    anchor_loss: Measured.optional(),
    grad_norm: Measured,
    lr: z.number(),
    tokens: z.number(),
    tokens_per_second: z.number(),
    /** Of all threads, for this step. */
    processor_seconds: z.number().optional(),
    peak_bytes: z.number(),
    seconds_remaining: z.number(),
  }),
  z.object({ event: z.literal('eval'), ...line, step, records: z.int().positive(), ...metrics }),
  z.object({ event: z.literal('checkpoint'), ...line, step, file: z.string() }),
  z.object({ event: z.literal('paused'), ...line, step }),
  z.object({ event: z.literal('resumed'), ...line, step }),
  z.object({
    event: z.literal('warning'),
    ...line,
    message: z.string(),
    step: step.optional(),
    loss: Measured.optional(),
    grad_norm: Measured.optional(),
  }),
  z.object({
    event: z.literal('score'),
    ...line,
    index: z.int().nonnegative(),
    prompt: SequenceSum.nullable(),
    chosen: SequenceSum.nullable(),
    rejected: SequenceSum.nullable(),
    reference: z.object({
      prompt: SequenceSum.nullable(),
      chosen: SequenceSum.nullable(),
      rejected: SequenceSum.nullable(),
      perToken: PerToken.optional(),
    }),
    losses: z.record(TrainerLoss, TrainerLossValue.nullable()),
    perToken: PerToken.optional(),
  }),
  z.object({
    event: z.literal('self-test'),
    ...line,
    name: z.string(),
    passed: z.boolean(),
    tensors: z.int().positive(),
    largest_error: Measured,
    tolerance: z.number(),
  }),
  z.object({
    event: z.literal('estimate'),
    ...line,
    bytes: z.number(),
    least_bytes: z.number(),
    available_bytes: z.number(),
    model_bytes: z.number(),
    adapter_bytes: z.number(),
    kept_bytes: z.number(),
    parameters: z.number(),
    seconds: z.number(),
    seconds_per_step: z.number(),
  }),
  z.object({
    event: z.literal('done'),
    ...line,
    step: step.optional(),
    stopped: z.boolean().optional(),
    reason: z.enum(['steps', 'stopped', 'early-stop']).optional(),
    adapter: z.string().optional(),
    gguf: z.string().optional(),
    peft: z.string().optional(),
    peak_bytes: z.number().optional(),
    records: z.int().positive().optional(),
    gradient: z.string().optional(),
    passed: z.boolean().optional(),
  }),
  z.object({
    event: z.literal('failed'),
    ...line,
    code: z.string(),
    message: z.string(),
    hint: z.string(),
  }),
]);
export type TrainerLine = z.infer<typeof TrainerLine>;
