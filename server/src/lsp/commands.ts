// workspace/executeCommand: what code lenses and code actions carry, so that every editor can run them.
// VS Code's client asks for the same things by the custom requests, to show more of them.
import type { CancellationToken, Connection } from 'vscode-languageserver/node';
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import {
  BlockId,
  Position,
  ReviewStep,
  serverCommands,
  type ErrorReport,
  type ReasonManyParams,
  type ReasonParams,
  type ServerCommand,
} from '../protocol/index.ts';
import type { Decisions } from './decisions.ts';
import { decodeParams } from './errors.ts';
import { signalOf, type Reasoning } from './reasoning.ts';
import type { ReasoningMany } from './reasoningMany.ts';
import type { Reviews } from './reviews.ts';

const ReasonArgument = z.object({ uri: z.string().min(1), position: Position });
const BlockArgument = z.object({ uri: z.string().min(1), block: BlockId });
const NoteArgument = z.object({ uri: z.string().min(1) });
const StepArgument = z.object({ uri: z.string().min(1), action: ReviewStep });

export interface CommandParts {
  readonly connection: Connection;
  readonly reasoning: Reasoning;
  readonly many: ReasoningMany;
  readonly decisions: Decisions;
  readonly reviews: Reviews;
}

/** Executes one command with its one argument. @throws PreflexorError */
export type Execute = (command: string, argument: unknown, token: CancellationToken) => Promise<unknown>;

export function createCommands({ connection, reasoning, many, decisions, reviews }: CommandParts): Execute {
  /** Progress that the editor can cancel, which also works where it shows no custom view. */
  async function reason(params: ReasonParams, token: CancellationToken): Promise<unknown> {
    const progress = await connection.window.createWorkDoneProgress();
    const signal = AbortSignal.any([signalOf(token), signalOf(progress.token)]);
    const result = await reasoning.reason(params, progress, signal);
    if (result.reason) connection.window.showWarningMessage(result.reason);
    return result;
  }

  async function reasonMany(params: ReasonManyParams, token: CancellationToken): Promise<unknown> {
    const progress = await connection.window.createWorkDoneProgress();
    const signal = AbortSignal.any([signalOf(token), signalOf(progress.token)]);
    const result = await many.reasonMany(params, progress, signal);
    const [failure, ...others] = result.failures;
    if (failure) connection.window.showWarningMessage(failedParagraphs(failure, others.length));
    return result;
  }

  const decide = (as: 'accept' | 'accept-edited' | 'reject') => async (argument: unknown) => {
    const { uri, block } = decodeParams(as, BlockArgument, argument);
    const result = await decisions.decide({ textDocument: { uri }, block, as, onlyInNote: true });
    if (result.warning) connection.window.showWarningMessage(result.warning);
    return result;
  };

  const commands: Record<ServerCommand, (argument: unknown, token: CancellationToken) => Promise<unknown>> = {
    [serverCommands.reason]: (argument, token) => {
      const { uri, position } = decodeParams(serverCommands.reason, ReasonArgument, argument);
      return reason({ textDocument: { uri }, position }, token);
    },
    [serverCommands.reasonSection]: (argument, token) => {
      const { uri, position } = decodeParams(serverCommands.reasonSection, ReasonArgument, argument);
      return reasonMany({ textDocument: { uri }, scope: 'section', position }, token);
    },
    [serverCommands.reasonNote]: (argument, token) => {
      const { uri } = decodeParams(serverCommands.reasonNote, NoteArgument, argument);
      return reasonMany({ textDocument: { uri }, scope: 'note' }, token);
    },
    [serverCommands.regenerate]: (argument, token) => {
      const { uri, block } = decodeParams(serverCommands.regenerate, BlockArgument, argument);
      return reason({ textDocument: { uri }, replaces: block }, token);
    },
    [serverCommands.accept]: decide('accept'),
    [serverCommands.acceptEdited]: decide('accept-edited'),
    [serverCommands.reject]: decide('reject'),
    [serverCommands.compare]: (argument) => {
      const { uri, block } = decodeParams(serverCommands.compare, BlockArgument, argument);
      return decisions.compare({ textDocument: { uri }, block });
    },
    [serverCommands.review]: (argument) => {
      const { uri, block } = decodeParams(serverCommands.review, BlockArgument, argument);
      return reviews.review({ textDocument: { uri }, action: 'begin', block });
    },
    [serverCommands.reviewStep]: async (argument) => {
      const { uri, action } = decodeParams(serverCommands.reviewStep, StepArgument, argument);
      const result = await reviews.review({ textDocument: { uri }, action });
      if (result.decision?.warning) connection.window.showWarningMessage(result.decision.warning);
      return result;
    },
  };

  return (command, argument, token) => {
    if (!Object.hasOwn(commands, command))
      throw new PreflexorError('bad-input', `There is no command ${command}.`);
    return commands[command as ServerCommand](argument, token);
  };
}

/** One sentence for all of them. */
function failedParagraphs({ message, remedy }: ErrorReport, others: number): string {
  const more = others === 0 ? '' : ` (${others} more paragraphs as well)`;
  return [`${message}${more}`, ...(remedy === null ? [] : [remedy])].join(' ');
}
