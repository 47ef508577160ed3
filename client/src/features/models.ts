// Models: pick one of the catalogue (preflexor/models), get it when it is not here (preflexor/getModel), or use
// a GGUF file that is here already (preflexor/addModel). The choice is the setting `preflexor.model`.
import { ConfigurationTarget, ProgressLocation, QuickPickItemKind, window, workspace } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { z } from 'zod';
import {
  DownloadProgress,
  addModelRequest,
  clientCommands,
  getModelRequest,
  modelsRequest,
  type ModelListing,
} from '../../../server/src/protocol/index.ts';
import type { Feature } from '../feature.ts';
import type { Server } from '../languageClient.ts';
import { downloadQuestion, downloadStep, modelDescription, modelDetail } from '../modelWords.ts';
import { failureFrom, showFailure } from '../showFailure.ts';

interface ModelItem extends QuickPickItem {
  readonly choose?: () => Promise<void>;
}

export function activateModels(server: Server): Feature<'preflexor.chooseModel' | 'preflexor.addModel'> {
  async function chooseModel(): Promise<void> {
    try {
      const picked = await window.showQuickPick(items(), {
        title: 'Choose Model',
        placeHolder: 'The model that reasons about your paragraphs, on this machine',
        matchOnDescription: true,
        matchOnDetail: true,
      });
      await picked?.choose?.();
    } catch (error) {
      showFailure(failureFrom(error), chooseModel);
    }
  }

  async function items(): Promise<ModelItem[]> {
    const { models, current } = await server.request(modelsRequest, {});
    const reasoners = models.filter(({ role }) => role.includes('reasoner'));
    const { icon, title } = clientCommands['preflexor.addModel'];
    return [
      group('On this machine'),
      ...reasoners.filter(({ installed }) => installed).map((model) => item(model, current)),
      { label: `$(${icon}) ${title}…`, choose: addModel },
      group('To be downloaded'),
      ...reasoners.filter(({ installed }) => !installed).map((model) => item(model, current)),
    ];
  }

  function item(model: ModelListing, current: string): ModelItem {
    const icon = model.id === current ? 'check' : model.installed ? 'blank' : 'cloud-download';
    return {
      label: `$(${icon}) ${model.name}`,
      description: modelDescription(model),
      detail: modelDetail(model),
      choose: () => use(model),
    };
  }

  async function use(model: ModelListing): Promise<void> {
    if (!model.installed && !(await agreed(model))) return;
    const here = model.installed ? model : await download(model);
    if (here) await choose(here);
  }

  async function agreed(model: ModelListing): Promise<boolean> {
    const { message, detail } = downloadQuestion(model);
    return (await window.showInformationMessage(message, { modal: true, detail }, 'Download')) === 'Download';
  }

  /** @returns null when the writer broke it off: what has come is kept */
  async function download(model: ModelListing): Promise<ModelListing | null> {
    const title = `Downloading ${model.name}`;
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    return await window.withProgress(options, async (progress, token) => {
      let received = 0;
      try {
        const answer = await server.request(
          getModelRequest,
          { id: model.id },
          {
            token,
            partial: {
              schema: z.array(DownloadProgress),
              hear: (steps) => {
                for (const step of steps) {
                  const { message, increment, received: now } = downloadStep(step, received);
                  received = now;
                  progress.report({ message, increment });
                }
              },
            },
          },
        );
        return answer.model;
      } catch (error) {
        const failure = failureFrom(error);
        if (failure.code === 'cancelled') return null;
        showFailure(failure, () => use(model));
        return null;
      }
    });
  }

  async function addModel(): Promise<void> {
    const files = await window.showOpenDialog({
      title: 'Use a GGUF File',
      openLabel: 'Use This Model',
      canSelectMany: false,
      filters: { 'GGUF models': ['gguf'] },
    });
    const file = files?.[0];
    if (!file) return;
    try {
      const title = 'Checking the model';
      const { model } = await window.withProgress({ location: ProgressLocation.Window, title }, () =>
        server.request(addModelRequest, { file: file.fsPath }),
      );
      await choose(model);
    } catch (error) {
      showFailure(failureFrom(error), addModel);
    }
  }

  return {
    commands: { 'preflexor.chooseModel': chooseModel, 'preflexor.addModel': addModel },
    disposables: [],
  };
}

async function choose({ id, name }: ModelListing): Promise<void> {
  await workspace.getConfiguration('preflexor').update('model', id, ConfigurationTarget.Global);
  window.setStatusBarMessage(`PRefLexOR now uses ${name}.`, 5000);
}

function group(label: string): ModelItem {
  return { label, kind: QuickPickItemKind.Separator };
}
