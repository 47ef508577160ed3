// The commands of self-teaching: which takes which options. A part of program.ts, for its length.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { DatasetSettings, WatchFinding } from '../protocol/index.ts';
import { presetNames } from '../teaching/index.ts';
import { generateDatasetCommand, type GenerateDatasetOptions } from './dataset.ts';
import { fraction, positiveNumber, temperature, wholeNumber } from './numbers.ts';
import { teachCommand, type TeachOptions } from './teach.ts';
import type { Add, Run } from './trainingProgram.ts';

export function addTeachingCommands(root: Command, add: Add, run: Run): void {
  const dataset = root
    .command('dataset')
    .description('Preference pairs out of your own notes and papers.')
    .exitOverride();
  datasetOptions(add(dataset, 'generate', 'Make pairs from what is indexed; goes on with what it began.'))
    .requiredOption('--samples <n>', 'pairs that are wanted in all', positiveNumber)
    .requiredOption('--out <file>', 'where they go; those held out go beside it')
    .addOption(
      new Option('--phase <phase>', '1: thinking; 2: thinking and reflection')
        .choices(['1', '2'])
        .default('1'),
    )
    .option('--answers <k>', "the best of so many of the model's own answers against the worst", wholeNumber)
    .action((options: GenerateDatasetOptions, command: Command) =>
      run((context) => generateDatasetCommand(options, context), command),
    );
  addTeach(root, add, run);
}

function addTeach(root: Command, add: Add, run: Run): void {
  add(root, 'teach [folders...]', 'Index, make pairs, train both phases, and judge the adapter: all in one.')
    .addOption(
      new Option('--preset <name>', 'numbers for what is not said').choices(presetNames).default('quick'),
    )
    .option('--samples <n>', 'pairs that each phase is to have', positiveNumber)
    .option('--set <name=value...>', 'any number by its name, as --plan shows them')
    .option('--out <folder>', "the run's folder (default: .preflexor/teach of the workspace)")
    .option('--plan', 'say every number, and do nothing')
    .option('--estimate', 'say what memory and time it would take, and begin nothing')
    .addOption(
      new Option('--ignore <names>', 'findings of the watch list that do not pause the run').argParser(
        findings,
      ),
    )
    .option('--no-anchor', 'hold training to no plain text')
    .action((folders: string[], options: TeachOptions, command: Command) =>
      run((context) => teachCommand(folders, options, context), command),
    );
}

function findings(text: string): WatchFinding['name'][] {
  const known = WatchFinding.shape.name;
  return text.split(',').map((name) => {
    const found = known.safeParse(name.trim());
    if (found.success) return found.data;
    throw new InvalidArgumentError(`One or more of: ${known.options.join(', ')}.`);
  });
}

/** The numbers of a dataset, each of which may be said instead of the preset's. */
function datasetOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--preset <name>', 'numbers for what is not said').choices(presetNames).default('quick'),
    )
    .option('--topic <text>', 'only passages about this')
    .option('--chunks <n>', 'passages that a question is made from', positiveNumber)
    .option('--passages <n>', 'passages that are looked up for a question', wholeNumber)
    .option('--per-chunk <n>', 'samples from one passage, at most', positiveNumber)
    .option('--headings <n>', "of the prompt set's headings of thinking, the first so many", positiveNumber)
    .addOption(
      new Option('--judge <by>', 'what several answers are judged by').choices(
        DatasetSettings.shape.judge.options,
      ),
    )
    .option('--heldout-share <share>', 'of the notes and samples that are held out', fraction)
    .option('--sample-temperature <t>', 'at which questions and answers are written', temperature)
    .option('--part-tokens <n>', 'token budget of what is noted under each heading', positiveNumber)
    .option('--reflection-tokens <n>', 'token budget of the reflection', positiveNumber)
    .option('--answer-tokens <n>', 'token budget of an answer', positiveNumber);
}
