// One pair as a row of each format that other tools read, and back. Pure. `meta` carries what a format has no column
// for; `strict` leaves it out, for tools that refuse columns they do not know.
import { z } from 'zod';
import {
  PairMessage,
  PairMeta,
  type PairFormat,
  type PairMessage as Message,
  type PreferencePair,
} from '../../../protocol/index.ts';

export type Row = Record<string, unknown>;

/** A row read back: one or two sides, and our own `meta` where it has one. */
export interface ReadRow {
  readonly prompt: Message[];
  readonly chosen: string | null;
  readonly rejected: string | null;
  readonly meta: PairMeta | null;
  /** One half of a pair that stands in two rows: they are joined by the pair's id. */
  readonly half: boolean;
}

export interface RowOptions {
  readonly strict: boolean;
}

const assistant = (content: string): Message[] => [{ role: 'assistant', content }];

/** The rows of a pair; none where the format needs two sides and the pair has one. */
export function rowsOf(pair: PreferencePair, format: PairFormat, { strict }: RowOptions): Row[] {
  const { prompt, chosen, rejected } = pair;
  const rest = metaOfPair(pair);
  const meta = strict ? {} : { meta: rest };
  if (format === 'kto') {
    return [
      ...(chosen === null ? [] : [{ prompt, completion: assistant(chosen), label: true, ...meta }]),
      ...(rejected === null ? [] : [{ prompt, completion: assistant(rejected), label: false, ...meta }]),
    ];
  }
  if (format === 'csv') {
    const cells = { prompt: promptCell(prompt), chosen: chosen ?? '', rejected: rejected ?? '' };
    return [strict ? cells : { ...cells, meta: JSON.stringify(rest) }];
  }
  if (chosen === null || rejected === null) return [];
  switch (format) {
    case 'trl':
      return [{ prompt, chosen: assistant(chosen), rejected: assistant(rejected), ...meta }];
    case 'trl-standard': {
      // The turns are kept beside the text: a system prompt is not to be told from a user's words in it.
      const kept = strict || isPlain(prompt) ? meta : { meta: { ...rest, prompt } };
      return [{ prompt: plainPrompt(prompt), chosen, rejected, ...kept }];
    }
    case 'llamafactory':
    case 'axolotl':
      return [{ ...pairRow({ prompt, chosen, rejected }, format), ...meta }];
    case 'hf': {
      const sides = { prompt, chosen: assistant(chosen), rejected: assistant(rejected) };
      return [strict ? sides : { ...sides, meta: JSON.stringify(rest) }];
    }
  }
}

/** Two sides as LLaMA-Factory or Axolotl reads them, without `meta`. */
export function pairRow(
  {
    prompt,
    chosen,
    rejected,
  }: { readonly prompt: Message[]; readonly chosen: string; readonly rejected: string },
  format: 'llamafactory' | 'axolotl',
): Row {
  if (format === 'llamafactory') return { ...shareGpt(prompt), chosen: gpt(chosen), rejected: gpt(rejected) };
  return { chosen: [...prompt, ...assistant(chosen)], rejected: [...prompt, ...assistant(rejected)] };
}

/** In the schema's own order, however the pair came about: the same pairs give the same bytes. */
function metaOfPair(pair: PreferencePair): Row {
  const names = Object.keys(PairMeta.shape) as (keyof PairMeta)[];
  return Object.fromEntries(names.map((name) => [name, pair[name]]));
}

function isPlain(prompt: readonly Message[]): boolean {
  return prompt.length === 1 && prompt[0]?.role === 'user';
}

function plainPrompt(prompt: readonly Message[]): string {
  return prompt.map(({ content }) => content).join('\n\n');
}

/** A prompt of one user's turn as it is, any other as JSON; a plain one that could be taken for JSON too. */
function promptCell(prompt: readonly Message[]): string {
  const plain = plainPrompt(prompt);
  return isPlain(prompt) && !plain.startsWith('[') ? plain : JSON.stringify(prompt);
}

const speakers = { user: 'human', assistant: 'gpt', system: 'system' } as const;

/** LLaMA-Factory's ShareGPT form: the first system turn has a column of its own. */
function shareGpt(prompt: readonly Message[]): Row {
  const [first, ...others] = prompt;
  const system = first?.role === 'system' ? first.content : '';
  const turns = first?.role === 'system' ? others : prompt;
  return {
    system,
    conversations: turns.map(({ role, content }) => ({ from: speakers[role], value: content })),
  };
}

function gpt(value: string) {
  return { from: 'gpt', value };
}

const Turns = z.array(PairMessage).min(1).max(64);
const Side = z.union([z.string(), Turns]);
const Speech = z.object({ from: z.enum(['human', 'user', 'gpt', 'assistant', 'system']), value: z.string() });
const ShareGptRow = z.object({
  system: z.string().nullish(),
  conversations: z.array(Speech).min(1).max(64),
  chosen: Speech,
  rejected: Speech,
});
const KtoRow = z.object({ prompt: Side, completion: Side, label: z.boolean() });
const FullTurnsRow = z.object({ chosen: Turns, rejected: Turns });
const PromptRow = z.object({ prompt: Side, chosen: Side.nullish(), rejected: Side.nullish() });

