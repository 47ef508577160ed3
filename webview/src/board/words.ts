// What the curation board says, in words. Pure.
import {
  pairSignalNames,
  type CurationAction,
  type CurationResult,
  type PairDetail,
  type PairOrder,
  type PairProblemCode,
  type PairRow,
  type PairSide,
  type PairStateFilter,
  type SegmentKind,
} from '../../../server/src/protocol/index.ts';

export const findingNames: Record<PairProblemCode, string> = {
  'too-close': 'Too close',
  'too-far': 'Too far apart',
  'length-bias': 'Length bias',
  contradiction: 'Contradiction',
  duplicate: 'Duplicate',
  'near-duplicate': 'Near-duplicate',
  leakage: 'Leakage',
  truncated: 'Too long',
  'personal-data': 'Personal data',
  language: 'Language',
  'no-held-out': 'Nothing held out',
};

export const stateNames: Record<PairStateFilter, string> = {
  kept: 'In training',
  waiting: 'Waiting for review',
  excluded: 'Excluded',
  curated: 'Changed by you',
  all: 'All',
};

export const orderNames: Record<PairOrder, string> = {
  newest: 'Newest first',
  oldest: 'Oldest first',
  weakest: 'Weakest first',
  strongest: 'Strongest first',
  note: 'By note',
  longest: 'Longest first',
};

export const sectionNames: Record<SegmentKind, string> = {
  thinking: 'Thinking',
  reflection: 'Reflection',
  answer: 'Answer',
};

export const sideNames: Record<PairSide, string> = { chosen: 'Chosen', rejected: 'Rejected' };

/** Keys and what they do, as the help shows them. */
export const keyWords: readonly (readonly [keys: string, what: string])[] = [
  ['j · k', 'next pair, previous pair'],
  ['1', 'the chosen text is the better one: reviewed'],
  ['2 · f', 'the other text is the better one: flip'],
  ['e · E', 'edit the chosen text, the rejected text'],
  ['x', 'exclude with a reason, or take back in'],
  ['t', 'tag'],
  ['s', 'split: each thing in which it differs is a pair of its own'],
  ['m', 'merge two marked pairs of one question; or a part with the rest of its pair'],
  ['+ · -', 'trust it more, less'],
  ['u', 'undo the last change'],
  ['h', 'history of this pair'],
  ['d', 'words side by side, or in one text'],
  ['g', 'go to the note'],
  ['Space · a', 'mark this pair, mark all that are listed'],
  ['/', 'search'],
  ['r', 'derive the pairs anew'],
  ['Esc', 'leave a field, unmark all'],
  ['?', 'this help'],
];

/** What was done, for the history and for the status line. */
export function actionWords(action: CurationAction | null): string {
  if (action === null) return 'Derived from your decisions';
  switch (action.do) {
    case 'edit':
      return `Edited the ${action.side} text`;
    case 'flip':
      return 'Flipped';
    case 'exclude':
      return action.reason === '' ? 'Excluded' : `Excluded: ${action.reason}`;
    case 'include':
      return 'Taken back in';
    case 'tag':
      return action.on ? `Tagged “${action.tag}”` : `Took off the tag “${action.tag}”`;
    case 'rate':
      return `Strength ${action.strength.toFixed(1)}`;
    case 'review':
      return 'Reviewed';
    case 'split':
      return 'Split';
    case 'merge':
      return 'Merged';
    case 'revert':
      return action.to === null ? 'Reverted to what was derived' : 'Reverted to an earlier state';
  }
}

export function doneWords(action: CurationAction | null, undo: boolean, result: CurationResult): string {
  const { changed, refused, warning } = result;
  if (undo && action === null) return 'There is nothing to undo.';
  const what = undo ? `Undone: ${actionWords(action)}` : actionWords(action);
  const count = changed.length === 1 ? '' : `, ${changed.length} pairs`;
  const sentences = [
    ...(changed.length > 0 ? [`${what}${count}.`] : refused.length === 0 ? ['Nothing to change.'] : []),
    ...new Set(refused.map(({ reason }) => reason)),
    ...(warning === null ? [] : [warning]),
  ];
  return sentences.join(' ');
}

/** All of a row in one line, as a tooltip. */
export function rowWords({ chosen, rejected, findings, curation, signal, note }: PairRow): string {
  return [
    pairSignalNames[signal],
    ...(note === null ? [] : [note]),
    ...(curation && curation.excluded !== null ? ['excluded'] : []),
    ...findings.map((code) => findingNames[code]),
    `chosen: ${chosen ?? 'none'}`,
    `rejected: ${rejected ?? 'none'}`,
  ].join(', ');
}

/** Small facts about a pair, each a few words. */
export function factsOf({ pair, row }: PairDetail, language: string): string[] {
  const time = new Date(pair.time).toLocaleDateString(language, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  });
  const model = pair.provenance?.model.id;
  return [
    pairSignalNames[pair.signal],
    time,
    row.split === 'held-out' ? 'held out' : 'in training',
    `strength ${pair.strength.toFixed(1)}`,
    ...(pair.about === 'whole' ? [] : [`about the ${pair.about}`]),
    ...(pair.curation?.partOf === undefined ? [] : ['part of a pair that you split']),
    ...(pair.curation?.merged ? [`merged of ${pair.curation.merged.length + 1} pairs`] : []),
    ...(model === undefined ? [] : [model]),
    ...(pair.settled === 'unknown' ? [] : [settledWords[pair.settled]]),
    ...(pair.consent === 'withdrawn' ? ['recording is off for its note: not trained on'] : []),
  ];
}

const settledWords = {
  kept: 'stands in the note as accepted',
  rewritten: 'rewritten in the note since',
  gone: 'no longer in the note',
} as const;

export function countWords(matching: number, all: number): string {
  const pairs = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'pair' : 'pairs'}`;
  return matching === all ? pairs(all) : `${matching.toLocaleString('en')} of ${pairs(all)}`;
}
