// What the benchmarks share: medians, percentiles, the machine in words, and results kept as JSON.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

export const resultsFolder = join(import.meta.dirname, 'results');

/** The value below which `share` (0 to 1) of the values lie, by the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Processor, cores, memory and how busy the machine was: without it no time means anything. */
export function machine(): { cpu: string; cores: number; memoryGiB: number; load: number } {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Prints a result, and keeps it under bench/results when the command line says `--write`. */
export async function report(name: string, result: Record<string, unknown>): Promise<void> {
  const whole = { benchmark: name, machine: machine(), ...result };
  const text = `${JSON.stringify(whole, (_key, value: unknown) => (typeof value === 'number' ? round(value) : value), 2)}\n`;
  process.stdout.write(text);
  if (!process.argv.includes('--write')) return;
  await mkdir(resultsFolder, { recursive: true });
  await writeFile(join(resultsFolder, `${name}.json`), text);
}

/**
 * The rows that earlier runs kept: a long benchmark is run in parts, and each new row takes its old one's place.
 * None without `--write`.
 */
export async function keptRows<T>(name: string, row: z.ZodType<T>): Promise<T[]> {
  if (!process.argv.includes('--write')) return [];
  const text = await readFile(join(resultsFolder, `${name}.json`), 'utf8').catch(() => '{"results":[]}');
  return z.object({ results: z.array(row) }).parse(JSON.parse(text)).results;
}

/** The number that `--NAME=NUMBER` gives on the command line. */
export function numberOption(name: string, fallback: number): number {
  const found = process.argv.flatMap((word) => new RegExp(`^--${name}=(\\d+)$`).exec(word)?.[1] ?? []);
  return Number(found[0] ?? fallback);
}

/** The text that `--NAME=TEXT` gives on the command line; undefined: there is none. */
export function textOption(name: string): string | undefined {
  const prefix = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(prefix))?.slice(prefix.length);
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}
