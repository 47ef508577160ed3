// Which key does what on the board. Pure; words.ts tells the writer the same.

export type BoardKey =
  | 'next'
  | 'previous'
  | 'first'
  | 'last'
  | 'pageDown'
  | 'pageUp'
  | 'keep'
  | 'flip'
  | 'editChosen'
  | 'editRejected'
  | 'exclude'
  | 'tag'
  | 'split'
  | 'merge'
  | 'stronger'
  | 'weaker'
  | 'undo'
  | 'history'
  | 'asOne'
  | 'place'
  | 'mark'
  | 'markAll'
  | 'search'
  | 'refresh'
  | 'leave'
  | 'help';

const keys: Readonly<Record<string, BoardKey>> = {
  j: 'next',
  ArrowDown: 'next',
  k: 'previous',
  ArrowUp: 'previous',
  Home: 'first',
  End: 'last',
  PageDown: 'pageDown',
  PageUp: 'pageUp',
  '1': 'keep',
  '2': 'flip',
  f: 'flip',
  e: 'editChosen',
  E: 'editRejected',
  x: 'exclude',
  t: 'tag',
  s: 'split',
  m: 'merge',
  '+': 'stronger',
  '=': 'stronger',
  '-': 'weaker',
  u: 'undo',
  h: 'history',
  d: 'asOne',
  g: 'place',
  ' ': 'mark',
  a: 'markAll',
  '/': 'search',
  r: 'refresh',
  Escape: 'leave',
  '?': 'help',
};

/** What a key press means; null: it is the editor's, or a field's. */
export function keyOf(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  inField: boolean,
): BoardKey | 'save' | null {
  const { key, ctrlKey, metaKey, altKey } = event;
  if (inField) {
    if (key === 'Escape') return 'leave';
    return key === 'Enter' && (ctrlKey || metaKey) ? 'save' : null;
  }
  return ctrlKey || metaKey || altKey ? null : (keys[key] ?? null);
}
