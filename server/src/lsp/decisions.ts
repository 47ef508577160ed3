// Decisions on annotations, and what stands in a note: preflexor/decide, annotations, strip, compare.
import type { z } from 'zod';
import { readBlocks, stripBlocks } from '../notes/index.ts';
import type {
  annotationsRequest,
  compareRequest,
  DecideParams,
  DecideResult,
  stripRequest,
} from '../protocol/index.ts';
import {
  planDecision,
  planPick,
  planRating,
  recordDecision,
  recordPick,
  runOfBlock,
  type Services,
  type Stores,
} from '../workflow/index.ts';
import { answerOf, carryOut } from './carryOut.ts';
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
        ...[notes, uri, `Show iteration ${params.iteration}`],
        (note) => planPick(note, choice, settings, stores, known, signal),
        (planned) => recordPick(stores, root, planned),
      );
    }
    const { as, reason, onlyInNote } = params;
    return await carryOut(
      ...[notes, uri, labels[as]],
      (note) => planDecision(note, { block, as, reason, onlyInNote }, settings, stores),
      ({ entry }) => recordDecision(stores, root, entry),
    );
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

const labels = {
  accept: 'Accept suggestion',
  'accept-edited': 'Accept edited suggestion',
  reject: 'Reject suggestion',
} as const;
