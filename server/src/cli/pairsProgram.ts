// The commands around preference pairs: which takes which options. A part of program.ts, for its length.
import { Option, type Command } from 'commander';
import { PairFormat, PairSignal } from '../protocol/index.ts';
import { withCheckPorts } from './checkPorts.ts';
import { forgetCommand, type ForgetOptions } from './forget.ts';
import { nonNegative, positiveNumber } from './numbers.ts';
import {
  checkPairsCommand,
  exportPairsCommand,
  importPairsCommand,
  listPairsCommand,
  type CheckOptions,
  type ExportOptions,
  type SelectOptions,
} from './pairs.ts';
import type { Add, Run } from './trainingProgram.ts';

export function addPairsCommands(root: Command, add: Add, run: Run): void {
  const pairs = root
    .command('pairs')
    .description('Preference pairs from your decisions: list, check, import, export.')
    .exitOverride();
  selectOptions(add(pairs, 'list', 'List the pairs, derived anew from all decisions.')).action(
    (options: SelectOptions, command: Command) =>
      run((context) => listPairsCommand(options, context), command),
  );
  selectOptions(add(pairs, 'check', 'Look for what makes pairs bad to train on.'))
    .option('--file <file>', 'check this file instead')
    .option('--max-tokens <n>', 'name pairs that are longer, in tokens of --model', positiveNumber)
    .option('--similar', 'near-duplicates must be looked for; left out: where there is an embedding model')
    .option('--no-similar', 'do not look for near-duplicates')
    .action((options: CheckOptions, command: Command) =>
      run((context) => checkPairsCommand(options, context, withCheckPorts), command),
    );
  add(
    pairs,
    'import <file>',
    'Take in pairs of a file: JSON lines, CSV, parquet, or a folder of them.',
  ).action((file: string, _options, command: Command) =>
    run((context) => importPairsCommand(file, context), command),
  );
  selectOptions(add(pairs, 'export <file>', 'Write pairs for another tool.'))
    .addOption(new Option('--format <format>', 'how').choices(PairFormat.options).default('trl'))
    .option('--strict', 'no column but those that the format has')
    .option('--draw', 'the present model (--model, --adapter) writes what a lone accept is held against')
    .action((file: string, options: ExportOptions, command: Command) =>
      run((context) => exportPairsCommand(file, options, context), command),
    );
  add(root, 'forget [note]', 'Take back what is known of a note, or all: decisions, runs, index, graph.')
    .option('--all', 'everything of the workspace')
    .action((note: string | undefined, options: ForgetOptions, command: Command) =>
      run((context) => forgetCommand(note, options, context), command),
    );
}

function selectOptions(command: Command): Command {
  return command
    .option('--note <path>', 'only of this note, by its path in the workspace')
    .addOption(new Option('--signal <signal...>', 'only with these signals').choices(PairSignal.options))
    .addOption(new Option('--split <split>', 'only of this side').choices(['train', 'held-out', 'all']))
    .option('--quiet <minutes>', 'how long a note must have been left alone to count as settled', nonNegative)
    .option('--heldout-since <time>', 'hold out what was first decided on since then, too');
}
