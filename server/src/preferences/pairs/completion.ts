// The texts of a pair: the prompt that a run was asked with, and a completion as the model would write it, with where
// its sections lie.
import type {
  DecisionTexts,
  LedgerRecord,
  OffsetRange,
  PairMessage,
  PairPassage,
  PairSpan,
  Run,
} from '../../protocol/index.ts';
import { preflexorMarkers } from '../../protocol/index.ts';
import { SegmentReader } from '../../reasoning/index.ts';

export interface Sections {
  readonly thinking: string;
  readonly reflection: string;
  readonly answer: string;
}

export interface Completion {
  readonly text: string;
  readonly spans: readonly PairSpan[];
}

/** An iteration as the model writes it. Empty sections are left out. */
export function completionOf({ thinking, reflection, answer }: Partial<Sections>): Completion {
  const spans: PairSpan[] = [];
  let text = '';
  for (const [kind, section] of [
    ['thinking', thinking],
    ['reflection', reflection],
  ] as const) {
    const content = section?.trim() ?? '';
    if (content === '') continue;
    const { start, end } = preflexorMarkers[kind];
    const from = text.length;
    text += `${start}\n${content}\n${end}`;
    spans.push({
      kind,
      content: { start: from + start.length + 1, end: text.length - end.length - 1 },
      whole: { start: from, end: text.length },
    });
    text += '\n\n';
  }
  const end = answer?.trim() ?? '';
  if (end === '') return { text: text.trimEnd(), spans };
  const place = { start: text.length, end: text.length + end.length };
  return { text: text + end, spans: [...spans, { kind: 'answer', content: place, whole: place }] };
}

/** The sections of a text that came from elsewhere, as the tolerant reader sees them. Total. */
export function spansIn(text: string): PairSpan[] {
  const reader = new SegmentReader(preflexorMarkers);
  // One code unit, one token: the reader's token ranges are then offsets.
  for (let offset = 0; offset < text.length; offset += 1) reader.push(text.charAt(offset), 1);
  reader.end();
  return reader.segments().flatMap(({ kind, tokens, withMarkers }) => {
    const content = trimmed(text, tokens);
    if (content.start === content.end) return [];
    return [{ kind, content, whole: kind === 'answer' ? content : withMarkers }];
  });
}

function trimmed(text: string, { start, end }: OffsetRange): OffsetRange {
  const inside = text.slice(start, end);
  const lead = inside.length - inside.trimStart().length;
  return { start: start + lead, end: start + Math.max(lead, inside.trimEnd().length) };
}

/**
 * The prompt of a decision. Provenance holds it as it was sent; where there is none, the question and the paragraph
 * stand for it.
 */
export function promptOf(texts: DecisionTexts, prompt: string | null, run: Run | null): PairMessage[] {
  const sent = prompt === null ? null : sentMessages(prompt);
  if (sent) return sent;
  const passages = (run?.passages ?? []).map(
    ({ source, readable, text }) => `[${source}]\n${readable ?? text}`,
  );
  const parts = [texts.question, texts.paragraph, ...passages].filter((part) => part.trim() !== '');
  return [{ role: 'user', content: parts.join('\n\n') || 'Improve this paragraph.' }];
}

/** `[system]\n…\n\n[user]\n…`, as provenance writes it; null where it is something else. */
function sentMessages(prompt: string): PairMessage[] | null {
  const match = /^\[system\]\n([\s\S]*?)\n\n\[user\]\n([\s\S]+)$/.exec(prompt);
  const [, system = '', user = ''] = match ?? [];
  if (user.trim() === '') return null;
  const asked: PairMessage = { role: 'user', content: user };
  return system.trim() === '' ? [asked] : [{ role: 'system', content: system }, asked];
}

export function passagesOf(run: Run | null): PairPassage[] {
  return (run?.passages ?? []).map(({ id, source, start, end }) => ({ id, source, start, end }));
}

/** The sections of an iteration, or null where the run has none of that number. */
export function sectionsOf(run: Run | null, iteration: number): Sections | null {
  return run?.iterations.find(({ index }) => index === iteration) ?? null;
}

/** What a record offered. */
export function offeredSections({ texts }: LedgerRecord): Sections {
  return { thinking: texts.thinking, reflection: texts.reflection, answer: texts.offered };
}
