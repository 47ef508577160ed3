// preflexor/review: suggestions that are reviewed change by change, one in a note at a time, and the lenses that
// show it in any editor. What a review is and what it plans is the core's (workflow/hunkReview.ts).
import type { CodeLens, Connection, TextDocuments } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import {
  reviewNotification,
  serverCommands,
  type OffsetRange,
  type Range,
  type Review,
  type ReviewEnd,
  type ReviewParams,
  type ReviewStep,
  type reviewRequest,
} from '../protocol/index.ts';
import {
  beginReview,
  decideHunk,
  decideRest,
  followNote,
  goFrom,
  hunkAt,
  allAsRecorded,
  planReview,
  recordDecisions,
  type HunkReview,
  type Stores,
} from '../workflow/index.ts';
import { carryOut } from './carryOut.ts';
import type { Notes } from './documents.ts';
import type { SettingsSource } from './settings.ts';

export interface ReviewParts {
  readonly connection: Connection;
  readonly documents: TextDocuments<TextDocument>;
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly stores: Stores;
  /** Has the editor ask for the lenses again. */
  readonly onLenses: () => void;
}

type Result = z.infer<typeof reviewRequest.result>;

export interface Reviews {
  review(params: ReviewParams): Promise<Result>;
  /** The steps of the review that goes on in this document, above its paragraph. */
  lenses(document: TextDocument): CodeLens[];
}

export function createReviews(parts: ReviewParts): Reviews {
  const { connection, documents, notes, settings: source, stores, onLenses } = parts;
  const reviews = new Map<string, HunkReview>();
  /** Notes whose review is being carried out: its own edit does not overtake it. */
  const applying = new Set<string>();

  documents.onDidChangeContent(({ document }) => {
    follow(document);
  });
  documents.onDidClose(({ document }) => {
    if (reviews.has(document.uri)) end(document.uri, 'given-up');
  });

  /** The note changed: the review goes on where its changes stand now, or is over. */
  function follow(document: TextDocument): void {
    const review = reviews.get(document.uri);
    if (!review || applying.has(document.uri)) return;
    try {
      keep(document.uri, followNote(review, document.getText()));
    } catch (error) {
      if (!PreflexorError.is(error)) throw error;
      end(document.uri, 'overtaken');
    }
  }

  function keep(uri: string, review: HunkReview): void {
    reviews.set(uri, review);
    tell(uri, toldOf(notes.document(uri), review), null);
  }

  function end(uri: string, ended: ReviewEnd): void {
    reviews.delete(uri);
    tell(uri, null, ended);
  }

  function tell(uri: string, review: Review | null, ended: ReviewEnd | null): void {
    void connection.sendNotification(reviewNotification.method, { uri, review, ended });
    onLenses();
  }

  /** @throws PreflexorError `bad-input` when none goes on there */
  function present(uri: string): HunkReview {
    const review = reviews.get(uri);
    if (review) return review;
    throw new PreflexorError('bad-input', 'No suggestion of this note is under review.', {
      remedy: 'Choose Review above a suggestion first.',
    });
  }

  async function review(params: ReviewParams): Promise<Result> {
    const { uri } = params.textDocument;
    if (params.action === 'begin') {
      reviews.set(uri, await beginReview(await notes.note(uri), params.block, stores));
      // The writer may have typed meanwhile.
      follow(notes.document(uri));
    } else if (params.action === 'apply') {
      return await apply(uri);
    } else if (params.action === 'give-up') {
      present(uri);
      end(uri, 'given-up');
      return { review: null, decision: null };
    } else {
      keep(uri, stepped(present(uri), params, notes.document(uri)));
    }
    return { review: toldOf(notes.document(uri), present(uri)), decision: null };
  }

  async function apply(uri: string): Promise<Result> {
    const reviewed = present(uri);
    applying.add(uri);
    try {
      const { root } = await notes.note(uri);
      const settings = await source.for(uri);
      const decision = await carryOut(
        ...[notes, uri, labelOf(reviewed)],
        async (note) => {
          const { edits, entries } = planReview(note, followNote(reviewed, note.text));
          return { edits, entries: await allAsRecorded(note, settings, entries) };
        },
        ({ entries }) => recordDecisions(stores, root, entries),
      );
      end(uri, 'applied');
      return { review: null, decision };
    } finally {
      applying.delete(uri);
      // It did not come to its end: what the note is by now counts.
      const document = documents.get(uri);
      if (document) follow(document);
    }
  }

  return {
    review,
    lenses: (document) => {
      const reviewed = reviews.get(document.uri);
      return reviewed ? lensesOf(document, reviewed) : [];
    },
  };
}

type Step = Exclude<ReviewParams, { action: 'begin' | 'apply' | 'give-up' }>;

function stepped(review: HunkReview, params: Step, document: TextDocument): HunkReview {
  if (params.action === 'take-rest') return decideRest(review, 'taken');
  if (params.action === 'leave-rest') return decideRest(review, 'left');
  const index = hunkAt(review, params.position && document.offsetAt(params.position));
  switch (params.action) {
    case 'take':
      return decideHunk(review, index, 'taken');
    case 'leave':
      return decideHunk(review, index, 'left');
    case 'next':
      return goFrom(review, index, 1);
    case 'previous':
      return goFrom(review, index, -1);
  }
}

function toldOf(document: TextDocument, { block, found, states, current }: HunkReview): Review {
  const { hunks, place } = found;
  return {
    block,
    paragraph: rangeOf(document, place),
    hunks: hunks.map(({ range, before, after }, index) => {
      return { range: rangeOf(document, range), before, after, state: states[index] ?? 'open' };
    }),
    current,
  };
}

function rangeOf(document: TextDocument, { start, end }: OffsetRange): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

/** A lens has one line for all of it. */
const longestQuote = 40;

/** What is decided on next and what can be done with it, in one line above the paragraph. */
function lensesOf(document: TextDocument, { found, states, current }: HunkReview): CodeLens[] {
  const { line } = document.positionAt(found.place.start);
  const range = { start: { line, character: 0 }, end: { line, character: 0 } };
  const hunk = found.hunks[current];
  const taken = states.filter((state) => state === 'taken').length;
  const what = hunk ? `${inQuotes(hunk.before)} → ${inQuotes(hunk.after)}` : '';
  const rest: [string, ReviewStep][] = [
    ['Take the rest', 'take-rest'],
    ['Leave the rest', 'leave-rest'],
  ];
  const steps: [string, ReviewStep][] = [
    [`Change ${current + 1} of ${states.length}: ${what}`, 'next'],
    ['Take', 'take'],
    ['Leave', 'leave'],
    ...(states.includes('open') ? rest : []),
    [`Apply (${taken} of ${states.length} taken)`, 'apply'],
    ['Give up', 'give-up'],
  ];
  return steps.map(([title, action]) => {
    const argument = { uri: document.uri, action };
    return { range, command: { title, command: serverCommands.reviewStep, arguments: [argument] } };
  });
}

function inQuotes(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'nothing';
  return `“${line.length > longestQuote ? `${line.slice(0, longestQuote - 1)}…` : line}”`;
}

/** What the editor's undo calls it. */
function labelOf({ states }: HunkReview): string {
  const taken = states.filter((state) => state === 'taken').length;
  return taken === 0 ? 'Reject suggestion' : `Take ${taken} of ${states.length} changes`;
}
