// For the tests of this room: notes in memory, and a model that makes good samples of them.
import type { DatasetSettings, DatasetSetup, GenerateRequest } from '../../protocol/index.ts';
import type { Corpus, CorpusChunk, DatasetPorts } from '../dataset/ports.ts';
import { TalkingModel } from './talkingModel.ts';

const things = [
  'spider silk',
  'bamboo',
  'nacre',
  'enamel',
  'collagen',
  'keratin',
  'chitin',
  'wood',
  'bone',
  'cork',
];

/** Notes `note0.md` …, each with so many passages about different things. */
export function notes(count: number, passages = 2): CorpusChunk[] {
  return Array.from({ length: count * passages }, (_, at) => {
    const document = `note${Math.floor(at / passages)}.md`;
    const thing = `${things[at % things.length] ?? 'glass'} number ${at}`;
    const readable = `The toughness of ${thing} follows from its layers, which slide past each other when they are loaded, and from weak bonds between those layers, which break and form anew, so that the energy of a blow is spread over many places.`;
    return {
      ...{ id: `chunk${at}`, document, source: document, start: at * 1000, end: at * 1000 + readable.length },
      ...{ readable, textHash: `hash${at}`, heading: [] },
    };
  });
}

export function corpusOf(chunks: readonly CorpusChunk[], gone: ReadonlySet<string> = new Set()): Corpus {
  return {
    chunks: () => Promise.resolve(chunks),
    search: (_query, k, leftOut) =>
      Promise.resolve(
        chunks
          .filter(({ source }) => !leftOut.includes(source))
          .slice(0, k)
          .map(({ id, source, start, end, readable, heading }) => ({
            ...{ id, source, start, end, text: readable, heading: [...heading], page: null, score: 1 },
          })),
      ),
    hashOf: (document) => Promise.resolve(gone.has(document) ? null : 'f'.repeat(64)),
  };
}

/** The thing that a prompt's first passage is about. */
function thingIn({ messages }: GenerateRequest): string {
  return /toughness of (.+?) follows/.exec(messages.at(-1)?.text ?? '')?.[1] ?? 'matter';
}

/** Writes what a good model would write at each step. */
export function goodTeacher(): TalkingModel {
  return new TalkingModel((request) => {
    const thing = thingIn(request);
    const asked = request.messages.at(-1)?.text ?? '';
    if (request.jsonSchema)
      return JSON.stringify({ statements: [`The layers of ${thing} slide when they are loaded.`] });
    if (request.stop.length > 0) return ` the toughness of ${thing} depend on weak bonds between its layers?`;
    if (asked.includes('Judge the notes'))
      return 'They leave out the weak bonds between layers, which spread the energy.';
    return `The toughness of ${thing} comes from layers that slide, and from weak bonds that break and form anew.`;
  });
}

/** Answers as a model does that has read nothing. */
export function plainStudent(): TalkingModel {
  return new TalkingModel(
    () => 'There are many reasons for this, and researchers around the world look into them.',
  );
}

export function portsOf(corpus: Corpus, ports: Partial<DatasetPorts> = {}): DatasetPorts {
  let time = Date.UTC(2026, 0, 1);
  return {
    ...{ corpus, teacher: goodTeacher(), student: plainStudent(), embed: null, judging: null },
    learn: () => Promise.resolve(),
    giveWay: () => Promise.resolve(),
    now: () => (time += 1000),
    ...ports,
  };
}

export function setupOf(settings: Partial<DatasetSettings> = {}, seed = 1): DatasetSetup {
  return {
    ...{ version: '1', seed, adapter: null, prompts: 'abc' },
    model: { id: 'talking', file: 'talking.gguf', sha256: '0'.repeat(64) },
    settings: {
      ...{ phase: 1, chunks: 1, passages: 1, perChunk: 2, parts: ['reasoning steps'], answers: 0 },
      ...{ judge: 'reference', topic: null, heldoutShare: 0.25, temperature: 0, answersTemperature: 1 },
      ...{ partTokens: 50, reflectionTokens: 50, answerTokens: 50, ...settings },
    },
  };
}
