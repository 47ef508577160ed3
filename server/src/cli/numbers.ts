// Numbers on the command line: what is none, or lies outside its range, is wrong usage.
import { InvalidArgumentError } from 'commander';

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
}

export function temperature(text: string): number {
  return between(text, 0, 2);
}

export function percent(text: string): number {
  return between(text, 0, 100);
}

export function fraction(text: string): number {
  return between(text, 0, 1);
}

export function nonNegative(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= 0 && value < Infinity)) throw new InvalidArgumentError('It must be a number, 0 or more.');
  return value;
}

export function positive(text: string): number {
  const value = nonNegative(text);
  if (value === 0) throw new InvalidArgumentError('It must be more than 0.');
  return value;
}

function between(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most))
    throw new InvalidArgumentError(`It must lie between ${least} and ${most}.`);
  return value;
}
