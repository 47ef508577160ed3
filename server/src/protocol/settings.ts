// Settings, declared once: the block in package.json and docs/settings.md are generated from here,
// and the same schemas decode what an editor sends.
import { z } from 'zod';
import { Gpu } from './engine.ts';
import { TeachingMode, TeachingPreset } from './teachingWorker.ts';
import { AdapterId } from './training.ts';

export interface SettingDeclaration<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly fallback: z.infer<S>;
  /** Markdown; says the unit. */
  readonly description: string;
  readonly scope: 'machine' | 'resource' | 'window';
  readonly enumDescriptions?: readonly string[];
  /** Steers what runs on the machine: not read from a workspace that is not trusted. */
  readonly restricted?: true;
}

function setting<S extends z.ZodType>(declaration: SettingDeclaration<S>): SettingDeclaration<S> {
  return declaration;
}

const tokens = z.int().min(16).max(32_768);

export const settings = {
  model: setting({
    schema: z.string().min(1),
    fallback: 'smollm2-135m-instruct',
    description:
      'The language model: an id of the catalogue (**PRefLexOR: Choose Model**) or the absolute path of a GGUF file. The small default is for trying things out; choose a larger one for real work.',
    scope: 'machine',
    restricted: true,
  }),
  'engine.gpu': setting({
    schema: Gpu,
    fallback: 'auto',
    description:
      'What the model runs on. With `auto` each is tried in turn and the status item says which it became.',
    enumDescriptions: [
      'Try CUDA, Metal and Vulkan, then the processor.',
      'The processor only.',
      'NVIDIA GPUs.',
      'GPUs by Vulkan.',
      'Apple GPUs.',
    ],
    scope: 'machine',
    restricted: true,
  }),
  'engine.contextTokens': setting({
    schema: z.int().min(0).max(1_048_576),
    fallback: 0,
    description:
      'Context size in tokens. `0`: as much as memory allows, up to what the model was trained with.',
    scope: 'machine',
  }),
  'engine.threads': setting({
    schema: z.int().min(0).max(256),
    fallback: 0,
    description:
      'Threads for prompts and for generation. `0`: measured once for this machine and model, and kept.',
    scope: 'machine',
  }),
  'engine.idleUnloadMinutes': setting({
    schema: z.number().min(0).max(1440),
    fallback: 10,
    description: 'Minutes without work after which the model leaves memory. `0`: it stays.',
    scope: 'machine',
  }),
  'engine.url': setting({
    schema: z.string().max(2000),
    fallback: '',
    description:
      'Address of a server that speaks the OpenAI chat API (llama-server, vLLM, SGLang, LM Studio, Ollama), for instance `http://127.0.0.1:8080`. Empty: the model runs here. **Your text goes to that server.**',
    scope: 'machine',
    restricted: true,
  }),
  'engine.urlModel': setting({
    schema: z.string().max(500),
    fallback: '',
    description: "The model's name on that server. Empty: the first one that it names.",
    scope: 'machine',
    restricted: true,
  }),
  'engine.urlAdapter': setting({
    schema: z.string().max(500),
    fallback: '',
    description:
      'An adapter that the server has loaded, chosen for each request: its number (llama-server) or its name (vLLM). Empty: none.',
    scope: 'machine',
    restricted: true,
  }),
  'reasoning.iterations': setting({
    schema: z.int().min(0).max(20),
    fallback: 3,
    description: 'Rounds of recursion after the draft. `0`: the draft alone, which reflects on itself.',
    scope: 'resource',
  }),
  'reasoning.mode': setting({
    schema: z.enum(['thinking', 'thinking-and-reflection']),
    fallback: 'thinking-and-reflection',
    description: 'What an answer is made from.',
    enumDescriptions: [
      'From thinking alone; the critic reads the thinking and says what to mend.',
      'From thinking and the reflection on it, which the next round mends.',
    ],
    scope: 'resource',
  }),
  'reasoning.critic': setting({
    schema: z.string(),
    fallback: '',
    description:
      'The model that criticises, improves and integrates: an id of the catalogue or the absolute path of a GGUF file. Empty: the language model itself, without its adapter.',
    scope: 'machine',
    restricted: true,
  }),
  'reasoning.scoring': setting({
    schema: z.boolean(),
    fallback: true,
    description: 'The critic scores each iteration by a rubric, twice, so that the best one can be kept.',
    scope: 'resource',
  }),
  'reasoning.promptSet': setting({
    schema: z.enum(['sciences', 'humanities', 'plain']),
    fallback: 'sciences',
    description:
      'The wording of what the model is asked. Files of the same names in `.preflexor/prompts/` take the place of single prompts.',
    enumDescriptions: ['For papers and notes in the sciences.', 'For the humanities.', 'For plain writing.'],
    scope: 'resource',
  }),
  'reasoning.temperature': setting({
    schema: z.number().min(0).max(2),
    fallback: 0.1,
    description: 'Sampling temperature (the paper uses 0.1). `0` always takes the likeliest token.',
    scope: 'resource',
  }),
  'reasoning.criticTemperature': setting({
    schema: z.number().min(0).max(2),
    fallback: 0.1,
    description: 'Sampling temperature of the critic (the paper uses 0.1).',
    scope: 'resource',
  }),
  'reasoning.thinkingSections': setting({
    schema: z.int().min(1).max(4),
    fallback: 1,
    description: 'Thinking sections before the reflection, each going on from the ones before.',
    scope: 'resource',
  }),
  'reasoning.thinkingTokens': setting({
    schema: tokens,
    fallback: 512,
    description: 'Token budget of a thinking section.',
    scope: 'resource',
  }),
  'reasoning.reflectionTokens': setting({
    schema: tokens,
    fallback: 256,
    description: 'Token budget of a reflection section.',
    scope: 'resource',
  }),
  'reasoning.answerTokens': setting({
    schema: tokens,
    fallback: 512,
    description: 'Token budget of an answer.',
    scope: 'resource',
  }),
  'reasoning.avoidLoops': setting({
    schema: z.boolean(),
    fallback: true,
    description:
      'Keep a section from repeating its own phrases, as small models do. Quoting the note stays free.',
    scope: 'resource',
  }),
  'reasoning.thinkingParts': setting({
    schema: z.array(z.string().min(1).max(80)).max(12),
    fallback: [],
    description:
      'What a thinking section goes through, for instance `hypothesis`. Empty: what the prompt set asks for; a historian goes through other parts than a materials scientist.',
    scope: 'resource',
  }),
  'retrieval.enabled': setting({
    schema: z.boolean(),
    fallback: true,
    description: 'Index the notes and papers of this folder, and show the model the passages that fit.',
    scope: 'resource',
  }),
  'retrieval.embedder': setting({
    schema: z.string().min(1),
    fallback: 'all-minilm-l6-v2',
    description:
      'The embedding model: an id of the catalogue or the absolute path of a GGUF file. Another one means that the index is built anew beside the old one, which serves until then.',
    scope: 'machine',
    restricted: true,
  }),
  'retrieval.reranker': setting({
    schema: z.string(),
    fallback: '',
    description:
      'A reranking model that orders what was found: an id of the catalogue or the absolute path of a GGUF file. Empty: none.',
    scope: 'machine',
    restricted: true,
  }),
  'retrieval.address': setting({
    schema: z.string(),
    fallback: '',
    description:
      'Where the index is kept: a folder, `s3://bucket/path`, or `db://name` for LanceDB Cloud. Empty: the application folder. Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `LANCEDB_API_KEY` …). With an address that is not a folder, text of your notes leaves this machine.',
    scope: 'machine',
    restricted: true,
  }),
  'retrieval.include': setting({
    schema: z.array(z.string().min(1)).max(200),
    fallback: ['**/*.{md,markdown,tex,pdf,html,htm,txt,bib}'],
    description: 'Files that are indexed, as globs relative to the folder.',
    scope: 'resource',
  }),
  'retrieval.exclude': setting({
    schema: z.array(z.string().min(1)).max(200),
    fallback: [],
    description:
      'Files that are not indexed, as globs. `#files.exclude#`, `#search.exclude#`, `.gitignore` and `.preflexorignore` count as well; the last one decides.',
    scope: 'resource',
  }),
  'preferences.record': setting({
    schema: z.boolean(),
    fallback: true,
    description:
      'Whether preference pairs are made of your decisions on suggestions (**PRefLexOR: Pause Recording of Decisions**). Off: none is exported or trained on, and of new decisions only that they were made is kept in `.preflexor/`, no text; earlier ones stay until you forget them. Off for a single note: `preflexor: off` in its front matter; for a folder: a file named `.preflexor-off` in it.',
    scope: 'resource',
  }),
  'teaching.start': setting({
    schema: TeachingMode,
    fallback: 'manual',
    description:
      'When the model is taught from your notes and decisions. It happens on this machine alone, also where `#preflexor.engine.url#` names a server, and what comes of it is used only when you say so.',
    enumDescriptions: [
      'Never.',
      'When you run **PRefLexOR: Teach Now**.',
      'By itself: with enough new pairs, while the machine is plugged in and left alone.',
    ],
    scope: 'machine',
    restricted: true,
  }),
  'teaching.preset': setting({
    schema: TeachingPreset,
    fallback: 'quick',
    description: 'How much is made and trained; `preflexor teach --plan` shows every number.',
    enumDescriptions: [
      '64 samples, short.',
      '200 samples with longer thinking, judged more carefully.',
      'The numbers of the paper: 50 samples, made anew six times in each phase.',
    ],
    scope: 'machine',
  }),
  'teaching.newPairs': setting({
    schema: z.int().min(1).max(100_000),
    fallback: 20,
    description: 'New preference pairs since the last run with which teaching starts by itself.',
    scope: 'machine',
  }),
  'teaching.idleMinutes': setting({
    schema: z.number().min(0).max(1440),
    fallback: 10,
    description: 'Minutes without writing after which teaching may start by itself.',
    scope: 'machine',
  }),
  'teaching.window': setting({
    schema: z
      .string()
      .regex(/^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'a time such as 22:00-06:00'),
    fallback: '',
    description:
      'The time of the day in which teaching may run by itself, for instance `22:00-06:00`. Empty: at any time.',
    scope: 'machine',
  }),
  'teaching.onBattery': setting({
    schema: z.boolean(),
    fallback: false,
    description: 'Whether teaching may run by itself on the battery too.',
    scope: 'machine',
  }),
  'adapters.forNotes': setting({
    schema: z
      .array(
        z.object({
          files: z.string().min(1).optional(),
          kind: z.string().min(1).optional(),
          adapter: z.union([AdapterId, z.literal('base')]),
        }),
      )
      .max(100),
    fallback: [],
    description:
      'Adapters for some notes, in place of the one in use: `{"files": "drafts/**", "adapter": "exo_pair-0123456789"}` by a glob, `{"kind": "essay", "adapter": "base"}` by `kind` or `type` in a note\'s front matter. The first that fits counts; `base` is the model without adapter. **PRefLexOR: Adapters** shows the ids.',
    scope: 'resource',
  }),
  'retrieval.maxFileMegabytes': setting({
    schema: z.number().min(0.001).max(1000),
    fallback: 50,
    description: 'Larger files are not indexed, in megabytes.',
    scope: 'resource',
  }),
  'retrieval.passages': setting({
    schema: z.int().min(0).max(40),
    fallback: 6,
    description: 'How many passages the model is shown. `0`: none.',
    scope: 'resource',
  }),
  'citations.diagnostics': setting({
    schema: z.boolean(),
    fallback: true,
    description: 'Mark citation keys that no bibliography of the folder knows.',
    scope: 'resource',
  }),
  'annotations.storage': setting({
    schema: z.enum(['note', 'sidecar']),
    fallback: 'note',
    description: 'Where thinking, reflection and suggestion go.',
    enumDescriptions: [
      'Into the note, folded, below the paragraph.',
      'Only into the sidebar and `.preflexor/`: nothing but accepted text touches the note.',
    ],
    scope: 'resource',
  }),
  'annotations.foldOnInsert': setting({
    schema: z.boolean(),
    fallback: true,
    description: 'Fold thinking and reflection when they are inserted.',
    scope: 'resource',
  }),
  'annotations.acceptedText': setting({
    schema: z.enum(['replace', 'after']),
    fallback: 'replace',
    description: 'What accepting does with the paragraph.',
    enumDescriptions: ['The suggestion takes its place.', 'The suggestion follows it.'],
    scope: 'resource',
  }),
  'codeLens.enabled': setting({
    schema: z.boolean(),
    fallback: true,
    description: 'Show Accept, Reject and the other actions above an annotation. Needs `#editor.codeLens#`.',
    scope: 'resource',
  }),
} as const satisfies Record<string, SettingDeclaration>;

