// The Iterations view: shows the runs of the note in the active editor, live (preflexor/reason streams them into
// the run board) or from disk (preflexor/runs, preflexor/run). It draws nothing itself: webview/src/iterations.
import {
  Position,
  Range,
  Selection,
  TextEditorRevealType,
  Uri,
  commands,
  env,
  window,
  type ExtensionContext,
  type TextEditor,
  type WebviewView,
  type WebviewViewProvider,
} from 'vscode';
import {
  IterationsFromView,
  IterationsToView,
  annotationsRequest,
  decideRequest,
  deleteRunRequest,
  runRequest,
  runsRequest,
  sourcesRequest,
  unfinishedRunRequest,
  type ClientCommand,
  type IterationAction,
  type Rating,
  type RemedyAction,
  type RunAction,
} from '../../../server/src/protocol/index.ts';
import { iterationsViewId, type Feature } from '../feature.ts';
import { failure } from '../failure.ts';
import type { Server } from '../languageClient.ts';
import { isNote, showNote } from '../notes.ts';
import type { BoardChange, RunBoard } from '../runBoard.ts';
import {
  isActive,
  snapshotOf,
  storedRun,
  unfinishedRun,
  withPick,
  withRating,
  type RunModel,
} from '../runModel.ts';
import { actOn, failureFrom, showFailure } from '../showFailure.ts';
import { openPage, type Page } from '../webviewHost.ts';
import type { BlockAction } from './annotations.ts';
import type { ReasonRequest, RunDisplay } from './reasoning.ts';

/** What the view's buttons lead to. */
export interface RunControls {
  stop(key: string): void;
  retry(key: string): void;
  answerNow(key: string): void;
  reason(request: ReasonRequest): Promise<void>;
  act(action: BlockAction, uri: string, block: string): Promise<void>;
}

export interface Iterations extends Feature<'preflexor.showIterations'>, RunDisplay {}

const declaration = {
  name: 'iterations',
  title: 'Iterations',
  toView: IterationsToView,
  fromView: IterationsFromView,
};

export function activateIterations(
  context: ExtensionContext,
  server: Server,
  board: RunBoard,
  controls: RunControls,
): Iterations {
  const view = new IterationsView(context, server, board, controls);
  return {
    reveal: () => {
      void commands.executeCommand(`${iterationsViewId}.focus`, { preserveFocus: true });
    },
    shows: (key) => view.shows(key),
    commands: {
      'preflexor.showIterations': () => commands.executeCommand(`${iterationsViewId}.focus`),
    },
    disposables: [
      window.registerWebviewViewProvider(iterationsViewId, view),
      {
        dispose: board.onChange((change) => {
          view.boardChanged(change);
        }),
      },
      window.onDidChangeActiveTextEditor((editor) => {
        view.follow(editor);
      }),
      server.onStarted(() => {
        view.refresh();
      }),
    ],
  };
}

class IterationsView implements WebviewViewProvider {
  readonly #context: ExtensionContext;
  readonly #server: Server;
  readonly #board: RunBoard;
  readonly #controls: RunControls;
  #view: WebviewView | null = null;
  #page: Page<IterationsToView> | null = null;
  /** The page has said that it listens. */
  #ready = false;
  #sequence = 0;
  #note: string | null = null;

  constructor(context: ExtensionContext, server: Server, board: RunBoard, controls: RunControls) {
    this.#context = context;
    this.#server = server;
    this.#board = board;
    this.#controls = controls;
    this.follow(window.activeTextEditor);
  }

