// The skeleton of an engine host without a model, for tests: a real child process on the real channel.
// Each behaviour is a small script beside this file.
import { HostRequest, type HostMessage } from '../../../protocol/index.ts';

export type RequestOf<D extends HostRequest['do']> = Extract<HostRequest, { do: D }>;

/** What a fake does; what it leaves out is done as a host that works does it. */
export interface Behaviour {
  readonly load?: (message: RequestOf<'load'>) => void;
  readonly generate?: (message: RequestOf<'generate'>) => void;
  readonly probe?: (message: RequestOf<'probe'>) => void;
  readonly loadEncoder?: (message: RequestOf<'load-encoder'>) => void;
  readonly embed?: (message: RequestOf<'embed'>) => void;
  readonly rank?: (message: RequestOf<'rank'>) => void;
  readonly cancel?: (message: RequestOf<'cancel'>) => void;
}

export function reply(message: HostMessage): void {
  process.send?.(message);
}

/** Sends what no host may send. */
export function replyAnything(message: unknown): void {
  process.send?.(message);
}

export function loaded({ request, load }: RequestOf<'load'>): void {
  reply({
    is: 'loaded',
    request,
    model: {
      ...{ file: load.file, architecture: 'fake', parameters: 1, backend: load.gpu, fallback: null },
      ...{ contextTokens: 512, trainedContextTokens: 512, memoryBytes: 1000 },
      threads: { prompt: 1, generation: 1 },
    },
  });
}

/** Answers with the last message's text, in one event. */
export function echo({ request, generate }: RequestOf<'generate'>): void {
  reply({
    is: 'generated',
    request,
    events: [
      { event: 'prompt', tokens: 1, reused: 0 },
      { event: 'text', text: generate.messages.at(-1)?.text ?? '', tokens: [1] },
      {
        ...{ event: 'end', reason: 'end-of-turn', stop: null, seconds: 0 },
        tokens: { prompt: 1, reused: 0, generated: 1 },
      },
    ],
  });
}

export function encoderLoaded({ request, load }: RequestOf<'load-encoder'>): void {
  reply({
    is: 'encoder-loaded',
    request,
    encoder: {
      ...{ file: load.file, architecture: 'fake', backend: load.gpu, fallback: null },
      ...{ dimensions: 2, maxTokens: load.maxTokens, cores: 4, memoryBytes: 1000 },
    },
  });
}

/** Each text's vector says how long it is and how many threads it got. */
export function embedded({ request, embed: { texts, threads } }: RequestOf<'embed'>): void {
  const vectors = Float32Array.from(texts.flatMap((text) => [text.length, threads]));
  reply({ is: 'embedded', request, vectors, tokens: texts.join('').length, seconds: 0.01 });
}

/** The longer a text, the better it answers. */
export function ranked({ request, rank: { texts } }: RequestOf<'rank'>): void {
  reply({ is: 'ranked', request, scores: texts.map((text) => 1 - 1 / (1 + text.length)) });
}

/** Says that the prompt was read and one word was written, and nothing more. */
export function begin({ request }: RequestOf<'generate'>): void {
  reply({
    is: 'generated',
    request,
    events: [
      { event: 'prompt', tokens: 1, reused: 0 },
      { event: 'text', text: 'Once', tokens: [1] },
    ],
  });
}

export function runFakeHost(behaviour: Behaviour): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (raw) => {
    const message = HostRequest.parse(raw);
    switch (message.do) {
      case 'load':
        (behaviour.load ?? loaded)(message);
        return;
      case 'generate':
        (behaviour.generate ?? echo)(message);
        return;
      case 'probe':
        (behaviour.probe ?? noGpu)(message);
        return;
      case 'tokenize':
        reply({ is: 'tokenized', request: message.request, tokens: Array.from(message.text, () => 7) });
        return;
      case 'load-encoder':
        (behaviour.loadEncoder ?? encoderLoaded)(message);
        return;
      case 'embed':
        (behaviour.embed ?? embedded)(message);
        return;
      case 'rank':
        (behaviour.rank ?? ranked)(message);
        return;
      case 'count':
        reply({ is: 'counted', request: message.request, counts: message.texts.map((text) => text.length) });
        return;
      case 'cancel':
        (behaviour.cancel ?? confirm)(message);
        return;
      case 'quit':
        process.exit();
    }
  });
  reply({ is: 'up', protocol: 1 });
}

function confirm({ request }: RequestOf<'cancel'>): void {
  reply({ is: 'cancelled', request });
}

export function noGpu({ request, gpu }: RequestOf<'probe'>): void {
  if (gpu === 'cpu') reply({ is: 'probed', request, devices: [] });
  else reply({ is: 'failed', request, error: { code: 'no-gpu', message: `No ${gpu} here.`, remedy: null } });
}
