// The command line: which command takes which options, and what it runs. The contract is docs/cli.md.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createComputeBudget } from '../composition.ts';
import { exportFormats } from '../graph/index.ts';
import { DocumentKind, Gpu, Intent, Rating, SegmentKind } from '../protocol/index.ts';
import { applicationHome } from '../state/index.ts';
import { presetNames } from '../teaching/index.ts';
import { programVersion } from '../version.ts';
import { annotationsCommand, decideCommand, stripCommand, type DecideOptions } from './annotations.ts';
import type { Context, GlobalOptions } from './context.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand, type EvalOptions } from './eval.ts';
import { generateCommand } from './generate.ts';
import { graphExportCommand, type GraphExportOptions } from './graph.ts';
import { indexCommand, type IndexOptions } from './indexing.ts';
import { openRetrieval, withGraphStore } from './library.ts';
import { addModelCommand, getModelCommand, listModelsCommand } from './models.ts';
import { nonNegative, positiveNumber, temperature, wholeNumber } from './numbers.ts';
import { createOutput, exitCodes, tellFailure } from './output.ts';
import { addPairsCommands } from './pairsProgram.ts';
import { searchCommand, type SearchOptions } from './search.ts';
import { reasonCommand, type ReasonOptions } from './reason.ts';
import { addTeachingCommands } from './teachingProgram.ts';
import { addTrainingCommands, type Run } from './trainingProgram.ts';

/**
 * Runs the command line.
 * @param args without the program's own two
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled
 */
