// The commands around training: which takes which options. A part of program.ts, for its length.
import { Argument, Option, type Command } from 'commander';
import { AnchorKind, MaskKind, TrainerLoss } from '../protocol/index.ts';
import {
  compareAdaptersCommand,
  exportAdapterCommand,
  importAdapterCommand,
  listAdaptersCommand,
  useAdapterCommand,
  type CompareOptions,
} from './adapters.ts';
import { trainerBackends } from '../training/index.ts';
import type { Context } from './context.ts';
import { exportJobCommand, type ExportJobOptions } from './exportJob.ts';
import { judgeAdapterCommand, type JudgeOptions } from './judge.ts';
import { fraction, nonNegative, percent, positive, positiveNumber, wholeNumber } from './numbers.ts';
import { perplexityCommand, type PerplexityCommandOptions } from './perplexity.ts';
import { scoreCommand, type ScoreOptions } from './score.ts';
import { trainCommand, type TrainOptions } from './train.ts';

export type Run = (work: (context: Context) => Promise<void>, command: Command) => Promise<void>;
export type Add = (parent: Command, usage: string, description: string) => Command;

export function addTrainingCommands(root: Command, add: Add, run: Run): void {
  deviceOption(
    lossOptions(
      pairsOptions(add(root, 'score', 'Score preference pairs: log-probabilities and every loss.')),
    ),
  )
    .requiredOption('--pairs <file>', 'one JSON object a line: prompt, chosen, rejected')
    .option('--reference <adapter>', 'the frozen adapter to compare with (default: the base model)')
    .addOption(new Option('--loss <loss>', 'the loss of --gradient').choices(TrainerLoss.options))
    .option('--gradient <file>', "write the adapter's gradient of that loss as safetensors")
    .action((options: ScoreOptions, command: Command) =>
      run((context) => scoreCommand(options, context), command),
    );

  addTrain(root, add, run);
  planOptions(add(root, 'export-job <folder>', 'Write a training job for a machine with TRL and a GPU.'))
    .requiredOption('--pairs <file>', 'one JSON object a line: prompt, chosen, rejected')
    .option('--checks <n>', 'pairs that are scored here, to be compared there; 0: none', wholeNumber, 2)
    .action((folder: string, options: ExportJobOptions, command: Command) =>
      run((context) => exportJobCommand(folder, options, context), command),
    );

  add(root, 'perplexity <files...>', 'Measure how well the model, or an adapter on it, predicts texts.')
    .option('--first <n>', 'only so many tokens from the start of each text', positiveNumber)
    .option('--window <n>', 'tokens that are read at once', positiveNumber, 1024)
    .action((files: string[], options: PerplexityCommandOptions, command: Command) =>
      run((context) => perplexityCommand(files, options, context), command),
    );

  addAdapters(root, add, run);
}

/** What a run is to compute, here or elsewhere. */
function planOptions(command: Command): Command {
  return lossOptions(pairsOptions(command))
    .addOption(new Option('--phase <phase>', "the method's defaults: 1 ORPO, 2 EXO").choices(['1', '2']))
    .addOption(
      new Option('--loss <loss>', 'the loss, where it is not the phase’s').choices(TrainerLoss.options),
    )
    .option('--heldout <file>', 'pairs that are only looked at')
    .option('--reference <adapter>', 'the frozen adapter (default: the one that training starts from)')
    .option('--steps <n>', 'optimizer steps in all (default: three passes over the pairs)', positiveNumber)
    .option('--lr <rate>', 'learning rate', nonNegative)
    .addOption(new Option('--schedule <kind>', 'of the rate').choices(['constant', 'linear', 'cosine']))
    .option('--warmup <n>', 'steps over which the rate rises from 0', wholeNumber)
    .option('--clip <norm>', 'largest norm of a gradient; 0: any', nonNegative)
    .option('--weight-decay <rate>', 'decoupled weight decay', fraction)
    .option('--rank <n>', 'rank of a new adapter', positiveNumber)
    .option('--alpha <n>', 'its scale times its rank (default: the rank)', positive)
    .option('--dropout <share>', 'of the adapter while training (default: 0.1, of small models 0)', fraction)
    .option('--batch <n>', 'pairs that are computed together', positiveNumber)
    .option('--accumulation <n>', 'batches to a step', positiveNumber);
}

