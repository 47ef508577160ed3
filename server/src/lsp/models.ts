// preflexor/models, getModel, addModel, unload, status: the models of this machine and the engine's state.
import { ProgressType, type CancellationToken, type Connection } from 'vscode-languageserver/node';
import type { z } from 'zod';
import type { ModelStore } from '../engine/index.ts';
import type {
  addModelRequest,
  DownloadProgress,
  getModelRequest,
  modelsRequest,
  setKeyRequest,
  statusRequest,
  unloadRequest,
} from '../protocol/index.ts';
import type { EngineHolder } from './engine.ts';
import type { ServerKeys } from './keys.ts';
import { signalOf } from './reasoning.ts';
import type { SettingsSource } from './settings.ts';

const downloadProgress = new ProgressType<DownloadProgress[]>();

export interface ModelParts {
  readonly connection: Connection;
  readonly engines: EngineHolder;
  readonly critics: EngineHolder;
  readonly settings: SettingsSource;
  readonly serverKeys: ServerKeys;
  readonly models: ModelStore;
}

type Params<M extends { params: z.ZodType }> = z.infer<M['params']>;
type Result<M extends { result: z.ZodType }> = Promise<z.infer<M['result']>>;

export interface ModelRequests {
  'preflexor/models': () => Result<typeof modelsRequest>;
  'preflexor/getModel': (
    params: Params<typeof getModelRequest>,
    token: CancellationToken,
  ) => Result<typeof getModelRequest>;
  'preflexor/addModel': (
    params: Params<typeof addModelRequest>,
    token: CancellationToken,
  ) => Result<typeof addModelRequest>;
  'preflexor/setKey': (params: Params<typeof setKeyRequest>) => Result<typeof setKeyRequest>;
  'preflexor/unload': () => Result<typeof unloadRequest>;
  'preflexor/status': () => Result<typeof statusRequest>;
}

export function createModelRequests({
  connection,
  engines,
  critics,
  settings,
  serverKeys,
  models,
}: ModelParts): ModelRequests {
  return {
    'preflexor/models': async () => ({
      models: await models.listModels(),
      current: (await settings.for()).model,
    }),
    'preflexor/getModel': async ({ id, workDoneToken, partialResultToken }, token) => {
      const progress = connection.window.attachWorkDoneProgress(workDoneToken);
      progress.begin('Downloading', 0, undefined, true);
      try {
        const model = await models.getModel(id, {
          signal: signalOf(token),
          onProgress: (step) => {
            const { received, total } = step;
            progress.report(total ? Math.floor((received / total) * 100) : 0, progressText(step));
            if (partialResultToken !== undefined) {
              void connection.sendProgress(downloadProgress, partialResultToken, [step]);
            }
          },
        });
        return { model };
      } finally {
        progress.done();
      }
    },
    'preflexor/addModel': async ({ file }, token) => ({
      model: await models.addModel(file, { signal: signalOf(token) }),
    }),
    'preflexor/setKey': ({ address, key }) => {
      serverKeys.set(address, key);
      return Promise.resolve({});
    },
    'preflexor/unload': async () => {
      await Promise.all([engines.unload(), critics.unload()]);
      return {};
    },
    'preflexor/status': async () => (await engines.get()).status(),
  };
}

function progressText({ event, received, total }: DownloadProgress): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  if (event === 'verifying') return 'Checking what arrived';
  if (event === 'unpacking') return 'Unpacking';
  if (event === 'converting') return 'Converting';
  return total === null ? `${megabytes(received)} MB` : `${megabytes(received)} of ${megabytes(total)} MB`;
}
