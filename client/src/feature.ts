// What a feature hands to extension.ts: its commands, and what is to be disposed of with it.
import type { ClientCommand } from '../../server/src/protocol/index.ts';

/** Anything that is to be ended with the extension: VS Code's disposables, and others with the same method. */
export interface Releasable {
  dispose(): unknown;
}

export type CommandHandler = (...args: unknown[]) => unknown;

/** `C` names the commands, so that the whole table is checked when it is put together. */
export interface Feature<C extends ClientCommand> {
  readonly commands: Readonly<Record<C, CommandHandler>>;
  readonly disposables: readonly Releasable[];
}

/** Feature ids that package.json names too. */
export const iterationsViewId = 'preflexor.iterations';
/** Context key: runs are waiting or running. */
export const workingContext = 'preflexor.working';
