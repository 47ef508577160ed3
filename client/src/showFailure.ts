// Shows a failure of something that the writer asked for, with buttons for what helps.
import { commands, window } from 'vscode';
import type { ClientCommand, RemedyAction } from '../../server/src/protocol/index.ts';
import { failureOf, sentenceOf, type Failure } from './failure.ts';
import { RequestError } from './languageClient.ts';

const titles: Record<RemedyAction, string> = {
  retry: 'Try Again',
  chooseModel: 'Choose Model',
  save: 'Save Note',
  showLog: 'Show Log',
  reload: 'Reload Window',
};

const effects: Record<Exclude<RemedyAction, 'retry'>, ClientCommand | `workbench.action.${string}`> = {
  chooseModel: 'preflexor.chooseModel',
  save: 'workbench.action.files.save',
  showLog: 'preflexor.showLog',
  reload: 'workbench.action.reloadWindow',
};

/** Does what a remedy's button says. @param retry what "Try Again" does */
export async function actOn(action: RemedyAction, retry: (() => unknown) | null): Promise<void> {
  if (action === 'retry') await retry?.();
  else await commands.executeCommand(effects[action]);
}

/** Shows it unless the writer did it. Nobody waits for the writer to close the message. */
export function showFailure(failure: Failure, retry: (() => unknown) | null = null): void {
  if (failure.code !== 'cancelled') void offer(failure, retry);
}

async function offer(failure: Failure, retry: (() => unknown) | null): Promise<void> {
  const offered = failure.actions.filter((action) => action !== 'retry' || retry !== null);
  const items = offered.map((action) => ({ title: titles[action], action }));
  const picked = await window.showErrorMessage(sentenceOf(failure), ...items);
  if (picked) await actOn(picked.action, retry);
}

/** What was thrown, as something that can be shown. */
export function failureFrom(error: unknown): Failure {
  return error instanceof RequestError ? error.failure : failureOf(error);
}
