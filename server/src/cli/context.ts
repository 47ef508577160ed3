// What every command of the command line needs: settings from options, the engine, the clock, cancellation.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { ComputeBudget, Engine, LanguageModel } from '../engine/index.ts';
import { PreflexorError } from '../errors.ts';
import { decodeSettings, defaultSettings, type Settings } from '../protocol/index.ts';
import { createCritic, createEngine, createShelf, criticFor, type EngineOptions } from '../composition.ts';
import type { Library } from '../library/index.ts';
import { createLibrary } from '../libraryComposition.ts';
import { noAdapter } from '../training/index.ts';
import type { Output } from './output.ts';

/** Options that stand before or after every command. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly workspace?: string;
  readonly model?: string;
  readonly adapter?: string;
  readonly seed?: number;
  readonly threads?: number;
  readonly gpu?: Settings['engine.gpu'];
  readonly contextTokens?: number;
  readonly offline?: boolean;
  readonly engineUrl?: string;
  readonly embedder?: string;
  /** A file with the editor's settings. */
  readonly settings?: string;
}

/** Options of the commands that generate text. */
export interface SamplingOptions {
  readonly temperature?: number;
  readonly thinkingTokens?: number;
  readonly reflectionTokens?: number;
  readonly answerTokens?: number;
}

export interface Context {
  readonly output: Output;
  readonly options: GlobalOptions;
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal;
  readonly home: string;
  /** This process's one budget of threads. */
  readonly compute: ComputeBudget;
}

/** Defaults or the settings of a file, overridden by what was said on the command line. */
export function settingsOf(options: GlobalOptions & SamplingOptions): Settings {
  const settings = options.settings === undefined ? defaultSettings() : settingsIn(options.settings);
  const threads =
    options.threads === undefined ? {} : { 'engine.threads': Math.min(options.threads, cores() * 2) };
  return {
    ...settings,
    ...threads,
    ...(options.model !== undefined && { model: options.model }),
    ...(options.engineUrl !== undefined && {
      'engine.url': options.engineUrl,
      'engine.urlAdapter':
        options.adapter === undefined || options.adapter === noAdapter ? '' : options.adapter,
    }),
    ...(options.embedder !== undefined && { 'retrieval.embedder': options.embedder }),
    ...(options.gpu !== undefined && { 'engine.gpu': options.gpu }),
    ...(options.contextTokens !== undefined && { 'engine.contextTokens': options.contextTokens }),
    ...(options.temperature !== undefined && { 'reasoning.temperature': options.temperature }),
    ...(options.thinkingTokens !== undefined && { 'reasoning.thinkingTokens': options.thinkingTokens }),
    ...(options.reflectionTokens !== undefined && { 'reasoning.reflectionTokens': options.reflectionTokens }),
    ...(options.answerTokens !== undefined && { 'reasoning.answerTokens': options.answerTokens }),
    'engine.idleUnloadMinutes': 0,
  };
}

/** @throws PreflexorError `bad-input`: a wrong setting is no reason to compute something else for hours */
function settingsIn(file: string): Settings {
  let section: unknown;
  try {
    section = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new PreflexorError('bad-input', `The settings in ${file} can't be read.`, { cause: error });
  }
  const { settings, problems } = decodeSettings(section);
  if (problems.length === 0) return settings;
  throw new PreflexorError('bad-input', `The settings in ${file} do not go. ${problems.join(' ')}`);
}

function cores(): number {
  return availableParallelism();
}

/** Runs `work` with an engine that ends with it, whatever happens. */
export async function withEngine<T>(
  context: Context,
  settings: Settings,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const shelf = createShelf(context.home);
  const engine = createEngine(settings, context.home, { ...engineOptions(context), shelf });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
    await shelf.dispose();
  }
}

/** The same with the critic beside it, which may be the engine itself. */
export async function withEngines<T>(
  context: Context,
  settings: Settings,
  work: (engines: { readonly model: LanguageModel; readonly critic: LanguageModel }) => Promise<T>,
): Promise<T> {
  return await withEngine(context, settings, async (model) => {
    const critic = createCritic(settings, context.home, engineOptions(context));
    try {
      return await work({ model, critic: criticFor(settings, model, critic) });
    } finally {
      await critic.dispose();
    }
  });
}

/** The library of the workspace at `root`, as it ends with `work`. */
export async function withLibrary<T>(
  context: Context,
  root: string,
  settings: Settings,
  work: (library: Library) => Promise<T>,
): Promise<T> {
  const library = libraryOf(context, root, settings);
  try {
    return await work(library);
  } finally {
    await library.dispose();
  }
}

/** The library with one workspace open in it; whoever asks for it ends it. */
export function libraryOf(context: Context, root: string, settings: Settings): Library {
  const { onLog, compute } = engineOptions(context);
  const library = createLibrary(context.home, {
    onLog,
    ...(compute && { compute }),
    holder: 'the command line',
  });
  library.openFolder({ root, settings, editorExcludes: [] });
  return library;
}

/** What every engine of the command line is made with. */
export function engineOptions(context: Context): EngineOptions {
  const { options, compute } = context;
  return {
    compute,
    adapter: options.adapter ?? null,
    key: process.env['PREFLEXOR_API_KEY'] || null,
    onLog: (line) => logged(context, line),
  };
}

/** What helper processes write, for whoever sets `PREFLEXOR_LOG`. */
export function logged(context: Context, text: string): void {
  if (process.env['PREFLEXOR_LOG']) context.output.say(text);
}
