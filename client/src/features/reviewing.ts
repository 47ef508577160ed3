// Review: a suggestion taken or left change by change (preflexor/review). The changes are drawn over the paragraph;
// the note itself is not touched before the review is applied, which is one edit of the server's.
import {
  MarkdownString,
  OverviewRulerLane,
  Position,
  Range,
  Selection,
  TextEditorRevealType,
  ThemeColor,
  commands,
  window,
  type DecorationOptions,
  type DecorationRenderOptions,
  type TextEditor,
} from 'vscode';
import {
  reviewContext,
  reviewNotification,
  reviewRequest,
  type HunkState,
  type Review,
  type ReviewEnd,
  type ReviewStep,
} from '../../../server/src/protocol/index.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { activeNote, noNote, showNote } from '../notes.ts';
import { drawnHunks } from '../reviewModel.ts';
import type { RunBoard } from '../runBoard.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

type ReviewCommand =
  | 'preflexor.takeChange'
  | 'preflexor.leaveChange'
  | 'preflexor.takeRest'
  | 'preflexor.leaveRest'
  | 'preflexor.nextChange'
  | 'preflexor.previousChange'
  | 'preflexor.applyChanges'
  | 'preflexor.giveUpReview';

export interface Reviewing extends Feature<ReviewCommand> {
  /** Opens the review of a suggestion. @throws RequestError */
  begin(uri: string, block: string): Promise<void>;
  /** A step of the review that goes on in a note; shows what went wrong. */
  step(uri: string, action: ReviewStep): Promise<void>;
}

const endings: Record<ReviewEnd, string> = {
  applied: 'The changes that you took are in the note. One undo brings everything back.',
  'given-up': 'The review was given up. The note is as it was.',
  overtaken: 'The review is over: the paragraph or its suggestion was changed.',
};

export function activateReviewing(server: Server, board: RunBoard): Reviewing {
  const reviews = new Map<string, Review>();
  const pens = createPens();

  async function begin(uri: string, block: string): Promise<void> {
    const editor = await showNote(uri, true);
    const textDocument = { uri };
    const { review } = await server.request(reviewRequest, { textDocument, action: 'begin', block });
    if (review) goTo(editor, review);
  }

  async function step(uri: string, action: ReviewStep): Promise<void> {
    const block = reviews.get(uri)?.block;
    const editor = window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
    try {
      const { line, character } = editor?.selection.active ?? new Position(0, 0);
      const position = editor && { position: { line, character } };
      const { review, decision } = await server.request(reviewRequest, {
        ...{ textDocument: { uri }, action },
        ...position,
      });
      if (editor && review) goTo(editor, review);
      if (decision && block !== undefined) board.decided(uri, block, decision.entry.kind);
      if (decision?.warning != null) void window.showWarningMessage(decision.warning);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  async function stepHere(action: ReviewStep): Promise<void> {
    const editor = activeNote();
    if (editor) await step(editor.document.uri.toString(), action);
    else showFailure(noNote());
  }

  function told(uri: string, review: Review | null, ended: ReviewEnd | null): void {
    if (review) reviews.set(uri, review);
    else reviews.delete(uri);
    if (ended) window.setStatusBarMessage(endings[ended], 6000);
    draw();
  }

  function draw(): void {
    for (const editor of window.visibleTextEditors) {
      pens.draw(editor, reviews.get(editor.document.uri.toString()) ?? null);
    }
    const active = window.activeTextEditor?.document.uri.toString() ?? '';
    void commands.executeCommand('setContext', reviewContext, reviews.has(active));
  }

  return {
    begin,
    step,
    commands: {
      'preflexor.takeChange': () => stepHere('take'),
      'preflexor.leaveChange': () => stepHere('leave'),
      'preflexor.takeRest': () => stepHere('take-rest'),
      'preflexor.leaveRest': () => stepHere('leave-rest'),
      'preflexor.nextChange': () => stepHere('next'),
      'preflexor.previousChange': () => stepHere('previous'),
      'preflexor.applyChanges': () => stepHere('apply'),
      'preflexor.giveUpReview': () => stepHere('give-up'),
    },
    disposables: [
      pens,
      server.onNotification(reviewNotification, ({ uri, review, ended }) => {
        told(uri, review, ended);
      }),
      // A server that starts anew knows of no review.
      server.onStarted(() => {
        reviews.clear();
        draw();
      }),
      window.onDidChangeActiveTextEditor(draw),
      window.onDidChangeVisibleTextEditors(draw),
    ],
  };
}

/** Puts the cursor to the change that is decided on next. */
function goTo(editor: TextEditor, { hunks, current }: Review): void {
  const start = hunks[current]?.range.start;
  if (!start) return;
  const place = new Position(start.line, start.character);
  editor.selection = new Selection(place, place);
  editor.revealRange(new Range(place, place), TextEditorRevealType.InCenterIfOutsideViewport);
}

interface Pens {
  draw(editor: TextEditor, review: Review | null): void;
  dispose(): void;
}

const removed = new ThemeColor('diffEditor.removedTextBackground');
const inserted = new ThemeColor('diffEditor.insertedTextBackground');
const focus = new ThemeColor('focusBorder');
const ruler = {
  overviewRulerColor: new ThemeColor('minimapGutter.modifiedBackground'),
  overviewRulerLane: OverviewRulerLane.Left,
};

/** One way of drawing for each state. What is said by a colour is said by a line as well. */
const looks: Record<HunkState, DecorationRenderOptions> = {
  open: { ...ruler, backgroundColor: removed, textDecoration: 'line-through' },
  taken: { ...ruler, opacity: '0.5', textDecoration: 'line-through' },
  left: {},
};

function createPens(): Pens {
  const states = ['open', 'taken', 'left'] as const;
  const pens = states.map((state) => ({ state, type: window.createTextEditorDecorationType(looks[state]) }));
  const frame = window.createTextEditorDecorationType({ outline: '1px solid', outlineColor: focus });
  return {
    draw: (editor, review) => {
      const hunks = review ? drawnHunks(review) : [];
      for (const { state, type } of pens) {
        const own = hunks.filter((hunk) => hunk.state === state);
        editor.setDecorations(
          type,
          own.map(({ range, inserted: text, current, words }): DecorationOptions => {
            const around = current ? { border: '1px solid', borderColor: focus } : {};
            return {
              range: rangeOf(range),
              // Words of a note or a model: never read as markdown.
              hoverMessage: new MarkdownString().appendText(words),
              ...(text !== '' && {
                renderOptions: { after: { contentText: text, backgroundColor: inserted, ...around } },
              }),
            };
          }),
        );
      }
      const current = hunks.filter((hunk) => hunk.current).map(({ range }) => rangeOf(range));
      editor.setDecorations(frame, current);
    },
    dispose: () => {
      for (const { type } of pens) type.dispose();
      frame.dispose();
    },
  };
}

function rangeOf({ start, end }: Review['paragraph']): Range {
  return new Range(start.line, start.character, end.line, end.character);
}
