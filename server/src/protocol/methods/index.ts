// Every custom request and notification of the language server, declared once.
// docs/lsp-extensions.md has one section per method; a test decodes its examples with these schemas.
import * as adapters from './adapters.ts';
import * as engine from './engine.ts';
import * as graph from './graph.ts';
import * as pairs from './pairs.ts';
import * as passages from './passages.ts';
import * as runs from './runs.ts';
import * as suggestions from './suggestions.ts';
import * as teaching from './teaching.ts';

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
  runs.reasonRequest,
  runs.reasonManyRequest,
  runs.queueRequest,
  suggestions.decideRequest,
  suggestions.reviewRequest,
  suggestions.annotationsRequest,
  suggestions.stripRequest,
  suggestions.compareRequest,
  runs.runsRequest,
  runs.runRequest,
  runs.unfinishedRunRequest,
  runs.deleteRunRequest,
  runs.answerNowRequest,
  runs.stopRequest,
  engine.modelsRequest,
  engine.getModelRequest,
  engine.addModelRequest,
  engine.setKeyRequest,
  engine.unloadRequest,
  engine.statusRequest,
  passages.searchRequest,
  passages.relatedRequest,
  passages.sourcesRequest,
  passages.indexRequest,
  passages.indexStatusRequest,
  passages.whyNotIndexedRequest,
  pairs.pairsRequest,
  pairs.pairRequest,
  pairs.curateRequest,
  pairs.undoCurationRequest,
  teaching.trainingRunsRequest,
  teaching.trainingRunRequest,
  teaching.trainingPairsRequest,
  teaching.trainingPairRequest,
  graph.graphRequest,
  graph.graphEvidenceRequest,
  pairs.exportPairsRequest,
  pairs.importPairsRequest,
  pairs.forgetRequest,
  teaching.teachRequest,
  teaching.teachingStatusRequest,
  teaching.teachingEstimateRequest,
  adapters.adaptersRequest,
  adapters.useAdapterRequest,
  adapters.rollBackAdapterRequest,
  adapters.compareAdaptersRequest,
  adapters.judgeComparisonRequest,
] as const;

export const notifications = [
  engine.statusNotification,
  runs.blockInsertedNotification,
  suggestions.reviewNotification,
  runs.queueNotification,
  passages.indexNotification,
  pairs.pairsNotification,
  teaching.teachingNotification,
] as const;
