// What every command of the command line needs: settings from options, the engine, the clock, cancellation.
import { availableParallelism } from 'node:os';
import type { Engine } from '../engine/index.ts';
import { defaultSettings, type Settings } from '../protocol/index.ts';
import { createEngine, createShelf } from '../composition.ts';
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
  const shelf = createShelf(context.home);
  const engine = createEngine(settings, context.home, {
    adapter: context.options.adapter ?? null,
    shelf,
    onLog: (line) => logged(context, line),
  });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
    await shelf.dispose();
  }
}

/** What helper processes write, for whoever sets `PREFLEXOR_LOG`. */
export function logged(context: Context, text: string): void {
  if (process.env['PREFLEXOR_LOG']) context.output.say(text);
}