export type SettingKey = keyof typeof settings;
export type Settings = { -readonly [K in SettingKey]: z.infer<(typeof settings)[K]['schema']> };

/** Every setting at its default. */
export function defaultSettings(): Settings {
  const values = Object.entries(settings).map(([key, declaration]) => [key, declaration.fallback]);
  return Object.fromEntries(values) as Settings;
}

/**
 * Reads the nested object that an editor sends for the section `preflexor`.
 * What is missing takes its default; what is wrong takes its default and is named in `problems`.
 */
export function decodeSettings(section: unknown): { settings: Settings; problems: string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, declaration] of Object.entries(settings)) {
    const raw = at(section, key.split('.'));
    const decoded = raw === undefined || raw === null ? undefined : declaration.schema.safeParse(raw);
    if (decoded && !decoded.success) {
      problems.push(
        `Setting preflexor.${key}: ${z.prettifyError(decoded.error)}; using the default instead.`,
      );
    }
    values[key] = decoded?.success ? decoded.data : declaration.fallback;
  }
  return { settings: values as Settings, problems };
}

function at(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string, unknown>)[part];
  }
  return current;
}

/** Settings as a file or an editor holds them, nested by the parts of their names: what `decodeSettings` reads. */
export function encodeSettings(settings: Settings): Record<string, unknown> {
  const section: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(settings)) {
    const way = key.split('.');
    const last = way.pop() ?? '';
    let place = section;
    for (const part of way) place = (place[part] ??= {}) as Record<string, unknown>;
    place[last] = value;
  }
  return section;
}
