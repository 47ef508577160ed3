// Takes out of derived preferences what contradicts itself: the writer may change their mind, and then the later word
// stands. What is left never says of one prompt that A is better than B and, by however many steps, B than A.
import type { Preference } from './preference.ts';

type KeyOf = (preference: Preference) => string;

/**
 * @param keyOf what preferences have to share to be able to contradict each other
 * @returns those that stand, in the order in which they came
 */
export function consistent(preferences: readonly Preference[], keyOf: KeyOf): Preference[] {
  const kept = new Set<Preference>();
  for (const group of groups(preferences, keyOf)) for (const one of settle(group)) kept.add(one);
  return preferences.filter((one) => kept.has(one));
}

function groups(preferences: readonly Preference[], keyOf: KeyOf): Iterable<Preference[]> {
  return Map.groupBy(preferences, keyOf).values();
}

function settle(group: readonly Preference[]): Preference[] {
  const newestFirst = [...group].sort((a, b) =>
    a.record.id < b.record.id ? 1 : a.record.id > b.record.id ? -1 : 0,
  );
  const kept: Preference[] = [];
  const better = new Map<string, Set<string>>();
  for (const one of newestFirst) {
    const { chosen, rejected } = one;
    if (!chosen || !rejected || chosen.text === rejected.text) continue;
    // The one that would close a circle is the oldest of the circle: all newer ones stand already.
    if (leadsTo(better, rejected.text, chosen.text)) continue;
    better.set(chosen.text, (better.get(chosen.text) ?? new Set()).add(rejected.text));
    kept.push(one);
  }
  const compared = new Set(kept.flatMap(({ chosen, rejected }) => [chosen?.text, rejected?.text]));
  const alone = new Set<string>();
  for (const one of newestFirst) {
    if (one.chosen && one.rejected) continue;
    const text = (one.chosen ?? one.rejected)?.text ?? '';
    // A text that is compared with another one is not alone; of two lone words on one text the later stands.
    if (text === '' || compared.has(text) || alone.has(text)) continue;
    alone.add(text);
    kept.push(one);
  }
  return kept;
}

function leadsTo(better: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  const seen = new Set<string>([from]);
  const open = [from];
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    if (text === to) return true;
    for (const next of better.get(text) ?? []) {
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return false;
}
