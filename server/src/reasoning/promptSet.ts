// A prompt set: the templates in server/prompts, with a workspace's own in place of some, checked when they are
// read. Pure: files come in as text. The hash of all wording is a run's `promptVersion`.
import { createHash } from 'node:crypto';
import Mustache from 'mustache';
import { parse } from 'yaml';
import { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { Intent, Task } from '../protocol/index.ts';

export const templateNames = ['system', 'draft', 'critique', 'improve', 'integrate', 'score'] as const;
export type TemplateName = (typeof templateNames)[number];

/** Texts of prompt files by name: `draft.md`, `set.yaml`. */
export type PromptFiles = Readonly<Record<string, string>>;

export interface PromptSet {
  readonly thinkingParts: readonly string[];
  readonly tasks: Readonly<Record<Intent, Task>>;
  /** What the answer to a question of the writer's own is to be. */
  readonly ownAnswerWith: string;
  /** 12 hex digits: of all the wording. */
  readonly version: string;
  /** Fills in a template. What stands between `<<<` and `>>>` in it can't end its own quotation. */
  render(name: TemplateName, values: PromptValues): string;
}

/** What a passage shows in a prompt. */
export interface PromptPassage {
  readonly source: string;
  readonly page: number | null;
  readonly heading: string;
  readonly citekey: string | null;
  readonly text: string;
}

/** The variables; server/prompts/README.md says what each is and where it may stand. */
export interface PromptValues {
  readonly question: string;
  readonly answerWith: string;
  readonly parts: string;
  readonly reflects: boolean;
  readonly paragraph?: string;
  readonly headingPath?: string;
  readonly before?: string;
  readonly after?: string;
  readonly passages?: readonly PromptPassage[];
  readonly nothingRelevant?: boolean;
  readonly feedback?: string;
  readonly answers?: readonly { readonly index: number; readonly text: string }[];
  readonly turned?: boolean;
}

const everywhere = ['question', 'answerWith', 'parts', 'reflects'];
const variables: Readonly<Record<TemplateName, readonly string[]>> = {
  system: [],
  draft: [
    ...['paragraph', 'headingPath', 'before', 'after', 'passages', 'nothingRelevant'],
    ...['source', 'page', 'heading', 'citekey', 'text'],
  ],
  critique: [],
  improve: ['feedback'],
  integrate: ['answers', 'index', 'text'],
  score: ['turned'],
};

/** Without these a prompt would not ask what the step is for. */
const needed: Partial<Record<TemplateName, readonly string[]>> = {
  draft: ['paragraph', 'question'],
  integrate: ['answers'],
};

const SetFile = z.strictObject({
  thinkingParts: z.array(z.string().min(1).max(80)).min(1).max(12).optional(),
  tasks: z.partialRecord(Intent, Task).optional(),
  own: z.strictObject({ answerWith: z.string().min(1) }).optional(),
});
type SetFile = z.infer<typeof SetFile>;

/** Files laid over each other, the first one lowest: the common ones, the set's, the workspace's. */
export interface PromptLayer {
  /** Where its files are, for the writer: a folder. */
  readonly place: string;
  readonly files: PromptFiles;
}

/**
 * Puts a set together.
 * @throws PreflexorError `bad-input` that names the file, what is wrong in it and what to do
 */
export function promptSet(layers: readonly PromptLayer[]): PromptSet {
  const templates = Object.fromEntries(
    templateNames.map((name) => [name, templateOf(name, layers)]),
  ) as Record<TemplateName, string>;
  const settings = layers.flatMap((layer) => setFileOf(layer));
  const tasks = Object.assign({}, ...settings.map((setting) => setting.tasks ?? {})) as Partial<
    Record<Intent, Task>
  >;
  const thinkingParts = settings.findLast((setting) => setting.thinkingParts)?.thinkingParts;
  const own = settings.findLast((setting) => setting.own)?.own;
  if (!thinkingParts || !own || !isComplete(tasks)) {
    throw new PreflexorError('bad-input', 'The prompt files of this installation are not complete.', {
      remedy: 'Install PRefLexOR again.',
    });
  }
  const wording = JSON.stringify([templates, tasks, thinkingParts, own]);
  return {
    thinkingParts,
    tasks,
    ownAnswerWith: own.answerWith,
    version: createHash('sha256').update(wording).digest('hex').slice(0, 12),
    render: (name, values) => render(templates[name], values),
  };
}

function isComplete(tasks: Partial<Record<Intent, Task>>): tasks is Record<Intent, Task> {
  return Intent.options.every((intent) => tasks[intent] !== undefined);
}

function templateOf(name: TemplateName, layers: readonly PromptLayer[]): string {
  const file = `${name}.md`;
  const layer = layers.findLast(({ files }) => files[file] !== undefined);
  const text = layer?.files[file];
  if (layer === undefined || text === undefined) {
    throw new PreflexorError('bad-input', `The prompt ${file} is missing.`, {
      remedy: 'Install PRefLexOR again.',
    });
  }
  checkTemplate(name, text, `${layer.place}/${file}`);
  return text;
}

function checkTemplate(name: TemplateName, text: string, place: string): void {
  let used: Set<string>;
  try {
    used = namesIn(Mustache.parse(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badPrompt(place, reason, 'Close what is open there, or delete the file to have the built-in one.');
  }
  const known = [...everywhere, ...variables[name]];
  const unknown = [...used].filter((variable) => !known.includes(variable));
  if (unknown.length > 0) {
    const list = unknown.map((variable) => `{{${variable}}}`).join(', ');
    throw badPrompt(place, `it has no variable ${list}`, `Use these: ${known.join(', ')}.`);
  }
  const missing = (needed[name] ?? []).filter((variable) => !used.has(variable));
  if (missing.length > 0) {
    const list = missing.map((variable) => `{{${variable}}}`).join(' and ');
    throw badPrompt(place, `${list} must stand in it`, 'Put it where the model shall read it.');
  }
}

function badPrompt(place: string, reason: string, remedy: string): PreflexorError {
  return new PreflexorError('bad-input', `The prompt ${place} can't be used: ${reason}.`, { remedy });
}

type Tokens = ReturnType<typeof Mustache.parse>;

/** Names of variables and sections, also of nested ones. Partials and changed delimiters are refused. */
function namesIn(tokens: Tokens): Set<string> {
  const names = new Set<string>();
  for (const [type, value, , , nested] of tokens) {
    if (type === '>' || type === '=')
      throw new Error(`${type === '>' ? 'partials' : 'other delimiters'} are not allowed`);
    if (type === 'name' || type === '&' || type === '#' || type === '^') names.add(value);
    if (Array.isArray(nested)) for (const name of namesIn(nested)) names.add(name);
  }
  return names;
}

function setFileOf({ place, files }: PromptLayer): SetFile[] {
  const text = files['set.yaml'];
  if (text === undefined) return [];
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw badPrompt(
      `${place}/set.yaml`,
      error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
      'Mend the YAML.',
    );
  }
  const decoded = SetFile.safeParse(value ?? {});
  if (decoded.success) return [decoded.data];
  throw badPrompt(`${place}/set.yaml`, z.prettifyError(decoded.error), 'See server/prompts/README.md.');
}

function render(template: string, values: PromptValues): string {
  // Text, not HTML: nothing is escaped but what would end a quotation.
  const text = Mustache.render(template, values, {}, { escape: unquotable });
  return text.replace(/\n{3,}/g, '\n\n').trim();
}

function unquotable(value: unknown): string {
  return String(value).trim().replaceAll('<<<', '< < <').replaceAll('>>>', '> > >');
}
