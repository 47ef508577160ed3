// Every custom request and notification of the language server, declared once.
// docs/lsp-extensions.md has one section per method; a test decodes its examples with these schemas.
import {
  answerNowRequest,
  blockInsertedNotification,
  deleteRunRequest,
  queueNotification,
  queueRequest,
  reasonManyRequest,
  reasonRequest,
  runRequest,
  runsRequest,
  stopRequest,
  unfinishedRunRequest,
} from './runs.ts';
import {
  annotationsRequest,
  compareRequest,
  decideRequest,
  reviewNotification,
  reviewRequest,
  stripRequest,
} from './suggestions.ts';
import {
  addModelRequest,
  getModelRequest,
  modelsRequest,
  setKeyRequest,
  statusNotification,
  statusRequest,
  unloadRequest,
} from './engine.ts';
import {
  indexNotification,
  indexRequest,
  indexStatusRequest,
  relatedRequest,
  searchRequest,
  sourcesRequest,
  whyNotIndexedRequest,
} from './passages.ts';
import {
  curateRequest,
  exportPairsRequest,
  forgetRequest,
  importPairsRequest,
  pairRequest,
  pairsNotification,
  pairsRequest,
  undoCurationRequest,
} from './pairs.ts';
import { graphEvidenceRequest, graphRequest } from './graph.ts';
import {
  teachRequest,
  teachingEstimateRequest,
  teachingNotification,
  teachingStatusRequest,
  trainingPairRequest,
  trainingPairsRequest,
  trainingRunRequest,
  trainingRunsRequest,
} from './teaching.ts';
import {
  adaptersRequest,
  compareAdaptersRequest,
  judgeComparisonRequest,
  rollBackAdapterRequest,
  useAdapterRequest,
} from './adapters.ts';

export type { NotificationMethod, RequestMethod } from './kinds.ts';
export * from './adapters.ts';
export * from './engine.ts';
export * from './graph.ts';
export * from './pairs.ts';
export * from './passages.ts';
export * from './runs.ts';
export * from './suggestions.ts';
export * from './teaching.ts';

export const requests = [
  reasonRequest,
  reasonManyRequest,
  queueRequest,
  decideRequest,
  reviewRequest,
  annotationsRequest,
  stripRequest,
  compareRequest,
  runsRequest,
  runRequest,
  unfinishedRunRequest,
  deleteRunRequest,
  answerNowRequest,
  stopRequest,
  modelsRequest,
  getModelRequest,
  addModelRequest,
  setKeyRequest,
  unloadRequest,
  statusRequest,
  searchRequest,
  relatedRequest,
  sourcesRequest,
  indexRequest,
  indexStatusRequest,
  whyNotIndexedRequest,
  pairsRequest,
  pairRequest,
  curateRequest,
  undoCurationRequest,
  trainingRunsRequest,
  trainingRunRequest,
  trainingPairsRequest,
  trainingPairRequest,
  graphRequest,
  graphEvidenceRequest,
  exportPairsRequest,
  importPairsRequest,
  forgetRequest,
  teachRequest,
  teachingStatusRequest,
  teachingEstimateRequest,
  adaptersRequest,
  useAdapterRequest,
  rollBackAdapterRequest,
  compareAdaptersRequest,
  judgeComparisonRequest,
] as const;

export const notifications = [
  statusNotification,
  blockInsertedNotification,
  reviewNotification,
  queueNotification,
  indexNotification,
  pairsNotification,
  teachingNotification,
] as const;