function addTrain(root: Command, add: Add, run: Run): void {
  deviceOption(planOptions(add(root, 'train', 'Train an adapter on preference pairs.')))
    .option('--pairs <file>', 'one JSON object a line: prompt, chosen, rejected')
    .option('--out <folder>', "the run's folder")
    .option('--resume', 'go on with the run in that folder')
    .option('--evaluate-every <n>', 'steps between looks at the held-out pairs', wholeNumber)
    .option('--checkpoint-every <n>', 'steps between checkpoints', wholeNumber)
    .addOption(new Option('--precision <kind>', 'of the frozen weights').choices(['auto', 'f32', 'bf16']))
    .option(
      '--anchor [paths...]',
      "hold the model to texts and folders (default: the workspace's texts, then one that ships)",
    )
    .addOption(
      new Option(
        '--anchor-kind <kind>',
        'by the divergence from the untrained model, or by learning the text (default: kl)',
      ).choices(AnchorKind.options),
    )
    .option('--anchor-weight <w>', 'how firmly (default: 10 for kl, 1 for replay)', positive)
    .option('--memory <mebibytes>', 'what the run may take; one that needs more is refused', positive)
    .option('--estimate', 'say what memory and time it would take, and train nothing')
    .action((options: TrainOptions, command: Command) => {
      if (options.out === undefined && options.estimate !== true)
        command.error("error: say --out FOLDER, where the run's files go, or --estimate to train nothing");
      if (options.anchor === undefined && (options.anchorKind ?? options.anchorWeight) !== undefined)
        command.error('error: say --anchor too, or leave out how it holds');
      return run((context) => trainCommand(options, context), command);
    });
}

function deviceOption(command: Command): Command {
  return command.addOption(
    new Option('--on <device>', 'what the trainer computes on (default: cpu)').choices(trainerBackends),
  );
}

function addAdapters(root: Command, add: Add, run: Run): void {
  const adapters = root
    .command('adapters')
    .description('Trained adapters: list, use, import, export, compare.')
    .exitOverride();
  add(adapters, 'list', 'List the adapters of this machine.').action((_options, command: Command) =>
    run(listAdaptersCommand, command),
  );
  add(adapters, 'use <id>', 'Put an adapter into use on its base model; "base": none on --model.').action(
    (id: string, _options, command: Command) => run((context) => useAdapterCommand(id, context), command),
  );
  add(adapters, 'import <folder>', 'Take in a PEFT folder, or a GGUF adapter, of --model.').action(
    (folder: string, _options, command: Command) =>
      run((context) => importAdapterCommand(folder, context), command),
  );
  add(adapters, 'export <id>', 'Write an adapter as a PEFT folder with a GGUF file in it.')
    .requiredOption('--to <folder>', 'where to')
    .action((id: string, options: { to: string }, command: Command) =>
      run((context) => exportAdapterCommand(id, options, context), command),
    );
  add(adapters, 'judge <id>', 'Ask the gate whether an adapter is to be offered.')
    .requiredOption('--pairs <file>', 'held-out pairs, that it was not trained on')
    .addOption(
      new Option('--phase <phase>', 'what it was to learn: 1 the form, 2 the better answer')
        .choices(['1', '2'])
        .makeOptionMandatory(),
    )
    .option('--baseline <adapter>', 'what its training started from (default: the base model)')
    .option('--texts <files...>', 'plain texts that it was not trained on (default: one that ships)')
    .action((id: string, options: JudgeOptions, command: Command) =>
      run((context) => judgeAdapterCommand(id, options, context), command),
    );
  const compare = add(adapters, 'compare', 'Score the same pairs under two adapters, or "base".')
    .addArgument(new Argument('<a>', 'an adapter'))
    .addArgument(new Argument('<b>', 'another one'));
  lossOptions(pairsOptions(compare))
    .requiredOption('--pairs <file>', 'one JSON object a line: prompt, chosen, rejected')
    .action((a: string, b: string, options: CompareOptions, command: Command) =>
      run((context) => compareAdaptersCommand(a, b, options, context), command),
    );
}

function pairsOptions(command: Command): Command {
  return command
    .addOption(new Option('--mask <kind>', 'tokens that the loss leaves out').choices(MaskKind.options))
    .option('--mask-percent <n>', "share of each section's tokens that is masked", percent)
    .option('--keep-markers', 'let the markers of a masked section count')
    .option('--think-after-token <n>', 'a thinking section of n fillers after every token', wholeNumber)
    .option('--think-in-rejected', 'in rejected answers too')
    .option('--max-length <n>', 'tokens of a prompt with its longer answer', positiveNumber)
    .option('--max-prompt-length <n>', 'tokens that a prompt keeps when that is too long', positiveNumber);
}

function lossOptions(command: Command): Command {
  return command
    .option('--beta <b>', 'β of the losses (default 0.1)', positive)
    .option('--epsilon <e>', 'label smoothing of EXO (default 0.005)', positive)
    .option('--gamma <g>', 'margin of SimPO (default 1)', nonNegative);
}
