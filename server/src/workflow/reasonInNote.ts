// From a place in a note to a stored run, and from a run to the edit that shows it in the note.
// Used by every door; knows neither an editor nor the command line.
import {
  insertBlock,
  joinEdits,
  keysOfNote,
  markCitations,
  markUnknownCitations,
  newBlockId,
  paragraphAt,
  readBlocks,
  relocate,
  stripBlocks,
  type Paragraph,
} from '../notes/index.ts';
import { PreflexorError, sentence, throwIfCancelled } from '../errors.ts';
import type { Intent, ReasonEvent, Run, Settings, TextEdit } from '../protocol/index.ts';
import { ownTask, reason, tasks, type ReasonPorts } from '../reasoning/index.ts';
import { noteHash, relativeNotePath } from '../state/index.ts';
import type { Stores } from './stores.ts';

/** A note as it stands now. */
export interface Note {
  readonly text: string;
  /** Absolute path. */
  readonly file: string;
  /** The workspace folder that the note belongs to. */
  readonly root: string;
}

export interface ReasonRequest {
  /** UTF-16 offset of the cursor. Left out when a block is to be replaced. */
  readonly offset?: number | undefined;
  readonly question?: string | undefined;
  readonly intent?: Intent | undefined;
  readonly seed?: number | undefined;
  /** The block whose paragraph is reasoned about again. */
  readonly replaces?: string | undefined;
}

export interface Services extends ReasonPorts {
  readonly stores: Stores;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly version: string;
  /** The keys of all bibliographies of the workspace at `root`; none where it has no bibliography. */
  readonly knownCitations: (root: string, signal: AbortSignal) => Promise<ReadonlySet<string>>;
}

/** A run that is done. */
export interface RunOutcome {
  readonly run: Run;
  /** Set when the run could not be stored: it is in the caller's hands only. */
  readonly warning: string | null;
}

/**
 * Reasons about the paragraph at the request's offset and stores the run in `.preflexor/runs/`. Works that neither
 * a bibliography of the workspace nor the note itself knows are marked in the run's `final`, never cited.
 * @throws PreflexorError `not-a-paragraph`, `note-too-large`, `not-text`, `cancelled`, or what the model throws
 */
export async function* reasonInNote(
  note: Note,
  request: ReasonRequest,
  settings: Settings,
  services: Services,
  signal: AbortSignal,
): AsyncGenerator<ReasonEvent, RunOutcome> {
  const paragraph = await subjectParagraph(note, request, services.stores);
  const { text, start, end, headingPath, before, after } = paragraph;
  const events = reason(
    {
      subject: { headingPath, before, after, paragraph: text, passages: [] },
      task:
        request.question === undefined ? tasks[request.intent ?? 'strengthen'] : ownTask(request.question),
      thinkingParts: settings['reasoning.thinkingParts'],
      sampler: {
        seed: request.seed ?? Math.floor(services.random() * 2 ** 31),
        temperature: settings['reasoning.temperature'],
        thinkingTokens: settings['reasoning.thinkingTokens'],
        reflectionTokens: settings['reasoning.reflectionTokens'],
        answerTokens: settings['reasoning.answerTokens'],
        avoidLoops: settings['reasoning.avoidLoops'],
      },
      note: {
        path: relativeNotePath(note.root, note.file),
        hash: noteHash(note.text),
        range: { start, end },
      },
      block: newBlockId(services.random),
      version: services.version,
    },
    services,
    signal,
  );
  const run = yield* withRealCitations(events, (made) => checkCitations(made, note, services, signal));
  try {
    await services.stores.runs(note.root).save(run);
    return { run, warning: null };
  } catch (error) {
    return { run, warning: `This run could not be stored. ${sentence(error)}` };
  }
}

