// What a run of teaching would take, before there is a single sample: memory and time of both phases by the trainer's
// own plan, for texts as long as the token budgets allow; of making samples, by how long they took before; and the disk.
import path from 'node:path';
import { PreflexorError } from '../errors.ts';
import type { PhaseSettings, TeachEstimate, TeachSettings } from '../protocol/index.ts';
import { workspacePlaces } from '../state/index.ts';
import { planTraining, usualSteps, type Trainer, type TrainerTask } from '../training/index.ts';
import { reportOf, runNumbers } from './runs/folders.ts';
import type { Phase } from './teach.ts';

export interface TeachEstimateTask {
  readonly settings: TeachSettings;
  /** GGUF file. */
  readonly model: string;
  readonly threads: number;
  /** How many texts of 128 tokens each step is held to; 0: none. */
  readonly anchored: number;
  /** The writer's own pairs that go in. */
  readonly writerPairs: number;
  /** As the newest run took; null: not known. */
  readonly sampleSeconds: number | null;
}

/** Questions are held to 60 words; with the marker and the chat template's own. */
const promptTokens = 96;
const anchorTokens = 128;
/**
 * Bytes on disk for each number that is trained: weights and two moments in the checkpoint, the adapter in both forms,
 * their copies in the registry, and what phase II starts from.
 */
const diskBytesPerParameter = 40;

/**
 * @param folder for the trainer's configuration
 * @throws PreflexorError `trainer-failed` with the numbers where a phase can't fit, `locked`, `cancelled`
 */
export async function estimateRun(
  task: TeachEstimateTask,
  trainer: Trainer,
  folder: string,
  signal: AbortSignal,
): Promise<TeachEstimate> {
  const { settings, sampleSeconds, writerPairs } = task;
  const phases: TeachEstimate['phases'] = [];
  let parameters = 0;
  for (const phase of [1, 2] as const) {
    const planned = await ofPhase(phase, task, trainer, folder, signal);
    phases.push(planned.phase);
    parameters = Math.max(parameters, planned.parameters);
  }
  const later = Math.round(settings.samples * (1 - settings.dataset.heldoutShare));
  const samples = 2 * (settings.samples + (settings.refreshes - 1) * later);
  const diskBytes = parameters * diskBytesPerParameter * settings.refreshes;
  return { samples, sampleSeconds, writerPairs, phases, diskBytes };
}

/**
 * Seconds for each sample that was kept, those that failed their checks included, in the newest run of this model in
 * the workspace; null: there was none.
 * @param model sha256
 */
export async function secondsPerSample(root: string, model: string): Promise<number | null> {
  for (const number of await runNumbers(root)) {
    const report = await reportOf(path.join(workspacePlaces(root).teaching, String(number)));
    if (report?.setup.model.sha256 !== model) continue;
    const kept = report.phases.reduce((sum, phase) => sum + phase.kept, 0);
    if (kept > 0) return report.seconds.samples / kept;
  }
  return null;
}

async function ofPhase(
  phase: Phase,
  task: TeachEstimateTask,
  trainer: Trainer,
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly phase: TeachEstimate['phases'][number]; readonly parameters: number }> {
  const { settings, writerPairs } = task;
  const own = phase === 1 ? settings.phase1 : settings.phase2;
  const generated = Math.round(settings.samples * (1 - settings.dataset.heldoutShare));
  const pairs = Math.max(1, generated + settings.writerWeight * writerPairs);
  const steps = (own.steps ?? usualSteps(pairs, own)) * settings.refreshes;
  const config = configOf(phase, own, { ...task, pairs, steps, folder });
  for await (const line of trainer.run(config, folder, signal)) {
    if (line.event !== 'estimate') continue;
    const { bytes, seconds, parameters } = line;
    const [leastBytes, availableBytes] = [line.least_bytes, line.available_bytes];
    return { phase: { phase, steps, bytes, leastBytes, availableBytes, seconds }, parameters };
  }
  throw new PreflexorError('trainer-failed', 'The trainer ended without an estimate.');
}

interface ConfigParts extends TeachEstimateTask {
  readonly pairs: number;
  readonly steps: number;
  readonly folder: string;
}

function configOf(phase: Phase, own: PhaseSettings, parts: ConfigParts): TrainerTask {
  const { settings, model, threads, anchored, pairs, steps, folder } = parts;
  const { loss } = planTraining({ phase }, { parameters: Infinity, trainedContext: own.maxLength });
  const record = recordOf(phase, own, settings);
  return {
    task: 'estimate',
    ...{ model, threads, loss, steps, out: folder },
    records: Array.from({ length: pairs }, () => record),
    lora: { rank: own.rank, alpha: own.alpha },
    ...{ batch: own.batch, accumulation: own.accumulation },
    ...(anchored > 0 && {
      anchor: { sequences: Array.from({ length: anchored }, () => tokens(anchorTokens)), perStep: anchored },
    }),
  };
}

/** The longest pair that the budgets allow. Which tokens it has makes no difference. */
function recordOf(phase: Phase, own: PhaseSettings, { dataset, answers }: TeachSettings) {
  const thinking = dataset.parts.length * dataset.partTokens;
  const reflection = phase === 2 ? dataset.reflectionTokens : 0;
  const room = own.maxLength - Math.min(promptTokens, own.maxPromptLength);
  const chosen = Math.min(room, thinking + reflection + dataset.answerTokens);
  // In phase II both sides are answers of the same model.
  const rejected = phase === 2 && answers > 1 ? chosen : Math.min(room, dataset.answerTokens);
  const prompt = tokens(Math.min(promptTokens, own.maxPromptLength));
  return { prompt, chosen: tokens(chosen), rejected: tokens(rejected) };
}

function tokens(count: number): number[] {
  return new Array<number>(Math.max(1, count)).fill(1);
}
