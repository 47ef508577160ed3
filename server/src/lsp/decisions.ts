// Decisions on annotations, and what stands in a note: preflexor/decide, annotations, strip, compare.
import type { z } from 'zod';
import { PreflexorError } from '../errors.ts';
import { readBlocks, stripBlocks } from '../notes/index.ts';
import type {
  annotationsRequest,
  compareRequest,
  DecideParams,
  DecideResult,
  stripRequest,
  TextEdit,
} from '../protocol/index.ts';
import type { Appended } from '../preferences/index.ts';
import {
  planDecision,
  planPick,
  planRating,
  recordDecision,
  recordPick,
  runOfBlock,
  type Note,
  type Services,
  type Stores,
} from '../workflow/index.ts';
import type { Notes } from './documents.ts';
import type { SettingsSource } from './settings.ts';

export interface DecisionParts {
  readonly notes: Notes;
  readonly settings: SettingsSource;
  readonly stores: Stores;
  readonly knownCitations: Services['knownCitations'];
}

type Params<M extends { params: z.ZodType }> = z.infer<M['params']>;
type Result<M extends { result: z.ZodType }> = Promise<z.infer<M['result']>>;

export interface Decisions {
  decide(params: DecideParams): Promise<DecideResult>;
  compare(params: Params<typeof compareRequest>): Result<typeof compareRequest>;
  readonly handlers: {
    'preflexor/decide': (params: DecideParams) => Promise<DecideResult>;
    'preflexor/annotations': (params: Params<typeof annotationsRequest>) => Result<typeof annotationsRequest>;
    'preflexor/strip': (params: Params<typeof stripRequest>) => Result<typeof stripRequest>;
    'preflexor/compare': (params: Params<typeof compareRequest>) => Result<typeof compareRequest>;
  };
}

export function createDecisions(parts: DecisionParts): Decisions {
  const { notes, settings: source, stores } = parts;

  async function decide(params: DecideParams): Promise<DecideResult> {
    const { uri } = params.textDocument;
    const { block } = params;
    const settings = await source.for(uri);
    const { root } = await notes.note(uri);
    if (params.as === 'rate') {
      const { iteration, rating } = params;
      const entry = await planRating(await notes.note(uri), { block, iteration }, rating, settings, stores);
      return answerOf(await recordDecision(stores, root, entry));
    }
    if (params.as === 'pick') {
      const choice = { block, iteration: params.iteration };
      const signal = new AbortController().signal;
      const known = await parts.knownCitations(root, signal);
      return await carryOut(
        ...[uri, `Show iteration ${params.iteration}`],
        (note) => planPick(note, choice, settings, stores, known, signal),
        (planned) => recordPick(stores, root, planned),
      );
    }
    const { as, reason } = params;
    return await carryOut(
      ...[uri, labels[as]],
      (note) => planDecision(note, { block, as, reason }, settings, stores),
      ({ entry }) => recordDecision(stores, root, entry),
    );
  }

  /**
   * The note is changed first and the ledger written then; when the ledger can be written nowhere, the change is
   * taken back, so that a decision is never half there.
   */
  async function carryOut<P extends { readonly edits: TextEdit[] }>(
    uri: string,
    label: string,
    plan: (note: Note) => Promise<P>,
    record: (planned: P) => Promise<Appended>,
  ): Promise<DecideResult> {
    const note = await notes.note(uri);
    let planned = await plan(note);
    if (planned.edits.length === 0) return answerOf(await record(planned));
    // Planned anew inside: the note may have changed since, and the ledger must say what really happened.
    let plannedText = note.text;
    const applied = await notes.apply(uri, label, async (text) => {
      if (text !== plannedText) planned = await plan({ ...note, text });
      plannedText = text;
      return planned.edits;
    });
    if (applied === null)
      throw new PreflexorError('note-changed', 'There was nothing to change in the note.');
    try {
      return answerOf(await record(planned));
    } catch (error) {
      await notes.apply(uri, 'Take back', () => Promise.resolve(inverse(plannedText, planned.edits)));
      throw error;
    }
  }

  async function compare({
    textDocument,
    block,
  }: Params<typeof compareRequest>): Result<typeof compareRequest> {
    const note = await notes.note(textDocument.uri);
    const settings = await source.for(textDocument.uri);
    const { texts } = await planDecision(note, { block, as: 'accept' }, settings, stores);
    const present = readBlocks(note.text)
      .blocks.find(({ id }) => id === block)
      ?.sections.find(({ kind }) => kind === 'answer')?.text;
    return {
      title: `Paragraph and suggestion ${block}`,
      paragraph: texts.paragraph,
      answer: present ?? texts.offered,
    };
  }

  const handlers: Decisions['handlers'] = {
    'preflexor/decide': decide,
    'preflexor/compare': compare,
    'preflexor/annotations': async ({ textDocument: { uri } }) => {
      const document = notes.document(uri);
      const { blocks, problems } = readBlocks(document.getText());
      const root = uri.startsWith('file:') ? (await notes.note(uri)).root : null;
      const at = (start: number, end: number) => ({
        start: document.positionAt(start),
        end: document.positionAt(end),
      });
      return {
        problems: [...problems],
        blocks: await Promise.all(
          blocks.map(async (block) => {
            const answer = block.sections.find(({ kind }) => kind === 'answer')?.text;
            const run = root === null ? null : await runOfBlock(stores, root, block.id, answer);
            return {
              id: block.id,
              range: at(block.start, block.end),
              offsets: { start: block.start, end: block.end },
              sections: block.sections.map(({ kind, title, text, start, end }) => ({
                kind,
                title,
                text,
                range: at(start, end),
              })),
              edited: run && answer !== undefined ? run.final !== answer : null,
            };
          }),
        ),
      };
    },
    'preflexor/strip': async ({ textDocument: { uri } }) => {
      let removed = 0;
      await notes.apply(uri, 'Remove annotations', (text) => {
        const stripped = stripBlocks(text);
        removed = stripped.removed;
        return Promise.resolve(stripped.edits);
      });
      return { removed };
    },
  };

  return { decide, compare, handlers };
}

function answerOf({ record, warning }: Appended): DecideResult {
  return { entry: record, warning };
}

const labels = {
  accept: 'Accept suggestion',
  'accept-edited': 'Accept edited suggestion',
  reject: 'Reject suggestion',
} as const;

/** The edits that turn the changed text back into `before`. Edits are sorted and don't overlap. */
export function inverse(before: string, edits: readonly TextEdit[]): TextEdit[] {
  let shift = 0;
  return edits.map(({ start, end, text }) => {
    const back = { start: start + shift, end: start + shift + text.length, text: before.slice(start, end) };
    shift += text.length - (end - start);
    return back;
  });
}