export async function main(args: readonly string[]): Promise<number> {
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.once('disconnect', () => {
    stop();
    // Nobody reads any more, and what is done is to be kept all the same.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  });
  // A process that started this one as its helper is watched, not waited for.
  process.channel?.unref();
  let output = createOutput(args.includes('--json'));
  let code: number = exitCodes.done;

  const run = (work: (context: Context) => Promise<void>, command: Command): Promise<void> => {
    const options = command.optsWithGlobals<GlobalOptions>();
    output = createOutput(options.json === true);
    const home = applicationHome();
    const compute = createComputeBudget(home);
    return work({ output, options, signal: controller.signal, home, compute });
  };

  try {
    await program(run).parseAsync([...args], { from: 'user' });
  } catch (error) {
    code = error instanceof CommanderError ? usageCode(error) : tellFailure(error, output);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  return code;
}

/** Help and version end by an error too, with exit code 0. */
function usageCode(error: CommanderError): number {
  return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}

function program(run: Run): Command {
  const root = new Command('preflexor')
    .description('Reason about paragraphs of your notes with a local model.')
    .version(programVersion)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help to see the options)');

  const add: Add = (parent, usage, description) =>
    globalOptions(parent.command(usage).description(description).exitOverride());

  add(root, 'doctor', 'Say what works on this machine, and how to mend what does not.').action(
    (_options, command: Command) => run(doctorCommand, command),
  );

  const models = root.command('models').description('The language models: list, get, add.').exitOverride();
  add(models, 'list', 'List the catalogue and your own models.').action((_options, command: Command) =>
    run(listModelsCommand, command),
  );
  add(models, 'get <id>', 'Download a model, or go on with a download that broke off.').action(
    (id: string, _options, command: Command) => run((context) => getModelCommand(id, context), command),
  );
  add(models, 'add <file>', 'Use a GGUF file that you have; it stays where it is.').action(
    (file: string, _options, command: Command) => run((context) => addModelCommand(file, context), command),
  );

  samplingOptions(add(root, 'reason <note>', 'Think, reflect and answer about one paragraph of a note.'))
    .option('--at <line[:column]>', 'where the paragraph is, counted from 1')
    .addOption(new Option('--intent <intent>', 'what to do with the paragraph').choices(Intent.options))
    .addOption(new Option('--question <text>', 'ask this instead').conflicts('intent'))
    .option('--iterations <n>', 'rounds of recursion after the draft', wholeNumber, 3)
    .addOption(
      new Option('--resume <run>', 'go on with a run that was cut off').conflicts([
        'at',
        'intent',
        'question',
      ]),
    )
    .option('--write', 'put the annotation into the note')
    .option('--stream', 'print every event as a JSON line while it happens')
    .action((note: string, options: ReasonOptions, command: Command) => {
      if (options.at === undefined && options.resume === undefined)
        command.error('error: say --at LINE, or --resume RUN for a run that was cut off');
      return run((context) => reasonCommand(note, options, context), command);
    });

  add(root, 'index [folders...]', 'Bring the index of notes and papers up to date.')
    .option('--why <file>', 'say why this file is or is not indexed, and index nothing')
    .action((folders: string[], options: IndexOptions, command: Command) =>
      run((context) => indexCommand(folders, options, context, openRetrieval), command),
    );
  add(root, 'search <query>', 'Find passages in what was indexed.')
    .option('--k <n>', 'passages, at most', positiveNumber, 8)
    .option('--folder <folder...>', 'only beneath these folders of the workspace')
    .option('--tag <tag...>', 'only documents with one of these tags')
    .addOption(new Option('--kind <kind...>', 'only these kinds of document').choices(DocumentKind.options))
    .action((query: string, options: SearchOptions, command: Command) =>
      run((context) => searchCommand(query, options, context), command),
    );
  const graph = root
    .command('graph')
    .description('The knowledge graph of notes, papers, runs and decisions.')
    .exitOverride();
  add(graph, 'export', 'Write the graph as JSON or GraphML.')
    .addOption(new Option('--format <format>', 'how').choices(exportFormats).default('json'))
    .option('--out <file>', 'into a file instead of stdout')
    .action((options: GraphExportOptions, command: Command) =>
      run((context) => graphExportCommand(options, context, withGraphStore), command),
    );

  add(root, 'generate <prompt>', "Print the model's own answer, with nothing enforced.")
    .option('--max-tokens <n>', 'stop after so many tokens', positiveNumber, 512)
    .option('--temperature <t>', 'sampling temperature; 0 takes the likeliest token', temperature, 0)
    .action((prompt: string, options: { maxTokens: number; temperature: number }, command: Command) =>
      run((context) => generateCommand(prompt, options, context), command),
    );

  add(root, 'annotations <note>', 'List the annotations in a note.').action(
    (note: string, _options, command: Command) =>
      run((context) => annotationsCommand(note, context), command),
  );
  add(root, 'strip <note>', 'Print a note without its annotations.')
    .option('--write', 'remove them from the note instead')
    .action((note: string, options: { write?: boolean }, command: Command) =>
      run((context) => stripCommand(note, options, context), command),
    );
  add(
    root,
    'decide <note>',
    'Accept, reject or regenerate an annotation, show another iteration in it, or rate one.',
  )
    .requiredOption('--block <id>', 'the annotation, as it stands in its comment lines')
    .addOption(
      new Option('--as <decision>', 'what you decide')
        .choices(['accept', 'edit', 'reject', 'regenerate', 'pick', 'rate'])
        .makeOptionMandatory(),
    )
    .option('--iteration <k>', 'pick, rate: which one; 0 is the draft', wholeNumber)
    .addOption(new Option('--segment <name>', 'rate: what of it').choices(SegmentKind.options))
    .addOption(
      new Option('--value <value>', 'rate: what you think of it').choices(Rating.shape.value.options),
    )
    .option('--reason <text>', 'why, in your own words')
    .option('--write', 'carry it out in the note')
    .action((note: string, options: DecideOptions, command: Command) =>
      run((context) => decideCommand(note, options, context), command),
    );
  addPairsCommands(root, add, run);
  addTrainingCommands(root, add, run);
  addTeachingCommands(root, add, run);
  evalProgram(root, add, run);
  return root;
}

type Add = (parent: Command, usage: string, description: string) => Command;

function evalProgram(root: Command, add: Add, run: Run): void {
  samplingOptions(add(root, 'eval <experiment>', 'Run an experiment on your own questions and model.'))
    .option('--questions <file>', 'JSON lines, or a BigBench task (default: paragraphs of the workspace)')
    .option('--out <folder>', 'where journal and report go (default: .preflexor/eval of the workspace)')
    .option('--iterations <n>', 'rounds of recursion after the draft', wholeNumber, 3)
    .option('--limit <n>', 'ask the first so many questions only', positiveNumber)
    .option('--models <names>', 'models to compare, with commas between them (experiment 10)', nameList)
    .option('--critic <id|file>', 'the model that criticises and judges (default: the model itself)')
    .option('--samples <n>', 'pairs that are made (experiment 2; default: 20)', positiveNumber)
    .addOption(
      new Option('--preset <name>', 'how they are made (experiment 2)').choices(presetNames).default('quick'),
    )
    .option('--topic <text>', 'only from passages about this (experiment 2)')
    .option(
      '--pairs <file>',
      'pairs that are trained on (experiments 3 and 4; default: those of the newest run of teach)',
    )
    .option('--heldout <file>', 'pairs that are measured on (with --pairs)')
    .addOption(new Option('--phase <phase>', "the method's defaults: 1 ORPO, 2 EXO").choices(['1', '2']))
    .option('--steps <n>', 'optimizer steps of each run', positiveNumber)
    .option('--lr <rate>', 'learning rate', nonNegative)
    .option('--rank <n>', 'rank of a new adapter', positiveNumber)
    .action((experiment: string, options: EvalOptions, command: Command) =>
      run((context) => evalCommand(experiment, options, context), command),
    );
}

function globalOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON on stdout')
    .option('--workspace <folder>', 'the folder that holds .preflexor/ (default: found from the note)')
    .option('--model <id|file>', 'a model of the catalogue, or a GGUF file')
    .option(
      '--adapter <id|path>',
      'an adapter: its id, GGUF file or PEFT folder; "base": none; with --engine-url: its number or name there',
    )
    .option('--seed <n>', 'seed of the sampler', wholeNumber)
    .option('--threads <n>', 'threads for prompts and generation (default: measured)', positiveNumber)
    .option('--embedder <id|file>', 'the embedding model of the index')
    .addOption(new Option('--gpu <backend>', 'what the model runs on').choices(Gpu.options))
    .option('--context-tokens <n>', 'context size (default: as memory allows)', positiveNumber)
    .option('--engine-url <address>', 'a server that speaks the OpenAI chat API; your text goes there')
    .option('--settings <file>', 'settings as an editor has them, the section `preflexor` as JSON')
    .option('--offline', 'never touch the network');
}

function samplingOptions(command: Command): Command {
  return command
    .option('--temperature <t>', 'sampling temperature', temperature)
    .option('--thinking-tokens <n>', 'token budget of the thinking', positiveNumber)
    .option('--reflection-tokens <n>', 'token budget of the reflection', positiveNumber)
    .option('--answer-tokens <n>', 'token budget of the answer', positiveNumber);
}

function nameList(text: string): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length === 0) throw new InvalidArgumentError('Name one model or more.');
  return names;
}
