// What every command of the command line needs: settings from options, the engine, the clock, cancellation.
import { availableParallelism } from 'node:os';
import type { Engine } from '../engine/index.ts';
import { defaultSettings, type Settings } from '../protocol/index.ts';
import { createCritic, createEngine, type EngineOptions } from '../composition.ts';
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
}

/** Defaults, overridden by what was said on the command line. */
export function settingsOf(options: GlobalOptions & SamplingOptions): Settings {
  const settings = defaultSettings();
  const threads =
    options.threads === undefined ? {} : { 'engine.threads': Math.min(options.threads, cores() * 2) };
  return {
    ...settings,
    ...threads,
    ...(options.model !== undefined && { model: options.model }),
    ...(options.engineUrl !== undefined && {
      'engine.url': options.engineUrl,
      'engine.urlAdapter': options.adapter ?? '',
    }),
    ...(options.gpu !== undefined && { 'engine.gpu': options.gpu }),
    ...(options.contextTokens !== undefined && { 'engine.contextTokens': options.contextTokens }),
    ...(options.temperature !== undefined && { 'reasoning.temperature': options.temperature }),
    ...(options.thinkingTokens !== undefined && { 'reasoning.thinkingTokens': options.thinkingTokens }),
    ...(options.reflectionTokens !== undefined && { 'reasoning.reflectionTokens': options.reflectionTokens }),
    ...(options.answerTokens !== undefined && { 'reasoning.answerTokens': options.answerTokens }),
    'engine.idleUnloadMinutes': 0,
  };
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
  const engine = createEngine(settings, context.home, engineOptions(context));
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/** The same with the critic beside it, which may be the engine itself. */
export async function withEngines<T>(
  context: Context,
  settings: Settings,
  work: (engines: { readonly model: Engine; readonly critic: Engine }) => Promise<T>,
): Promise<T> {
  return await withEngine(context, settings, async (model) => {
    const critic = createCritic(settings, context.home, engineOptions(context));
    try {
      return await work({ model, critic: critic ?? model });
    } finally {
      await critic?.dispose();
    }
  });
}

/** What every engine of the command line is made with. */
export function engineOptions({ options, output }: Context): EngineOptions {
  return {
    adapter: options.adapter ?? null,
    key: process.env['PREFLEXOR_API_KEY'] || null,
    onLog: (line) => {
      if (process.env['PREFLEXOR_LOG']) output.say(line);
    },
  };
}
