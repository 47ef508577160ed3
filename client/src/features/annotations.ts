// Annotations: accept, accept edited, review, reject, regenerate, compare and strip, from the palette, from code lenses
// (commands of the server, which other editors run themselves) and from the Iterations view.
// What a decision does to the note is the server's (preflexor/decide, preflexor/strip).
import { window, type TextEditor } from 'vscode';
import { z } from 'zod';
import {
  BlockId,
  Position,
  ReviewStep,
  annotationsRequest,
  decideRequest,
  serverCommands,
  stripRequest,
  type AnnotationBlock,
  type DecideParams,
} from '../../../server/src/protocol/index.ts';
import { blockLabel, blockMeant } from '../blocks.ts';
import { failure } from '../failure.ts';
import type { CommandHandler, Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { activeNote, noNote, showNote } from '../notes.ts';
import type { RunBoard } from '../runBoard.ts';
import { failureFrom, showFailure } from '../showFailure.ts';
import type { Compare } from './compare.ts';
import type { Reasoning } from './reasoning.ts';
import type { Reviewing } from './reviewing.ts';

const BlockArgument = z.object({ uri: z.string(), block: BlockId });
const PlaceArgument = z.object({ uri: z.string(), position: Position });
const NoteArgument = z.object({ uri: z.string() });
const StepArgument = z.object({ uri: z.string(), action: ReviewStep });

type SettlingKind = Exclude<DecideParams['as'], 'pick' | 'rate'>;
/** What can be done with a block. */
export type BlockAction = SettlingKind | 'regenerate' | 'compare' | 'review';

type BlockCommand =
  | 'preflexor.accept'
  | 'preflexor.acceptEdited'
  | 'preflexor.reject'
  | 'preflexor.regenerate'
  | 'preflexor.compare'
  | 'preflexor.review';

export interface Annotations extends Feature<BlockCommand | 'preflexor.strip'> {
  /**
   * Does it and shows what went wrong.
   * @param onlyInNote not on a suggestion that only the history still has
   */
  act(action: BlockAction, uri: string, block: string, onlyInNote?: boolean): Promise<void>;
  /** Runs a command of the server with the editor's own means. @returns undefined, or what `next` gives */
  executeServerCommand(command: string, args: readonly unknown[], next: () => unknown): unknown;
}

export function activateAnnotations(
  server: Server,
  board: RunBoard,
  reasoning: Reasoning,
  compare: Compare,
  reviewing: Reviewing,
): Annotations {
  async function act(action: BlockAction, uri: string, block: string, onlyInNote = false): Promise<void> {
    try {
      await showNote(uri, false);
      if (action === 'regenerate') await reasoning.reason({ uri, replaces: block });
      else if (action === 'compare') await compare.compare(uri, block);
      else if (action === 'review') await reviewing.begin(uri, block);
      else await decide(action, uri, block, onlyInNote);
    } catch (error) {
      showFailure(failureFrom(error), () => act(action, uri, block, onlyInNote));
    }
  }

  async function decide(as: SettlingKind, uri: string, block: string, onlyInNote: boolean): Promise<void> {
    let reason: string | undefined;
    if (as === 'reject') {
      reason = await window.showInputBox({
        title: 'Reject Suggestion',
        prompt: 'Why? Your reason is kept with the decision. Enter rejects, Escape does not.',
        placeHolder: 'No reason needed',
      });
      if (reason === undefined) return;
    }
    const said = reason?.trim();
    const { entry, warning } = await server.request(decideRequest, {
      textDocument: { uri },
      block,
      as,
      ...(said && { reason: said }),
      ...(onlyInNote && { onlyInNote }),
    });
    board.decided(uri, block, entry.kind);
    if (warning !== null) void window.showWarningMessage(warning);
  }

  /** A command of the palette: about the block at the cursor, or the one that the writer picks. */
  async function actHere(action: BlockAction): Promise<void> {
    const editor = activeNote();
    if (!editor) {
      showFailure(noNote());
      return;
    }
    const uri = editor.document.uri.toString();
    try {
      const block = await blockHere(editor, uri);
      if (block) await act(action, uri, block.id);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  async function blockHere(
    { document, selection }: TextEditor,
    uri: string,
  ): Promise<AnnotationBlock | undefined> {
    const { blocks } = await server.request(annotationsRequest, { textDocument: { uri } });
    if (blocks.length === 0) {
      const remedy = 'Reason about a paragraph first.';
      showFailure(failure('unknown-block', 'This note has no suggestions.', remedy));
      return undefined;
    }
    const meant = blockMeant(
      blocks,
      selection.active.line,
      (line) => document.lineAt(line).isEmptyOrWhitespace,
    );
    if (meant) return meant;
    const items = blocks.map((block) => {
      return { label: blockLabel(block), description: `line ${block.range.start.line + 1}`, block };
    });
    return (await window.showQuickPick(items, { title: 'Which Suggestion?' }))?.block;
  }

  async function strip(): Promise<void> {
    const editor = activeNote();
    if (!editor) {
      showFailure(noNote());
      return;
    }
    try {
      const textDocument = { uri: editor.document.uri.toString() };
      const { removed } = await server.request(stripRequest, { textDocument });
      const what = removed === 1 ? '1 annotation' : `${removed} annotations`;
      window.setStatusBarMessage(removed === 0 ? 'This note has no annotations.' : `Removed ${what}.`, 5000);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  /** A command that the server knows and this client does not still goes to the server. */
  const ofServer = new Map<string, (argument: unknown) => unknown>(
    Object.entries({
      [serverCommands.reason]: async (argument) => {
        await reasoning.reason(PlaceArgument.parse(argument));
      },
      [serverCommands.reasonSection]: async (argument) => {
        const { uri, position } = PlaceArgument.parse(argument);
        await reasoning.reasonMany({ uri, scope: 'section', position });
      },
      [serverCommands.reasonNote]: async (argument) => {
        const { uri } = NoteArgument.parse(argument);
        await reasoning.reasonMany({ uri, scope: 'note' });
      },
      [serverCommands.accept]: onBlock('accept'),
      [serverCommands.acceptEdited]: onBlock('accept-edited'),
      [serverCommands.reject]: onBlock('reject'),
      [serverCommands.regenerate]: onBlock('regenerate'),
      [serverCommands.compare]: onBlock('compare'),
      [serverCommands.review]: onBlock('review'),
      [serverCommands.reviewStep]: async (argument) => {
        const { uri, action } = StepArgument.parse(argument);
        await reviewing.step(uri, action);
      },
    } satisfies Record<(typeof serverCommands)[keyof typeof serverCommands], (argument: unknown) => unknown>),
  );

  function onBlock(action: BlockAction) {
    return async (argument: unknown): Promise<void> => {
      const { uri, block } = BlockArgument.parse(argument);
      // A lens that is not redrawn yet may name a block that has just gone.
      await act(action, uri, block, true);
    };
  }

  const here =
    (action: BlockAction): CommandHandler =>
    (argument) => {
      const told = BlockArgument.safeParse(argument);
      return told.success ? act(action, told.data.uri, told.data.block) : actHere(action);
    };

  return {
    act,
    executeServerCommand: (command, args, next) => {
      const handler = ofServer.get(command);
      return handler ? handler(args[0]) : next();
    },
    commands: {
      'preflexor.accept': here('accept'),
      'preflexor.acceptEdited': here('accept-edited'),
      'preflexor.reject': here('reject'),
      'preflexor.regenerate': here('regenerate'),
      'preflexor.compare': here('compare'),
      'preflexor.review': here('review'),
      'preflexor.strip': strip,
    },
    disposables: compare.disposables,
  };
}
