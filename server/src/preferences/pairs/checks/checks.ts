// Quality checks on a set of pairs. Each is a pure function from pairs to findings, with a code to filter by and a
// sentence to show; none changes or drops a pair.
import type { PairProblem, PreferencePair } from '../../../protocol/index.ts';
import { changedShare } from '../../../reasoning/index.ts';
import { wordsOf } from '../../../words.ts';
import { languageOf } from './language.ts';
import { personalDataIn } from './personalData.ts';

export interface CheckLimits {
  /** Shares of words that differ between chosen and rejected, 0 to 1: at or below, and at or above, there is little to learn. */
  readonly tooClose: number;
  readonly tooFar: number;
  /** Share of the pairs whose chosen text is the longer (or the shorter) one, from which length is what is learnt. */
  readonly lengthBias: number;
  /** Pairs from which on the set is judged for it. */
  readonly lengthBiasFrom: number;
}

export const checkLimits: CheckLimits = { tooClose: 0.01, tooFar: 0.95, lengthBias: 0.8, lengthBiasFrom: 20 };

/** The texts without what chosen and rejected share at their beginning: the thinking that both were written after. */
function differing({ chosen, rejected, spans }: PreferencePair): [string, string] {
  const one = chosen ?? '';
  const other = rejected ?? '';
  let shared = 0;
  for (const [at, span] of spans.chosen.entries()) {
    const twin = spans.rejected[at];
    if (span.whole.end !== twin?.whole.end || span.kind === 'answer') break;
    if (one.slice(0, span.whole.end) !== other.slice(0, span.whole.end)) break;
    shared = span.whole.end;
  }
  return [one.slice(shared), other.slice(shared)];
}

function isPaired(pair: PreferencePair): boolean {
  return pair.chosen !== null && pair.rejected !== null;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Texts that are nearly the same teach nothing, and texts that have nothing in common teach anything. */
export function checkDistance(
  pair: PreferencePair,
  { tooClose, tooFar }: CheckLimits = checkLimits,
): PairProblem[] {
  if (!isPaired(pair)) return [];
  const share = changedShare(...differing(pair));
  if (share <= tooClose) {
    const message = `Chosen and rejected differ in ${percent(share)} of their words: there is hardly a signal in that.`;
    return [{ code: 'too-close', pairs: [pair.id], message }];
  }
  if (share < tooFar) return [];
  const message = `Chosen and rejected have ${percent(1 - share)} of their words in common: what made one the better can't be told.`;
  return [{ code: 'too-far', pairs: [pair.id], message }];
}

/** When the chosen texts of a set are nearly always the longer ones, or the shorter ones, length is what is learnt. */
export function checkLengthBias(
  pairs: readonly PreferencePair[],
  { lengthBias, lengthBiasFrom }: CheckLimits = checkLimits,
): PairProblem[] {
  const lengths = pairs
    .filter(isPaired)
    .map(differing)
    .map(([chosen, rejected]) => wordsOf(chosen).length - wordsOf(rejected).length)
    .filter((difference) => difference !== 0);
  if (lengths.length < lengthBiasFrom) return [];
  const longer = lengths.filter((difference) => difference > 0).length / lengths.length;
  const word = longer >= lengthBias ? 'longer' : 1 - longer >= lengthBias ? 'shorter' : null;
  if (word === null) return [];
  const share = percent(Math.max(longer, 1 - longer));
  const message = `In ${share} of the pairs the chosen text is the ${word} one: a model may learn length from them.`;
  return [{ code: 'length-bias', pairs: [], message }];
}

const promptKey = ({ prompt }: PreferencePair): string =>
  JSON.stringify(prompt.map(({ role, content }) => [role, content.trim()]));

/** Same prompt, opposite choices. Derived pairs have none; imported ones, and both together, may. */
export function checkContradictions(pairs: readonly PreferencePair[]): PairProblem[] {
  const problems: PairProblem[] = [];
  const seen = new Map<string, PreferencePair[]>();
  for (const pair of pairs) {
    const key = (one: string | null, other: string | null): string =>
      JSON.stringify([promptKey(pair), pair.about, one?.trim(), other?.trim()]);
    for (const opposite of seen.get(key(pair.rejected, pair.chosen)) ?? []) {
      const message = 'Two decisions on the same prompt say the opposite of the same texts.';
      problems.push({ code: 'contradiction', pairs: [opposite.id, pair.id], message });
    }
    const own = key(pair.chosen, pair.rejected);
    seen.set(own, [...(seen.get(own) ?? []), pair]);
  }
  return problems;
}

/** The same content twice, but for white space and letter case. */
export function checkDuplicates(pairs: readonly PreferencePair[]): PairProblem[] {
  const normal = (text: string | null): string | undefined => text?.toLowerCase().replace(/\s+/g, ' ').trim();
  const groups = Map.groupBy(pairs, (pair) =>
    JSON.stringify([
      pair.prompt.map(({ role, content }) => [role, normal(content)]),
      ...[normal(pair.chosen), normal(pair.rejected), pair.about],
    ]),
  );
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      code: 'duplicate',
      pairs: group.map(({ id }) => id),
      message: `${group.length} pairs are the same but for white space and letter case.`,
    }));
}