/** Reads a row of any of the formats; which one it is shows in its columns. Total. */
export function readRow(value: unknown): ReadRow | { readonly reason: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { reason: 'it is not an object with prompt, chosen and rejected' };
  }
  const meta = metaOf(Reflect.get(value, 'meta'));
  if ('reason' in meta) return meta;
  const content = contentOf(value);
  if ('reason' in content) return content;
  const { chosen, rejected } = content;
  const prompt = meta.prompt ?? content.prompt;
  if (prompt.at(-1)?.role !== 'user') return { reason: 'the prompt does not end with a turn of the user' };
  if (prompt.every(({ content }) => content.trim() === '')) return { reason: 'the prompt is empty' };
  for (const [name, side] of Object.entries({ chosen, rejected })) {
    if (side?.trim() === '') return { reason: `${name} is empty` };
  }
  if (chosen === null && rejected === null) {
    return { reason: 'it has neither chosen nor rejected, nor a completion with a label' };
  }
  if (chosen === rejected) return { reason: 'chosen and rejected are the same text' };
  return { prompt, chosen, rejected, meta: meta.meta, half: 'completion' in value };
}

type Content = Pick<ReadRow, 'prompt' | 'chosen' | 'rejected'>;
interface Refused {
  readonly reason: string;
}

function contentOf(row: object): Content | Refused {
  if ('conversations' in row) return withSchema(ShareGptRow, row, fromShareGpt);
  if ('completion' in row) return withSchema(KtoRow, row, fromKto);
  if (!('prompt' in row)) return withSchema(FullTurnsRow, row, fromFullTurns);
  return withSchema(PromptRow, row, fromPrompt);
}

function withSchema<T>(
  schema: z.ZodType<T>,
  row: object,
  use: (row: T) => Content | Refused,
): Content | Refused {
  const decoded = schema.safeParse(row);
  if (decoded.success) return use(decoded.data);
  const [issue] = decoded.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'invalid_union') return { reason: `${place} is neither a text nor a list of turns` };
  return { reason: `${place}: ${issue?.message ?? 'not what it should be'}` };
}

function fromShareGpt({ system, conversations, chosen, rejected }: z.infer<typeof ShareGptRow>): Content {
  const turns = conversations.map(({ from, value }): Message => ({ role: roles[from], content: value }));
  const first: Message[] = system ? [{ role: 'system', content: system }] : [];
  return { prompt: [...first, ...turns], chosen: chosen.value, rejected: rejected.value };
}

const roles = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  system: 'system',
} as const;

function fromKto({ prompt, completion, label }: z.infer<typeof KtoRow>): Content | Refused {
  const text = answerOf(completion);
  if (text === null) return notAnAnswer('completion');
  return { prompt: turnsOf(prompt), chosen: label ? text : null, rejected: label ? null : text };
}

/** Axolotl's form: both sides begin with the whole prompt. */
function fromFullTurns({ chosen, rejected }: z.infer<typeof FullTurnsRow>): Content | Refused {
  const prompt = chosen.slice(0, -1);
  if (JSON.stringify(prompt) !== JSON.stringify(rejected.slice(0, -1))) {
    return { reason: 'chosen and rejected do not begin with the same turns' };
  }
  const sides = { chosen: answerOf(chosen.slice(-1)), rejected: answerOf(rejected.slice(-1)) };
  if (sides.chosen === null) return notAnAnswer('the end of chosen');
  if (sides.rejected === null) return notAnAnswer('the end of rejected');
  return { prompt, ...sides };
}

function fromPrompt({ prompt, chosen, rejected }: z.infer<typeof PromptRow>): Content | Refused {
  const sides = { chosen: chosen ?? null, rejected: rejected ?? null };
  const texts: { chosen: string | null; rejected: string | null } = { chosen: null, rejected: null };
  for (const name of ['chosen', 'rejected'] as const) {
    const side = sides[name];
    if (side === null) continue;
    texts[name] = answerOf(side);
    if (texts[name] === null) return notAnAnswer(name);
  }
  return { prompt: turnsOf(prompt), ...texts };
}

function notAnAnswer(what: string): Refused {
  return { reason: `${what} is not one answer of the assistant` };
}

function turnsOf(prompt: string | Message[]): Message[] {
  return typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
}

function answerOf(side: string | readonly Message[]): string | null {
  if (typeof side === 'string') return side;
  const [only] = side;
  return side.length === 1 && only?.role === 'assistant' ? only.content : null;
}

const Ours = z.object({ schema: z.int() });
const WithPrompt = z.object({ prompt: Turns });

/** Our own `meta`, an object or JSON text. Another tool's column of that name is passed over. */
function metaOf(value: unknown): { meta: PairMeta | null; prompt: Message[] | null } | Refused {
  const none = { meta: null, prompt: null };
  const found = typeof value === 'string' ? parsed(value) : value;
  const ours = Ours.safeParse(found);
  if (!ours.success) return none;
  if (ours.data.schema > 1) return { reason: `a newer PRefLexOR wrote it (schema ${ours.data.schema})` };
  const decoded = PairMeta.safeParse(found);
  if (!decoded.success) return none;
  return { meta: decoded.data, prompt: WithPrompt.safeParse(found).data?.prompt ?? null };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value));
  } catch {
    return null;
  }
}

/** A cell of a table as the row that it stands for: a prompt that begins with `[` is JSON. */
export function rowOfCells(cells: ReadonlyMap<string, string>): Row {
  const prompt = cells.get('prompt') ?? '';
  const turns = prompt.startsWith('[') ? Turns.safeParse(parsed(prompt)).data : undefined;
  return {
    prompt: turns ?? prompt,
    chosen: cells.get('chosen') || null,
    rejected: cells.get('rejected') || null,
    meta: cells.get('meta') ?? null,
  };
}
