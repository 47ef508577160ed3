// The engine and its models.
import { z } from 'zod';
import { EngineStatus } from '../engine.ts';
import { DownloadProgress, ModelListing } from '../models.ts';
import { ProgressToken } from '../text.ts';
import { notification, request } from './kinds.ts';

export const modelsRequest = request(
  'preflexor/models',
  z.object({}),
  z.object({ models: z.array(ModelListing), current: z.string() }),
);

export const getModelRequest = request(
  'preflexor/getModel',
  z.object({
    id: z.string(),
    workDoneToken: ProgressToken.optional(),
    partialResultToken: ProgressToken.optional(),
  }),
  z.object({ model: ModelListing }),
  z.array(DownloadProgress),
);

export const addModelRequest = request(
  'preflexor/addModel',
  z.object({ file: z.string().min(1) }),
  z.object({ model: ModelListing }),
);

/** The key of a model server, kept in memory only. It is sent to servers at this address and to no other. */
export const setKeyRequest = request(
  'preflexor/setKey',
  z.object({
    /** As setting `preflexor.engine.url` has it; what counts is its scheme, host and port. */
    address: z.string().min(1).max(2000),
    /** null: it is forgotten. */
    key: z.string().min(1).max(10_000).nullable(),
  }),
  z.object({}),
);

export const unloadRequest = request('preflexor/unload', z.object({}), z.object({}));

export const statusRequest = request('preflexor/status', z.object({}), EngineStatus);

export const statusNotification = notification('preflexor/didChangeStatus', EngineStatus);