/** A prompt or a chosen text on both sides makes what is measured on held-out pairs look better. */
export function checkLeakage(pairs: readonly PreferencePair[]): PairProblem[] {
  const problems: PairProblem[] = [];
  const seen = new Set<string>();
  for (const [what, keyOf] of [
    ['prompt', promptKey],
    ['chosen text', ({ chosen }: PreferencePair) => (chosen === null ? null : chosen.trim())],
  ] as const) {
    for (const [key, group] of Map.groupBy(pairs, keyOf)) {
      const ids = group.map(({ id }) => id);
      if (key === null || new Set(group.map(({ split }) => split)).size < 2 || seen.has(ids.join())) continue;
      seen.add(ids.join());
      const message = `The same ${what} stands among the pairs to train on and among those held out.`;
      problems.push({ code: 'leakage', pairs: ids, message });
    }
  }
  return problems;
}

/** Without held-out pairs nobody can tell whether an adapter is better than none. */
export function checkHeldOut(pairs: readonly PreferencePair[]): PairProblem[] {
  if (pairs.length < 20 || pairs.some(({ split }) => split === 'held-out')) return [];
  const message = 'No pair is held out: whether training helped can’t be measured on this set.';
  return [{ code: 'no-held-out', pairs: [], message }];
}

export function checkPersonalData(pair: PreferencePair): PairProblem[] {
  const texts = [...pair.prompt.map(({ content }) => content), pair.chosen ?? '', pair.rejected ?? ''];
  const kinds = [...new Set(texts.flatMap(personalDataIn))];
  if (kinds.length === 0) return [];
  const message = `It holds what looks like ${kinds.join(' and ')}; a model could repeat it.`;
  return [{ code: 'personal-data', pairs: [pair.id], message }];
}

/** Sides in different languages, or a chosen text in another language than the question. */
export function checkLanguage(pair: PreferencePair): PairProblem[] {
  const chosen = pair.chosen === null ? null : languageOf(pair.chosen);
  const rejected = pair.rejected === null ? null : languageOf(pair.rejected);
  const asked = languageOf(pair.prompt.findLast(({ role }) => role === 'user')?.content ?? '');
  const found = (one: string, other: string, where: string): PairProblem[] => [
    {
      code: 'language',
      pairs: [pair.id],
      message: `The chosen text is in ${one}, the ${where} in ${other}.`,
    },
  ];
  if (chosen && rejected && chosen !== rejected) return found(chosen, rejected, 'rejected one');
  if (chosen && asked && chosen !== asked) return found(chosen, asked, 'prompt');
  return [];
}
