// preflexor/teach, teachingStatus, teachingEstimate: teaching in the background, whose state goes out as
// preflexor/didChangeTeaching.
import { pathToFileURL } from 'node:url';
import type { Connection } from 'vscode-languageserver/node';
import { sentence } from '../errors.ts';
import {
  teachingNotification,
  type teachingEstimateRequest,
  type Settings,
  type TeachingStatus,
  type teachingStatusRequest,
  type teachRequest,
} from '../protocol/index.ts';
import type { TeachingWorker } from '../teaching/index.ts';
import { workspacePairs, type Stores } from '../workflow/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { rootsMeant } from './passages.ts';
import { signalOf } from './reasoning.ts';
import type { SettingsSource } from './settings.ts';

/** What teaching asks of the server. */
export interface TeachingHooks {
  readonly folders: () => readonly string[];
  /** Of a folder, or of the machine. */
  readonly settings: (root?: string) => Promise<Settings>;
  /** Ids of the pairs of a folder that may be trained on. */
  readonly pairs: (root: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** Gives the memory of the models back. */
  readonly makeRoom: () => Promise<void>;
  readonly log: (text: string) => void;
}

export interface TeachingParts {
  readonly connection: Connection;
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly stores: Stores;
  readonly now: () => number;
  readonly makeRoom: () => Promise<void>;
  readonly create: (hooks: TeachingHooks) => TeachingWorker;
}

export interface Teaching {
  readonly handlers: {
    'preflexor/teach': Answer<typeof teachRequest>;
    'preflexor/teachingStatus': Answer<typeof teachingStatusRequest>;
    'preflexor/teachingEstimate': Answer<typeof teachingEstimateRequest>;
  };
  /** From now on it may start by itself. */
  begin(): void;
  wrote(): void;
  /** The writer decided on an adapter. */
  answered(adapter: string): Promise<void>;
  dispose(): Promise<void>;
}

/** The state is sent at most so often. */
const tellMs = 250;

export function createTeaching(parts: TeachingParts): Teaching {
  const { connection, notes, settings, stores, now, makeRoom } = parts;
  const settingsOf = (root?: string) => settings.for(root === undefined ? root : pathToFileURL(root).href);
  const worker = parts.create({
    folders: () => notes.folders,
    settings: settingsOf,
    async pairs(root, signal) {
      const record = (await settingsOf(root))['preferences.record'];
      const { pairs } = await workspacePairs({ root, now: now(), record }, stores, signal);
      return pairs
        .filter(
          ({ chosen, rejected, consent }) => chosen !== null && rejected !== null && consent === 'given',
        )
        .filter(({ curation }) => (curation?.excluded ?? null) === null)
        .map(({ id }) => id);
    },
    makeRoom,
    log: (text) => {
      connection.console.info(text);
    },
  });

  let waiting: TeachingStatus | null = null;
  let timer: NodeJS.Timeout | null = null;
  let told = '';
  function send(status: TeachingStatus): void {
    const text = JSON.stringify(status);
    if (text === told) return;
    told = text;
    void connection.sendNotification(teachingNotification.method, status);
  }
  const forgetStatus = worker.onStatus((status) => {
    waiting = status;
    timer ??= setTimeout(() => {
      timer = null;
      if (waiting) send(waiting);
    }, tellMs);
  });
  const forgetDecisions = stores.onDecision((root) => {
    worker.pairsChanged(root);
  });

  async function rootMeant(uri: string | undefined): Promise<string> {
    const [root = ''] = await rootsMeant(notes, uri);
    return root;
  }

  return {
    handlers: {
      'preflexor/teach': async ({ textDocument, action }) => {
        const root = action === 'start' ? await rootMeant(textDocument?.uri) : '';
        return await worker.act(action, root);
      },
      'preflexor/teachingStatus': async () => {
        // What can't be looked at is in the log; the state as it was is an answer too.
        await worker.look().catch((error: unknown) => {
          connection.console.info(sentence(error));
        });
        return worker.status();
      },
      'preflexor/teachingEstimate': async ({ textDocument }, token) =>
        await worker.estimate(await rootMeant(textDocument?.uri), signalOf(token)),
    },
    begin: () => {
      worker.begin();
    },
    wrote: () => {
      worker.wrote();
    },
    answered: (adapter) => worker.answered(adapter),
    dispose: async () => {
      forgetStatus();
      forgetDecisions();
      if (timer) clearTimeout(timer);
      await worker.dispose();
    },
  };
}
