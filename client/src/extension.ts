// The client's door: wires the features together, nothing else. Nothing here waits for the language server.
import { commands, window, type ExtensionContext } from 'vscode';
import { clientCommands, type ClientCommand } from '../../server/src/protocol/index.ts';
import { activateAdapters } from './features/adapters.ts';
import { activateAnnotations } from './features/annotations.ts';
import { activateCompare } from './features/compare.ts';
import { activateFolding } from './features/folding.ts';
import { activateGraph } from './features/graph.ts';
import { activateIndexing } from './features/indexing.ts';
import { activateIterations } from './features/iterations.ts';
import { activateKeeping } from './features/keeping.ts';
import { activateModels } from './features/models.ts';
import { activateModelServer } from './features/modelServer.ts';
import { activatePassages } from './features/passages.ts';
import { activatePairs } from './features/pairs.ts';
import { PdfPages } from './features/pdfPages.ts';
import { activatePreview, type MarkdownExtension } from './features/preview.ts';
import { activateQueue } from './features/queue.ts';
import { activateReasoning } from './features/reasoning.ts';
import { activateRecording } from './features/recording.ts';
import { activateReviewing } from './features/reviewing.ts';
import { activateSources } from './features/sources.ts';
import { activateStatus } from './features/status.ts';
import { activateTraining } from './features/training.ts';
import { activateTeaching } from './features/teaching.ts';
import type { CommandHandler } from './feature.ts';
import { IndexBoard } from './indexBoard.ts';
import { LanguageServer } from './languageClient.ts';
import { nodeProblem } from './nodeVersion.ts';
import { RunBoard } from './runBoard.ts';

let server: LanguageServer | undefined;

export function activate(context: ExtensionContext): MarkdownExtension {
  const board = new RunBoard();
  const indexes = new IndexBoard();
  server = new LanguageServer(context, (command, args: readonly unknown[], next) =>
    annotations.executeServerCommand(command, args, () => next(command, [...args])),
  );
  const iterations = activateIterations(context, server, board, {
    stop: (key) => {
      reasoning.stop(key);
    },
    retry: (key) => {
      reasoning.retry(key);
    },
    answerNow: (key) => {
      reasoning.answerNow(key);
    },
    reason: (request) => reasoning.reason(request),
    act: (action, uri, block) => annotations.act(action, uri, block),
  });
  const reasoning = activateReasoning(server, board, iterations);
  const reviewing = activateReviewing(server, board);
  const compare = activateCompare(server);
  const annotations = activateAnnotations(server, board, reasoning, compare, reviewing);
  const models = activateModels(server);
  const modelServer = activateModelServer(server, context.secrets);
  const indexing = activateIndexing(server, indexes);
  const pages = new PdfPages(context, server.log);
  const passages = activatePassages(server, pages);
  const sources = activateSources(server, board, indexes);
  const pairs = activatePairs(context, server);
  const training = activateTraining(context, server);
  const graph = activateGraph(context, server);
  const keeping = activateKeeping(server);
  const recording = activateRecording(context);
  const queue = activateQueue(server);
  const status = activateStatus(server, board, indexes);
  const adapters = activateAdapters(server, compare);
  const teaching = activateTeaching(server, adapters);
  const folding = activateFolding(server);

  // A command of the manifest that no feature brings does not compile.
  const handlers: Record<ClientCommand, CommandHandler> = {
    ...reasoning.commands,
    ...annotations.commands,
    ...reviewing.commands,
    ...iterations.commands,
    ...models.commands,
    ...modelServer.commands,
    ...indexing.commands,
    ...passages.commands,
    ...sources.commands,
    ...pairs.commands,
    ...training.commands,
    ...graph.commands,
    ...keeping.commands,
    ...recording.commands,
    ...queue.commands,
    ...status.commands,
    ...adapters.commands,
    ...teaching.commands,
  };
  for (const command of Object.keys(clientCommands) as ClientCommand[]) {
    context.subscriptions.push(commands.registerCommand(command, handlers[command]));
  }
  const features = [
    reasoning,
    annotations,
    reviewing,
    iterations,
    models,
    modelServer,
    indexing,
    passages,
    sources,
    pairs,
    training,
    graph,
    keeping,
    recording,
    queue,
    status,
    adapters,
    teaching,
    folding,
  ];
  for (const feature of features) context.subscriptions.push(...feature.disposables);
  context.subscriptions.push(pages);

  const problem = nodeProblem(process.versions.node);
  if (problem === null) void server.start();
  else void window.showErrorMessage(problem);
  return activatePreview();
}

/** The server ends its engine host before it ends itself. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}