  resolveWebviewView(view: WebviewView): void {
    this.#view = view;
    this.#ready = false;
    const page = openPage(
      view.webview,
      declaration,
      {
        extensionUri: this.#context.extensionUri,
        language: env.language,
        warn: (problem) => {
          this.#server.log.warn(problem);
        },
      },
      (message) => {
        this.#hear(message);
      },
    );
    this.#page = page;
    view.onDidChangeVisibility(() => {
      // A page that was hidden is made anew, and says when it is ready.
      if (!view.visible) this.#ready = false;
      else this.refresh();
    });
    view.onDidDispose(() => {
      page.listening.dispose();
      if (this.#view !== view) return;
      this.#view = null;
      this.#page = null;
      this.#ready = false;
    });
    this.refresh();
  }

  /** Stays with the note when the focus goes to something that is none. */
  follow(editor: TextEditor | undefined): void {
    if (!editor || !isNote(editor.document)) return;
    const uri = editor.document.uri.toString();
    if (uri === this.#note) return;
    this.#note = uri;
    this.#sendSnapshot();
    this.refresh();
  }

  shows(key: string): boolean {
    return this.#view?.visible === true && this.#note !== null && this.#board.shownKey(this.#note) === key;
  }

  boardChanged({ uri, key, text, ended }: BoardChange): void {
    if (uri !== this.#note) return;
    const shown = this.#board.shownKey(uri);
    if (text && key === shown) {
      this.#sequence += 1;
      this.#send({ type: 'text', key, seq: this.#sequence, ...text });
    } else if (!text) {
      this.#sendSnapshot();
    }
    if (ended) this.refresh();
  }

  /** Asks the server for the note's runs, and for the one that is shown. */
  refresh(): void {
    const uri = this.#note;
    if (uri === null || this.#view?.visible !== true) return;
    void this.#load(uri).catch((error: unknown) => {
      // A note that was never saved has no runs on disk; anything else is in the log.
      this.#server.log.debug(`The runs of ${uri} could not be read: ${String(error)}`);
    });
  }

  async #load(uri: string): Promise<void> {
    const textDocument = { uri };
    const { runs, unfinished } = await this.#server.request(runsRequest, { textDocument });
    this.#board.setSummaries(uri, runs, unfinished);
    const key = this.#board.shownKey(uri);
    if (key === null || this.#board.model(key)) return;
    const summary = runs.find(({ id }) => id === key);
    if (summary) {
      const { run, ratings } = await this.#server.request(runRequest, { textDocument, run: key });
      this.#board.addStored(uri, storedRun(run, summary.decision, ratings));
    } else if (unfinished.some(({ id }) => id === key)) {
      const { run } = await this.#server.request(unfinishedRunRequest, { textDocument, run: key });
      this.#board.addStored(uri, unfinishedRun(run));
    }
  }

  #hear(message: IterationsFromView): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#sendSnapshot();
        return;
      case 'lost':
        this.#sendSnapshot();
        return;
      case 'didSelectRun':
        if (this.#note !== null) this.#board.select(this.#note, message.key);
        this.refresh();
        return;
      case 'didPressStop':
        this.#controls.stop(message.key);
        return;
      case 'didPressAnswerNow':
        this.#controls.answerNow(message.key);
        return;
      case 'didPressResume':
        this.#onStored(message.key, (uri, { run }) => this.#controls.reason({ uri, resume: run }));
        return;
      case 'didPressDelete':
        this.#onStored(message.key, (uri, { run }) => this.#delete(uri, run));
        return;
      case 'didPressIteration':
        this.#onStored(message.key, (uri, model) =>
          this.#onIteration(uri, model, message.iteration, message.action),
        );
        return;
      case 'didRate':
        this.#onStored(message.key, (uri, model) =>
          this.#rate(uri, model, message.iteration, message.rating),
        );
        return;
      case 'didPressSource':
        this.#onStored(message.key, (uri, { run }) => this.#openSource(uri, run, message.passage));
        return;
      case 'didPressReason':
        void commands.executeCommand('preflexor.reason');
        return;
      case 'didPressAction':
        void this.#act(message.key, message.action);
        return;
      case 'didPressRemedy':
        void this.#remedy(message.key, message.action);
        return;
      case 'didFail':
        this.#server.log.error(`The Iterations view failed: ${message.message}`);
    }
  }

  async #act(key: string, action: RunAction): Promise<void> {
    const uri = this.#board.uriOf(key);
    const block = this.#board.model(key)?.block;
    if (uri === null || !block) return;
    if (action === 'reveal') await this.#reveal(uri, block, key);
    else await this.#controls.act(action, uri, block);
  }

  /** Does something with a run that is on disk, and shows what went wrong. */
  #onStored(key: string, act: (uri: string, model: StoredModel) => Promise<unknown>): void {
    const uri = this.#board.uriOf(key);
    const model = this.#board.model(key);
    if (uri === null || model?.run == null || isActive(model)) return;
    act(uri, { ...model, run: model.run }).catch((error: unknown) => {
      showFailure(failureFrom(error));
    });
  }

  async #delete(uri: string, run: string): Promise<void> {
    const choice = await window.showWarningMessage(
      'Delete this run with all its texts?',
      {
        modal: true,
        detail: 'What you decided stays in the ledger, and a suggestion in the note stays there.',
      },
      'Delete',
    );
    if (choice !== 'Delete') return;
    await this.#server.request(deleteRunRequest, { textDocument: { uri }, run });
    this.#board.deleted(uri, run);
    this.refresh();
  }

  async #onIteration(
    uri: string,
    model: StoredModel,
    iteration: number,
    action: IterationAction,
  ): Promise<void> {
    const { key, run, block } = model;
    if (action === 'pick') {
      if (block === null) return;
      const textDocument = { uri };
      await showNote(uri, false);
      const { warning } = await this.#server.request(decideRequest, {
        ...{ textDocument, block, as: 'pick', iteration },
      });
      this.#board.update(key, (present) => withPick(present, iteration));
      this.#board.decided(uri, block, 'pick');
      if (warning !== null) void window.showWarningMessage(warning);
      return;
    }
    const steps = stepsOf(model, iteration);
    const [first] = steps;
    if (!first) return;
    if (action === 'regenerate') {
      const replaces = block === null ? {} : { replaces: block };
      await this.#controls.reason({ uri, branch: { run, iteration, step: first }, ...replaces });
      return;
    }
    const step = await chosenStep(steps);
    if (step) await this.#controls.reason({ uri, branch: { run, iteration, step } });
  }

  async #rate(uri: string, model: StoredModel, iteration: number, rating: Rating): Promise<void> {
    const { key, block } = model;
    if (block === null) return;
    const { warning } = await this.#server.request(decideRequest, {
      ...{ textDocument: { uri }, block, as: 'rate', iteration, rating },
    });
    this.#board.update(key, (present) => withRating(present, { iteration, ...rating }));
    if (warning !== null) void window.showWarningMessage(warning);
  }

  async #openSource(uri: string, run: string, passage: string): Promise<void> {
    const { passages } = await this.#server.request(sourcesRequest, { textDocument: { uri }, run });
    const found = passages.find(({ id }) => id === passage);
    if (found) await commands.executeCommand('preflexor.openPassage' satisfies ClientCommand, found);
  }

  async #remedy(key: string, action: RemedyAction): Promise<void> {
    await actOn(action, () => {
      this.#controls.retry(key);
    });
  }

  /** The block in the note, else the paragraph that it was about. */
  async #reveal(uri: string, block: string, key: string): Promise<void> {
    try {
      const editor = await showNote(uri, true);
      const { blocks } = await this.#server.request(annotationsRequest, { textDocument: { uri } });
      const start = blocks.find(({ id }) => id === block)?.range.start;
      const place = start ? new Position(start.line, start.character) : this.#paragraph(editor, key);
      if (!place) {
        const message = 'The paragraph of this run is no longer in the note as it was.';
        showFailure(failure('unknown-block', message, null));
        return;
      }
      editor.selection = new Selection(place, place);
      editor.revealRange(new Range(place, place), TextEditorRevealType.InCenterIfOutsideViewport);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  #paragraph({ document }: TextEditor, key: string): Position | null {
    const text = this.#board.model(key)?.paragraph ?? '';
    const offset = text === '' ? -1 : document.getText().indexOf(text);
    return offset < 0 ? null : document.positionAt(offset);
  }

  #sendSnapshot(): void {
    const uri = this.#note;
    const name = uri === null ? null : (Uri.parse(uri).path.split('/').at(-1) ?? '');
    if (this.#view) this.#view.description = name ?? '';
    const key = uri === null ? null : this.#board.shownKey(uri);
    const model = key === null ? null : this.#board.model(key);
    this.#sequence = 0;
    this.#send({
      type: 'snapshot',
      note: name,
      current: model && snapshotOf(model, Date.now()),
      entries: uri === null ? [] : this.#board.entries(uri),
    });
  }

  #send(message: IterationsToView): void {
    if (this.#ready) this.#page?.send(message);
  }
}

/** A run that is on disk. */
type StoredModel = RunModel & { readonly run: string };

const stepTitles = {
  critique: 'Its Critique',
  thinking: 'Its Thinking',
  reflection: 'Its Reflection',
  answer: 'Its Answer',
} as const;
type BranchStep = keyof typeof stepTitles;

/** The steps of an iteration from which it can be written anew, the first one first. */
function stepsOf({ iterations }: RunModel, index: number): BranchStep[] {
  const sections = iterations.find((iteration) => iteration.index === index)?.sections ?? [];
  const order: readonly BranchStep[] = ['critique', 'thinking', 'reflection', 'answer'];
  return order.filter((step) => sections.some(({ kind }) => kind === step));
}

async function chosenStep(steps: readonly BranchStep[]): Promise<BranchStep | undefined> {
  const items = steps.map((step) => ({ label: stepTitles[step], step }));
  const title = 'Branch: What Is to Be Written Anew, With All That Follows?';
  return (await window.showQuickPick(items, { title }))?.step;
}
