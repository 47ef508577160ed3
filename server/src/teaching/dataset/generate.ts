// Makes a dataset out of the writer's own notes: sample after sample, each kept in the log before the next begins, until
// there are enough or it is plain that there will not be. Goes on from a log that is there.
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import type {
  DatasetDiversity,
  DatasetEnd,
  DatasetSample,
  DatasetSetup,
  MarkerProfile,
  PairSplit,
  SampleProblem,
} from '../../protocol/index.ts';
import { diversityOf, refusedBy } from './figures.ts';
import { Drawing, type Drawn } from './draw.ts';
import { openDatasetLog, type DatasetLog } from './log.ts';
import { heldoutNotes, usableChunks } from './notes.ts';
import type { CorpusChunk, DatasetPorts } from './ports.ts';
import { QuestionBook } from './questionBook.ts';
import { makeSample } from './sample.ts';

/** So many samples that fail one after the other say that the next one will fail too. */
const mostFailedInRow = 20;

/** Attempts for each sample that is wanted, and some more. */
const mostAttempts = { perSample: 4, more: 20 } as const;

export interface DatasetRequest {
  readonly setup: DatasetSetup;
  /** Kept samples that are wanted in all. */
  readonly samples: number;
  readonly log: string;
  /** Questions to be answered anew, in place of new ones; null: new ones. */
  readonly earlier: readonly DatasetSample[] | null;
  /** Notes that are held out; null: by the settings' share. */
  readonly heldout: ReadonlySet<string> | null;
}

export type DatasetEvent =
  | ({ readonly event: 'sample' } & DatasetSample)
  /** What was made before, by another process. */
  | { readonly event: 'resumed'; readonly samples: number; readonly kept: number };

export interface Dataset {
  readonly samples: readonly DatasetSample[];
  readonly end: DatasetEnd;
  readonly refused: Partial<Record<SampleProblem, number>>;
  readonly diversity: DatasetDiversity;
}

/**
 * @throws PreflexorError `bad-input` (nothing to ask from, a log of another dataset), `cancelled`, and what models and
 * index throw; what was made is kept in the log
 */
export async function* generateDataset(
  request: DatasetRequest,
  ports: DatasetPorts,
  signal: AbortSignal,
): AsyncGenerator<DatasetEvent, Dataset> {
  const { setup, log: file, earlier } = request;
  const chunks = usableChunks(await ports.corpus.chunks(setup.settings.topic, signal));
  throwIfCancelled(signal);
  if (chunks.length === 0) throw nothingToAskFrom(setup.settings.topic);
  const log = await openDatasetLog(file, setup, ports.now);
  if (log.samples.length > 0)
    yield { event: 'resumed', samples: log.samples.length, kept: keptIn(log.samples) };
  const heldout =
    request.heldout ??
    heldoutNotes(
      chunks.map(({ document }) => document),
      setup.settings.heldoutShare,
    );
  const { markers } = await ports.student.load(signal);
  const source: Source = earlier
    ? new EarlierQuestions(earlier)
    : new Passages(chunks, heldout, request, setup);
  const end = yield* new Loop({ request, ports, log, heldout, markers, source, signal }).run();
  return {
    samples: log.samples,
    end,
    refused: refusedBy(log.samples),
    diversity: diversityOf(log.samples, chunks),
  };
}

/** Where the next sample comes from. */
interface Source {
  next(): { readonly drawn: Drawn; readonly earlier: DatasetSample | null } | null;
  made(sample: DatasetSample): void;
  readonly isEnough: boolean;
  /** What to say when there is no next one. */
  readonly usedUp: string;
}

class Passages implements Source {
  readonly #drawing: Drawing;
  readonly usedUp: string;

  constructor(
    chunks: readonly CorpusChunk[],
    heldout: ReadonlySet<string>,
    { samples }: DatasetRequest,
    { seed, settings }: DatasetSetup,
  ) {
    const { perChunk, heldoutShare } = settings;
    const held =
      heldout.size === 0 || heldoutShare === 0 ? 0 : Math.max(1, Math.round(samples * heldoutShare));
    const wanted: Record<PairSplit, number> = { train: samples - held, 'held-out': held };
    this.#drawing = new Drawing(chunks, heldout, { seed, wanted, chunks: settings.chunks, perChunk });
    this.usedUp = `The ${chunks.length} different passages were each asked from as often as they may be (${perChunk} times).`;
  }

