// Requests of those who own the data: pairs out to a file, pairs in from one, and taking back what is known of a note
// or of a whole folder.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PreflexorError } from '../errors.ts';
import type { exportPairsRequest, forgetRequest, importPairsRequest } from '../protocol/index.ts';
import { relativeNotePath } from '../state/index.ts';
import {
  exportTo,
  forget,
  importFrom,
  workspacePairs,
  type ForgettingAdapters,
  type Stores,
} from '../workflow/index.ts';
import type { Answer } from './answers.ts';
import type { Notes } from './documents.ts';
import { rootsMeant } from './passages.ts';
import { signalOf } from './reasoning.ts';
import type { Retrieval } from './retrieval.ts';
import type { SettingsSource } from './settings.ts';

export interface KeepingParts {
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly stores: Stores;
  readonly retrieval: Retrieval;
  readonly adapters: ForgettingAdapters;
  readonly home: string;
  readonly now: () => number;
}

export interface Keeping {
  'preflexor/exportPairs': Answer<typeof exportPairsRequest>;
  'preflexor/importPairs': Answer<typeof importPairsRequest>;
  'preflexor/forget': Answer<typeof forgetRequest>;
}

export function createKeeping(parts: KeepingParts): Keeping {
  const { notes, settings, stores, retrieval, adapters, home, now } = parts;
  const rootOf = async (uri: string | undefined): Promise<string> => (await rootsMeant(notes, uri))[0] ?? '';
  return {
    'preflexor/exportPairs': async ({ textDocument, place, format, strict = false }, token) => {
      const root = await rootOf(textDocument?.uri);
      const record = (await settings.for(pathToFileURL(root).href))['preferences.record'];
      const { pairs } = await workspacePairs({ root, now: now(), record }, stores, signalOf(token));
      return await exportTo({ root, home, pairs, place: fileOf(place), format, strict }, signalOf(token));
    },
    'preflexor/importPairs': async ({ textDocument, place }, token) => {
      const root = await rootOf(textDocument?.uri);
      const imported = await importFrom({ root, file: fileOf(place), now: now() }, signalOf(token));
      stores.decided(root);
      return imported;
    },
    'preflexor/forget': async ({ textDocument, all }, token) => {
      const root = await rootOf(textDocument?.uri);
      if (!all && !textDocument) throw new PreflexorError('bad-input', 'It is not said which note is meant.');
      const note = all || !textDocument ? null : relativeNotePath(root, fileOf(textDocument.uri));
      const forgotten = await forget(
        { root, home, note },
        { stores, library: retrieval, adapters },
        signalOf(token),
      );
      stores.decided(root);
      return forgotten;
    },
  };
}

function fileOf(uri: string): string {
  if (uri.startsWith('file:')) return path.resolve(fileURLToPath(uri));
  throw new PreflexorError('bad-input', 'It is no file on this machine.');
}
