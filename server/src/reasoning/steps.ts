// One step of a run: a completion of the reasoner or the critic, streamed as events, or taken from the record of a
// run that is gone on with. Knows nothing of what the steps are for.
import type { LanguageModel } from '../engine/languageModel.ts';
import { PreflexorError, throwIfCancelled } from '../errors.ts';
import { normaliseModelText } from '../notes/index.ts';
import type {
  GenerateRequest,
  ReasonEvent,
  SegmentProblem,
  Step,
  StepName,
  StreamKind,
  TokenCounts,
} from '../protocol/index.ts';

/** What is to be written. */
export interface StepRequest {
  readonly iteration: number;
  readonly name: StepName;
  readonly part: number;
  readonly by: Step['by'];
  readonly generate: GenerateRequest;
  /** The marker that ends it as it should; null: the end of the turn does. */
  readonly endMarker: string | null;
  /** Ends the text early and keeps what there is, where that makes sense for this step. */
  readonly cut: AbortSignal | null;
}

export interface StepRunnerParts {
  readonly run: string;
  readonly models: Readonly<Record<Step['by'], LanguageModel>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Finished steps of an earlier run, in their order: as long as they are the ones asked for, they are taken. */
  readonly recorded: readonly Step[];
  readonly signal: AbortSignal;
}

/** Runs steps and keeps their record. */
export class StepRunner {
  readonly #parts: StepRunnerParts;
  readonly #done: Step[] = [];
  #replaying = true;

  constructor(parts: StepRunnerParts) {
    this.#parts = parts;
  }

  /** All steps so far, in their order. */
  get steps(): readonly Step[] {
    return this.#done;
  }

  /** Tokens and seconds of an iteration's steps together. */
  sumOf(iteration: number): { tokens: TokenCounts; seconds: number } {
    const tokens = { prompt: 0, reused: 0, generated: 0 };
    let seconds = 0;
    for (const step of this.#done) {
      if (step.iteration !== iteration || step.name === 'integration') continue;
      tokens.prompt += step.tokens.prompt;
      tokens.reused += step.tokens.reused;
      tokens.generated += step.tokens.generated;
      seconds += step.seconds;
    }
    return { tokens, seconds };
  }

  /** @throws PreflexorError `cancelled`, and whatever the model throws */
  async *run(request: StepRequest): AsyncGenerator<ReasonEvent, Step> {
    const recorded = this.#replaying ? this.#parts.recorded[this.#done.length] : undefined;
    if (recorded && isStep(recorded, request)) {
      yield* this.#replay(recorded);
      this.#done.push(recorded);
      return recorded;
    }
    this.#replaying = false;
    const step = yield* this.#write(request);
    this.#done.push(step);
    yield { event: 'step', run: this.#parts.run, step };
    return step;
  }

  *#replay(step: Step): Generator<ReasonEvent> {
    const kind = streamKind(step.name);
    if (kind === null) return;
    const { run } = this.#parts;
    const { iteration, text, problems } = step;
    yield { event: 'segment', run, iteration, kind };
    yield { event: 'text', run, iteration, kind, text };
    yield { event: 'segment-end', run, iteration, kind, problems };
  }

  async *#write(request: StepRequest): AsyncGenerator<ReasonEvent, Step> {
    const { run, now } = this.#parts;
    const { iteration, name, part, by } = request;
    const started = now();
    const kind = streamKind(name);
    if (kind !== null) yield { event: 'segment', run, iteration, kind };
    const written: Written = {
      text: '',
      length: 0,
      problems: [],
      tokens: { prompt: 0, reused: 0, generated: 0 },
    };
    for await (const text of this.#stream(request, written)) {
      if (kind !== null) yield { event: 'text', run, iteration, kind, text };
    }
    throwIfCancelled(this.#parts.signal);
    const { length, problems, tokens } = written;
    if (kind !== null) yield { event: 'segment-end', run, iteration, kind, problems };
    const seconds = Math.max(0, (now() - started) / 1000);
    return {
      iteration,
      name,
      part,
      by,
      text: normaliseModelText(written.text),
      length,
      problems,
      tokens,
      seconds,
    };
  }

  /** The text as it comes; what is to be known of it at the end is gathered in `written`. */
  async *#stream(request: StepRequest, written: Written): AsyncGenerator<string> {
    const { signal, models } = this.#parts;
    const either = request.cut === null ? signal : AbortSignal.any([signal, request.cut]);
    try {
      for await (const event of models[request.by].generate(request.generate, either)) {
        if (event.event === 'text') {
          written.text += event.text;
          written.length += event.tokens.length;
          written.tokens.generated += event.tokens.length;
          yield event.text;
        } else if (event.event === 'prompt') {
          written.tokens = { prompt: event.tokens, reused: event.reused, generated: 0 };
        } else {
          written.tokens = event.tokens;
          if (event.reason === 'length') written.problems.push('truncated');
          // A section that runs into another one's start is closed there: what follows is asked for anyway.
          else if (event.stop !== null && event.stop !== request.endMarker) written.problems.push('nested');
        }
      }
    } catch (error) {
      const wasCut = request.cut?.aborted === true && !signal.aborted;
      if (!wasCut || !PreflexorError.is(error, 'cancelled')) throw error;
      written.problems.push('truncated');
    }
  }
}

interface Written {
  text: string;
  length: number;
  problems: SegmentProblem[];
  tokens: TokenCounts;
}

function isStep(step: Step, { iteration, name, part, by }: StepRequest): boolean {
  return step.iteration === iteration && step.name === name && step.part === part && step.by === by;
}

/** Marks are no text for the writer: they come with the iteration. */
function streamKind(name: StepName): StreamKind | null {
  return name === 'score' ? null : name;
}
