// What a pair is made of, and what two pairs make: each thing in which its two texts differ as a pair of its own, and
// the chosen text of one pair held against the rejected one of another. Pure; sentences say why it can't be done.
import { hunksOf, withHunks } from '../../notes/index.ts';
import type { PairCuration, PreferencePair, SegmentKind } from '../../protocol/index.ts';
import { completionOf, type Sections } from './completion.ts';
import { pairId } from './derive.ts';

/** More parts than this nobody looks at one by one. */
const mostParts = 30;
const order = ['thinking', 'reflection', 'answer'] as const satisfies readonly SegmentKind[];

/** A pair, and what the writer made of it so far. */
export type Curated = PreferencePair & { readonly curation: PairCuration };

export type Outcome<T> = { readonly done: T } | { readonly problem: string };

/**
 * The parts of a pair: each differs in one thing alone. What comes before it is the chosen text's in both, so that a
 * preference for the answer says nothing of the thinking.
 */
export function partsOf(pair: Curated): Outcome<Curated[]> {
  if (pair.chosen === null || pair.rejected === null) return { problem: 'It has one text only.' };
  const [chosen, rejected] = [sectionsOf(pair, 'chosen'), sectionsOf(pair, 'rejected')];
  const kinds = order.filter((kind) => chosen[kind] !== rejected[kind]);
  const others: readonly { readonly kind: SegmentKind; readonly text: string }[] = kinds.every(
    (kind) => kind === 'answer',
  )
    ? answersWithOneChange(chosen.answer, rejected.answer).map((text) => ({ kind: 'answer', text }))
    : kinds
        .map((kind) => ({ kind, text: rejected[kind] }))
        .filter(({ kind, text }) => chosen[kind] !== '' && text !== '');
  if (others.length < 2) return { problem: 'Its texts differ in one place only.' };
  if (others.length > mostParts)
    return { problem: `Its texts differ in ${others.length} places: too many to be judged one by one.` };
  return {
    done: others.map(({ kind, text }) =>
      part(pair, kind, upTo(kind, chosen), upTo(kind, { ...chosen, [kind]: text })),
    ),
  };
}

/** The answer with one of its changes undone, for each that is more than white space. */
function answersWithOneChange(chosen: string, rejected: string): string[] {
  const hunks = hunksOf(chosen, rejected);
  const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
  return hunks
    .map((_, index) => withHunks(chosen, hunks, (at) => at === index))
    .filter((answer) => plain(answer) !== plain(chosen));
}

function upTo(kind: SegmentKind, sections: Sections): Partial<Sections> {
  return Object.fromEntries(order.slice(0, order.indexOf(kind) + 1).map((one) => [one, sections[one]]));
}

function part(
  pair: Curated,
  about: SegmentKind,
  chosenSections: Partial<Sections>,
  rejectedSections: Partial<Sections>,
): Curated {
  const [chosen, rejected] = [completionOf(chosenSections), completionOf(rejectedSections)];
  const content = { prompt: pair.prompt, chosen: chosen.text, rejected: rejected.text, about };
  const id = pairId(content);
  const { merged: _, ...curation } = pair.curation;
  return {
    ...pair,
    ...content,
    ...{ id, wants: null, spans: { chosen: [...chosen.spans], rejected: [...rejected.spans] } },
    curation: { ...curation, origin: id, partOf: pair.curation.origin, reviewed: false },
  };
}

/** The sections of a side; a text in which none are found is an answer as a whole. */
function sectionsOf(pair: PreferencePair, side: 'chosen' | 'rejected'): Sections {
  const text = pair[side] ?? '';
  const spans = pair.spans[side];
  const of = (kind: SegmentKind): string =>
    spans
      .filter((span) => span.kind === kind)
      .map(({ content }) => text.slice(content.start, content.end).trim())
      .join('\n\n');
  if (spans.length === 0) return { thinking: '', reflection: '', answer: text.trim() };
  return { thinking: of('thinking'), reflection: of('reflection'), answer: of('answer') };
}

/** The chosen text of the first against the rejected one of the second; a side that is missing comes from the other. */
export function mergedPair(one: Curated, other: PreferencePair): Outcome<Curated> {
  const asked = ({ prompt }: PreferencePair): string =>
    JSON.stringify(prompt.map(({ role, content }) => [role, content.trim()]));
  if (asked(one) !== asked(other)) return { problem: 'The two answer different questions.' };
  if (one.about !== other.about)
    return { problem: `One is about the ${one.about}, the other about the ${other.about}.` };
  const first = one.chosen === null ? other : one;
  const second = other.rejected === null ? one : other;
  if (first.chosen === null || second.rejected === null)
    return { problem: 'Neither has the side that the other lacks.' };
  const sides = <T>(of: (pair: PreferencePair) => { readonly chosen: T; readonly rejected: T }) => ({
    chosen: of(first).chosen,
    rejected: of(second).rejected,
  });
  const { curation } = one;
  const merged: Curated = {
    ...one,
    ...sides((pair) => pair),
    ...{ wants: null, spans: sides(({ spans }) => spans), runs: sides(({ runs }) => runs) },
    iterations: sides(({ iterations }) => iterations),
    strength: Math.max(one.strength, other.strength),
    entries: [...new Set([...one.entries, ...other.entries])].sort(),
    reason: one.reason ?? other.reason,
    // Held out stays held out: what it is measured by is never trained on.
    split: other.split === 'held-out' ? 'held-out' : one.split,
    consent: other.consent === 'withdrawn' ? 'withdrawn' : one.consent,
    curation: {
      ...curation,
      reviewed: true,
      tags: [...new Set([...curation.tags, ...(other.curation?.tags ?? [])])].sort(),
      merged: [...new Set([...(curation.merged ?? []), other.curation?.origin ?? other.id])],
    },
  };
  return { done: { ...merged, id: pairId(merged) } };
}
