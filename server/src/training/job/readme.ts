// What a job's folder is and what to do with it, in plain words. Pure; no text of a note is in it.
import type { TrainingJob } from '../../protocol/index.ts';
import { deviations } from './otherTools.ts';

export function jobReadme(job: TrainingJob): string {
  return [
    '# A training job of PRefLexOR',
    `This folder trains a LoRA adapter for ${code(job.model.id)} on a machine with a GPU, with TRL and accelerate. It holds ${job.pairs.records} preference pairs of your notes as token ids, and for every token of an answer whether the loss looks at it: nothing is tokenised again, so that training there is what training here would be. **It contains text of your notes**: give it to nobody who may not read them.`,
    '## Run it',
    fence([
      'python -m venv .venv && . .venv/bin/activate',
      'pip install -r requirements.txt',
      'python train.py --check',
      'accelerate launch --config_file accelerate/single.yaml train.py',
    ]),
    [baseText(job), checkText(job)].filter((text) => text !== '').join(' '),
    'On several GPUs of one machine take one of these instead; `--num_processes` says how many there are:',
    fence([
      'accelerate launch --config_file accelerate/fsdp.yaml --num_processes 4 train.py',
      'pip install deepspeed',
      'accelerate launch --config_file accelerate/deepspeed.yaml --num_processes 4 train.py',
    ]),
    `A step takes ${job.parameters.batch} × ${job.parameters.accumulation} pairs; several processes share the accumulation between them. \`python train.py --help\` says what else can be set. A run that was broken off goes on with \`--resume\`.`,
    '## Bring it back',
    'The adapter is in `adapter/`. Copy that folder to the machine with your notes, and there:',
    fence([
      `preflexor adapters import adapter --model ${job.model.id}`,
      `preflexor adapters judge ID --phase ${job.parameters.phase ?? 1} --pairs HELDOUT --model ${job.model.id}`,
    ]),
    'The first command says the adapter’s ID. The second is the gate: it measures the adapter on held-out pairs that it was never trained on, and says whether it is offered. Nothing is put into use by itself.',
    '## What it computes',
    settings(job),
    '## LLaMA-Factory and Axolotl',
    'The same pairs as text, with a configuration that is as near to this job as the tool allows. Put the name of your base model where `BASE_MODEL` stands, and the name of its chat template where `TEMPLATE` stands.',
    fence(['llamafactory-cli train llamafactory/train.yaml', 'axolotl train axolotl/config.yaml']),
    `What they do differently:\n\n${deviations(job)
      .map((sentence) => `- ${sentence}`)
      .join('\n')}`,
    '## Files',
    files(job),
  ]
    .join('\n\n')
    .concat('\n');
}

function baseText({ base, model }: TrainingJob): string {
  const other =
    '`--base NAME` trains on other weights of the same model, for example the full-precision ones that the GGUF file was made from.';
  return base === null
    ? `The base model is not part of the folder: say \`--gguf FILE\` with ${code(model.file)} (sha256 \`${model.sha256}\`) each time. ${other}`
    : `The base model is loaded from ${code(base.repository)}, the very file that is in use here; \`--gguf FILE\` takes one that lies there already. ${other}`;
}

function checkText({ expected }: TrainingJob): string {
  if (expected.length === 0) return '';
  return `\`--check\` computes ${expected.length === 1 ? 'the first pair' : `the first ${expected.length} pairs`} and compares with what this machine got: if it does not agree, the weights are not the same.`;
}

function settings({ parameters, heldout, start, reference }: TrainingJob): string {
  const { loss, beta, epsilon, learningRate, schedule, warmup, clip, rank, alpha, dropout } = parameters;
  const { steps, mask, seed } = parameters;
  const masked =
    mask.kind === 'none'
      ? 'every token of an answer counts'
      : `the mask \`${mask.kind}\`${mask.share < 1 ? ` (${Math.round(mask.share * 100)} %)` : ''}`;
  return [
    `- Loss \`${loss}\`, β ${beta}${loss === 'exo_pair' ? `, label smoothing ${epsilon}` : ''}; ${masked}`,
    `- ${steps} steps at ${learningRate}, ${schedule}${warmup > 0 ? ` after ${warmup} steps of warm-up` : ''}; gradients clipped at ${clip}; seed ${seed}`,
    start === null
      ? `- A new adapter of rank ${rank}, alpha ${alpha}, dropout ${dropout}, on all linear maps`
      : `- Goes on from the adapter in \`start/\`, dropout ${dropout}`,
    ...(reference === null ? [] : [`- Compared with the frozen adapter in \`${reference}/\``]),
    heldout === null
      ? '- No held-out pairs are in the folder'
      : `- ${heldout.records} held-out pairs are looked at, and never trained on`,
  ].join('\n');
}

function files({ heldout, start, reference }: TrainingJob): string {
  return [
    '- `job.json`: every number, the hashes of model and pairs, and what the first pairs are to come to',
    '- `train.jsonl`: a pair a line: ids of prompt, chosen and rejected, and a mask for each answer (1 counts)',
    ...(heldout === null ? [] : ['- `heldout.jsonl`: the held-out pairs, likewise']),
    '- `train.py`, `collator.py`: what runs; `requirements.txt`: the versions that it was tried with',
    '- `accelerate/`: one GPU, FSDP, DeepSpeed (ZeRO-2)',
    ...(start === null ? [] : ['- `start/`: the adapter that training goes on from']),
    ...(reference === 'reference' ? ['- `reference/`: the frozen adapter'] : []),
    '- `llamafactory/`, `axolotl/`: pairs as text, with configurations',
  ].join('\n');
}

function fence(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}

/** Names come from files: they are no markup. */
function code(text: string): string {
  return `\`${text.replace(/[`\s]+/g, ' ')}\``;
}
