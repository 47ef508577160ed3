// The engine host: a child process that holds the model, so that a native abort costs one answer and no more.
// Speaks HostRequest and HostMessage over the channel of child_process.fork, and ends when that closes.
import { z } from 'zod';
import { PreflexorError, throwIfCancelled } from '../../errors.ts';
import { HostRequest, type HostMessage } from '../../protocol/index.ts';
import { tokenizeChat } from './chatTokens.ts';
import { embed, loadEncoder, rank, type EncoderSession } from './encoderSession.ts';
import { EventBatch } from './eventBatch.ts';
import { generate } from './generation.ts';
import { HostQueue } from './hostQueue.ts';
import type { Backend } from './backends.ts';
import { mayHaveBackend, openLibrary, type OpenLibrary } from './library.ts';
import type { LoadPorts } from './modelLoading.ts';
import { loadSession, type ModelSession } from './modelSession.ts';
import { reportOf } from './reports.ts';

type RequestOf<D extends HostRequest['do']> = Extract<HostRequest, { do: D }>;

const queue = new HostQueue();
let session: ModelSession | null = null;
let encoder: EncoderSession | null = null;
/** Counting tokens takes no turn among what computes on the model. */
const counting = new HostQueue();
/** A backend that was opened to see whether it is there is used for the model as well. */
const opened = new Map<Backend, OpenLibrary>();

function send(message: HostMessage): void {
  // A channel that just closed: the process is about to end anyway.
  if (process.connected) process.send?.(message, () => undefined);
}

/** What the library or this host has to say goes to stderr; the server keeps it. */
function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Queues a request; whatever it throws is its answer. */
function answer(request: number, work: (signal: AbortSignal) => Promise<void>, on: HostQueue = queue): void {
  on.add(request, async (signal) => {
    try {
      throwIfCancelled(signal);
      await work(signal);
    } catch (error) {
      if (signal.aborted || PreflexorError.is(error, 'cancelled')) {
        send({ is: 'cancelled', request });
        return;
      }
      if (!(error instanceof PreflexorError) || error.cause !== undefined) log(causes(error));
      send({ is: 'failed', request, error: reportOf(error) });
    }
  });
}

function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nbecause of ${causes(error.cause)}`;
}

function load({ request, load }: RequestOf<'load'>): void {
  answer(request, async (signal) => {
    requireEmpty();
    session = await loadSession(load, loadPorts(request, signal));
    send({ is: 'loaded', request, model: session.description });
  });
}

function loadAnEncoder({ request, load }: RequestOf<'load-encoder'>): void {
  answer(request, async (signal) => {
    requireEmpty();
    encoder = await loadEncoder(load, loadPorts(request, signal));
    send({ is: 'encoder-loaded', request, encoder: encoder.description });
  });
}

function requireEmpty(): void {
  if (!session && !encoder) return;
  throw new PreflexorError('bad-input', 'This engine host has a model already.');
}

function loadPorts(request: number, signal: AbortSignal): LoadPorts {
  return {
    signal,
    onProgress: (phase, fraction) => {
      send({ is: 'loading', request, phase, fraction });
    },
    log,
    open,
  };
}

function startEmbedding({ request, embed: wanted }: RequestOf<'embed'>): void {
  answer(request, async (signal) => {
    send({ is: 'embedded', request, ...(await embed(loadedEncoder(), wanted, signal)) });
    send({ is: 'memory', bytes: process.memoryUsage.rss() });
  });
}

function startRanking({ request, rank: wanted }: RequestOf<'rank'>): void {
  answer(request, async (signal) => {
    send({ is: 'ranked', request, scores: await rank(loadedEncoder(), wanted, signal) });
  });
}

/** Lets cancels in between texts, of which there may be thousands. */
const textsAtOnce = 64;

function count({ request, texts }: RequestOf<'count'>): void {
  const work = async (signal: AbortSignal) => {
    const { tokens } = loadedEncoder();
    const counts: number[] = [];
    for (const text of texts) {
      if (counts.length % textsAtOnce === 0) await new Promise(setImmediate);
      throwIfCancelled(signal);
      counts.push(tokens.ids(text).length);
    }
    send({ is: 'counted', request, counts });
  };
  answer(request, work, counting);
}

function startGeneration({ request, generate: wanted }: RequestOf<'generate'>): void {
  answer(request, async (signal) => {
    const batch = new EventBatch(
      (events) => {
        send({ is: 'generated', request, events });
      },
      () => performance.now(),
    );
    await generate(loaded(), wanted, signal, (event) => {
      if (event.event === 'end') send({ is: 'memory', bytes: process.memoryUsage.rss() });
      batch.add(event);
    });
  });
}

/** Not queued: it takes microseconds, and whoever counts tokens need not wait for a completion. */
function tokenize({ request, text }: RequestOf<'tokenize'>): void {
  try {
    const tokens = encoder ? encoder.tokens.ids(text) : loaded().model.tokenize(text);
    send({ is: 'tokenized', request, tokens });
  } catch (error) {
    send({ is: 'failed', request, error: reportOf(error) });
  }
}

/** Not queued either. */
function tokenizeTurns({ request, chat }: RequestOf<'tokenize-chat'>): void {
  try {
    send({ is: 'chat-tokenized', request, chat: tokenizeChat(loaded(), chat) });
  } catch (error) {
    send({ is: 'failed', request, error: reportOf(error) });
  }
}

function probe({ request, gpu }: RequestOf<'probe'>): void {
  answer(request, async () => {
    if (gpu !== 'cpu' && !(await mayHaveBackend(gpu))) {
      throw new PreflexorError('no-gpu', 'There is no such device or driver on this machine.');
    }
    const { llama } = await open(gpu);
    const devices = llama.gpu === false ? [] : await llama.getGpuDeviceNames();
    send({ is: 'probed', request, devices });
  });
}

async function open(backend: Backend): Promise<OpenLibrary> {
  const library = opened.get(backend) ?? (await openLibrary(backend, log));
  opened.set(backend, library);
  return library;
}

function loaded(): ModelSession {
  if (!session) throw new PreflexorError('bad-input', 'This engine host has no model yet.');
  return session;
}

function loadedEncoder(): EncoderSession {
  if (!encoder) throw new PreflexorError('bad-input', 'This engine host has no encoder yet.');
  return encoder;
}

/** Ends now, even while native threads compute: nothing here is worth saving, and memory is given back at once. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function receive(raw: unknown): void {
  const decoded = HostRequest.safeParse(raw);
  if (!decoded.success) {
    log(`A request that cannot be read was left unanswered: ${z.prettifyError(decoded.error)}`);
    return;
  }
  const message = decoded.data;
  switch (message.do) {
    case 'load':
      load(message);
      return;
    case 'generate':
      startGeneration(message);
      return;
    case 'tokenize':
      tokenize(message);
      return;
    case 'tokenize-chat':
      tokenizeTurns(message);
      return;
    case 'load-encoder':
      loadAnEncoder(message);
      return;
    case 'embed':
      startEmbedding(message);
      return;
    case 'rank':
      startRanking(message);
      return;
    case 'count':
      count(message);
      return;
    case 'probe':
      probe(message);
      return;
    case 'cancel':
      queue.cancel(message.request);
      counting.cancel(message.request);
      return;
    case 'quit':
      end();
      return;
  }
}

if (process.send === undefined) {
  process.stderr.write('The engine host is started by the language server, not by hand.\n');
  process.exitCode = 2;
} else {
  process.on('message', receive);
  process.on('disconnect', end);
  send({ is: 'up', protocol: 1 });
}
