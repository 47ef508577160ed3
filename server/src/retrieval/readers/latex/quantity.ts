// Numbers with units (siunitx) as a person reads them: `\SI{5}{\milli\metre}` is 5 mm.
import { unitPowers, unitPrefixes, units } from './commands.ts';
import type { Argument, Command, SourceText } from './sourceText.ts';

/** Kinds of arguments: `n` a number, `u` a unit. */
const quantities: Readonly<Record<string, string>> = {
  SI: 'nu',
  qty: 'nu',
  SIrange: 'nnu',
  qtyrange: 'nnu',
  si: 'u',
  unit: 'u',
  num: 'n',
  numrange: 'nn',
  ang: 'n',
};

/** The quantity that a command writes, or null where it writes none. */
export function quantity(
  source: SourceText,
  command: Command,
): { readonly text: string; readonly next: number } | null {
  const kinds = Object.hasOwn(quantities, command.name) ? quantities[command.name] : undefined;
  if (kinds === undefined) return null;
  let next = source.optionalAt(command.next)?.next ?? command.next;
  const numbers: string[] = [];
  let unit = '';
  for (const kind of kinds) {
    const argument: Argument | null = source.argumentAt(next);
    if (!argument) return null;
    if (kind === 'n') numbers.push(numberText(source.slice(argument)));
    else unit = unitText(source.slice(argument));
    next = argument.next;
  }
  const number = numbers.join(' to ') + (command.name === 'ang' ? '°' : '');
  return { text: `${number} ${unit}`.trim(), next };
}

function numberText(text: string): string {
  return text
    .replace(/\\(?:times|cdot)|x/g, ' × ')
    .replace(/\\pm|\+-/g, ' ± ')
    .replace(/(\d)[eE]([+-]?\d+)/g, '$1 × 10^$2')
    .replace(/\\[A-Za-z]+|[{}$]/g, '')
    .trim();
}

/** `\milli\metre\per\second` is mm/s, `m.s^{-1}` is m s^-1. */
function unitText(text: string): string {
  const parts: string[] = [];
  let before = '';
  let power = '';
  for (const [token, name] of text.matchAll(/\\([A-Za-z]+)|[^\\]+/g)) {
    if (name === undefined) {
      const written = token.replace(/[{}$]/g, '').replace(/[~.]/g, ' ').trim();
      if (written !== '') parts.push(written);
    } else if (name === 'per') before = '/';
    else if (unitPrefixes.has(name)) before += unitPrefixes.get(name) ?? '';
    else if (name === 'square' || name === 'cubic') power = unitPowers.get(name) ?? '';
    else if (unitPowers.has(name)) parts.push((parts.pop() ?? '') + (unitPowers.get(name) ?? ''));
    else {
      parts.push(before + (units.get(name) ?? name) + power);
      before = '';
      power = '';
    }
  }
  return parts.join(' ').replace(/ (?=\/)/g, '');
}