/** Passes on what happens, and the finished run as `check` has it. */
async function* withRealCitations(
  events: AsyncGenerator<ReasonEvent, Run>,
  check: (run: Run) => Promise<Run>,
): AsyncGenerator<ReasonEvent, Run> {
  let checked: Run | null = null;
  try {
    for (;;) {
      const step = await events.next();
      if (step.done) return checked ?? (await check(step.value));
      if (step.value.event === 'finished') checked = await check(step.value.result);
      yield checked && step.value.event === 'finished' ? { ...step.value, result: checked } : step.value;
    }
  } finally {
    // Who stops listening stops the model too.
    await events.return(undefined as never);
  }
}

/** The run with unknown works marked in its final text; its iterations stay what the model wrote. */
async function checkCitations(run: Run, note: Note, services: Services, signal: AbortSignal): Promise<Run> {
  const known = await services.knownCitations(note.root, signal);
  throwIfCancelled(signal);
  const own = await keysOfNote(note.text);
  throwIfCancelled(signal);
  const picked = run.iterations[run.best];
  const { text, unknown } = markUnknownCitations(run.final, known, own);
  const elsewhere = [picked?.thinking ?? '', picked?.reflection ?? ''].flatMap(
    (section) => markUnknownCitations(section, known, own).unknown,
  );
  const all = [...new Set([...unknown, ...elsewhere])];
  return all.length === 0 ? run : { ...run, final: text, unknownCitations: all };
}

/** The paragraph under the cursor, or the one that the block to be replaced belongs to. */
async function subjectParagraph(note: Note, request: ReasonRequest, stores: Stores): Promise<Paragraph> {
  if (request.replaces === undefined) {
    if (request.offset === undefined)
      throw new PreflexorError('bad-input', 'A position or a block is needed.');
    return paragraphAt(note.text, request.offset);
  }
  const run = await runOfBlock(stores, note.root, request.replaces);
  const found = run && relocate(note.text, { text: run.paragraph, start: run.note.range.start });
  if (found) return found;
  const block = readBlocks(note.text).blocks.find(({ id }) => id === request.replaces);
  if (!block) throw unknownBlock(request.replaces);
  return paragraphAt(note.text, note.text.slice(0, block.start).trimEnd().length);
}

/** What is said when a block is asked for that is not there. */
export function unknownBlock(id: string): PreflexorError {
  return new PreflexorError('unknown-block', `This note has no annotation ${id}.`, {
    remedy: 'It may have been removed already; undo brings it back.',
  });
}

/** The stored run of a block, or null where it is not known or can't be read. */
export async function runOfBlock(stores: Stores, root: string, block: string): Promise<Run | null> {
  try {
    return await stores.runs(root).findByBlock(block);
  } catch {
    // An unreadable run costs the provenance of a decision, never the decision.
    return null;
  }
}

/** Where a finished run goes: an edit of the note, or the reason why there is none. */
export type Offer = { readonly edits: TextEdit[]; readonly block: string } | { readonly reason: string };

/**
 * The edit that inserts the run's block below its paragraph, wherever that is by now.
 * @param text the note's present text: it may have changed since the run began
 * @param replaces a block to be removed in the same edit
 */
export function offer(text: string, run: Run, replaces?: string): Offer {
  const place = relocate(text, { text: run.paragraph, start: run.note.range.start });
  if (!place) {
    return {
      reason: 'The paragraph was changed meanwhile, so the suggestion is kept in the Iterations view only.',
    };
  }
  // A block that is gone by now leaves nothing to be removed.
  const removal = replaces === undefined ? [] : stripBlocks(text, [replaces]).edits;
  const iteration = run.iterations[run.best];
  const unknown = new Set(run.unknownCitations);
  const real = (section = ''): string => markCitations(section, (key) => unknown.has(key)).text;
  const insertion = insertBlock(text, place.insertAt, {
    id: run.block,
    thinking: real(iteration?.thinking),
    reflection: real(iteration?.reflection),
    answer: run.final,
    iteration: run.best,
    of: run.iterations.length - 1,
    model: run.model,
  });
  return { edits: joinEdits([insertion, ...removal]), block: run.block };
}
