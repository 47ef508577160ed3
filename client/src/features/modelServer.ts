// The key of the model server that setting preflexor.engine.url names: kept in the editor's secret storage, one for
// each address, and told to the language server (preflexor/setKey), which keeps it in memory only.
import { window, workspace, type SecretStorage } from 'vscode';
import { setKeyRequest } from '../../../server/src/protocol/index.ts';
import { failure } from '../failure.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { serverAddress, type ServerAddress } from '../serverAddress.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

export function activateModelServer(server: Server, secrets: SecretStorage): Feature<'preflexor.setKey'> {
  /** Without a key nothing is said: the server has none after its start. */
  async function tell(forget: boolean): Promise<void> {
    const address = configured();
    if (!address) return;
    try {
      const key = (await secrets.get(secretOf(address))) ?? null;
      if (key !== null || forget) await server.request(setKeyRequest, { address: address.origin, key });
    } catch (error) {
      // Never what was sent: only what the failure says.
      server.log.warn(`The key of ${address.host} could not be handed over: ${failureFrom(error).message}`);
    }
  }

  async function setKey(): Promise<void> {
    const address = configured();
    if (!address) {
      const remedy = 'Put its address into setting preflexor.engine.url first.';
      showFailure(failure('bad-input', 'No model server is set.', remedy));
      return;
    }
    const key = await window.showInputBox({
      title: `Set Key of the Model Server ${address.host}`,
      prompt: `Kept in this editor's secret storage, and sent to ${address.host} only. Leave it empty to remove the key.`,
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined) return;
    try {
      if (key.trim() === '') await secrets.delete(secretOf(address));
      else await secrets.store(secretOf(address), key.trim());
      await tell(true);
    } catch (error) {
      showFailure(failureFrom(error));
    }
  }

  return {
    commands: { 'preflexor.setKey': setKey },
    disposables: [
      server.onStarted(() => void tell(false)),
      // Another window may have set it.
      secrets.onDidChange(({ key }) => {
        const address = configured();
        if (address && key === secretOf(address)) void tell(true);
      }),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('preflexor.engine.url')) void tell(false);
      }),
    ],
  };
}

function configured(): ServerAddress | null {
  return serverAddress(workspace.getConfiguration('preflexor').get<unknown>('engine.url'));
}

function secretOf({ origin }: ServerAddress): string {
  return `preflexor.key ${origin}`;
}