  get isEnough(): boolean {
    return this.#drawing.isEnough;
  }

  next(): { drawn: Drawn; earlier: null } | null {
    const drawn = this.#drawing.next();
    return drawn && { drawn, earlier: null };
  }

  made(sample: DatasetSample): void {
    this.#drawing.made(sample);
  }
}

/** Each kept question of an earlier dataset, once. */
class EarlierQuestions implements Source {
  readonly #earlier: readonly DatasetSample[];
  #at = 0;
  readonly usedUp: string;

  constructor(earlier: readonly DatasetSample[]) {
    this.#earlier = earlier.filter(({ kept }) => kept);
    this.usedUp = `All ${this.#earlier.length} questions were answered anew.`;
  }

  get isEnough(): boolean {
    return this.#at >= this.#earlier.length;
  }

  next(): { drawn: Drawn; earlier: DatasetSample } | null {
    const earlier = this.#earlier[this.#at];
    return earlier ? { drawn: { attempt: this.#at, split: earlier.split, chunks: [] }, earlier } : null;
  }

  made(): void {
    this.#at += 1;
  }
}

interface LoopParts {
  readonly request: DatasetRequest;
  readonly ports: DatasetPorts;
  readonly log: DatasetLog;
  readonly heldout: ReadonlySet<string>;
  readonly markers: MarkerProfile;
  readonly source: Source;
  readonly signal: AbortSignal;
}

class Loop {
  readonly #parts: LoopParts;
  readonly #book: QuestionBook;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#book = new QuestionBook(parts.ports.embed);
  }

  async *run(): AsyncGenerator<DatasetEvent, DatasetEnd> {
    const { request, ports, log, heldout, markers, source, signal } = this.#parts;
    const { setup, samples: wanted } = request;
    for (const sample of log.samples) source.made(sample);
    await this.#book.add(
      log.samples.filter(({ kept }) => kept).map(({ question }) => question),
      signal,
    );
    for (;;) {
      throwIfCancelled(signal);
      const end = endOf(log.samples, wanted, source);
      if (end) return end;
      const next = source.next();
      if (!next) return { why: 'passages-used-up', message: source.usedUp };
      const { settings, seed } = setup;
      const sample = await makeSample(
        { ...next, settings, seed, heldout, markers, book: this.#book },
        ports,
        signal,
      );
      throwIfCancelled(signal);
      await log.append(sample);
      source.made(sample);
      if (sample.kept) {
        await this.#book.add([sample.question], signal);
        await ports.learn(sample);
      }
      yield { event: 'sample', ...sample };
    }
  }
}

function keptIn(samples: readonly DatasetSample[]): number {
  return samples.filter(({ kept }) => kept).length;
}

/** Why it is over, or null: the reasons that keep a hopeless corpus or model from being asked for ever. */
function endOf(samples: readonly DatasetSample[], wanted: number, source: Source): DatasetEnd | null {
  const kept = keptIn(samples);
  if (source.isEnough && kept === 0)
    return {
      why: 'samples-fail',
      message: `All ${samples.length} samples failed their checks: ${reasons(samples)}.`,
    };
  if (source.isEnough) return { why: 'enough', message: `${kept} samples were kept of ${samples.length}.` };
  const lastKept = samples.findLastIndex(({ kept }) => kept);
  const inRow = samples.length - 1 - lastKept;
  if (inRow >= mostFailedInRow) {
    const why = reasons(samples.slice(-inRow));
    return { why: 'samples-fail', message: `The last ${inRow} samples all failed their checks: ${why}.` };
  }
  const attempts = wanted * mostAttempts.perSample + mostAttempts.more;
  if (samples.length < attempts) return null;
  const message = `Of ${samples.length} samples only ${kept} passed their checks: ${reasons(samples)}.`;
  return { why: 'samples-fail', message };
}

function reasons(samples: readonly DatasetSample[]): string {
  return Object.entries(refusedBy(samples))
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
}

function nothingToAskFrom(topic: string | null): PreflexorError {
  const what =
    topic === null
      ? 'The index holds no passage that could be asked from.'
      : `Nothing in the index is about “${topic}”.`;
  return new PreflexorError('bad-input', what, {
    remedy:
      topic === null
        ? 'Index a folder with notes or papers: passages of 25 words and more are asked from.'
        : 'Name another topic, or none.',
  });
}
