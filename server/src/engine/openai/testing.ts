// A small real server that speaks the OpenAI chat API over HTTP, for tests: it streams what it is told to say.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly authorization: string | undefined;
}

/** How one chat completion is answered: pieces of text, or a refusal. */
export type Answer =
  | { readonly pieces: readonly string[]; readonly reasoning?: readonly string[]; readonly finish?: string }
  | { readonly status: number; readonly message: string }
  | { readonly raw: string }
  | { readonly never: true };

export class SpeakingServer {
  readonly asked: Asked[] = [];
  /** Connections that the client closed before their answer was whole. */
  dropped = 0;
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #answers: Answer[] = [];
  readonly #extras: Readonly<Record<string, unknown>>;
  address = '';

  /** @param extras bodies of other paths: `/props`, `/tokenize` */
  constructor(extras: Readonly<Record<string, unknown>> = {}) {
    this.#extras = {
      '/v1/models': { data: [{ id: 'served-model', meta: { n_ctx: 2048, n_ctx_train: 4096 } }] },
      ...extras,
    };
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next completions, in order. */
  say(...answers: readonly Answer[]): void {
    this.#answers.push(...answers);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    let text = '';
    for await (const piece of request) text += String(piece);
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    this.asked.push({ path, body, authorization: request.headers.authorization });
    if (path !== '/v1/chat/completions') {
      const extra = this.#extras[path];
      response.writeHead(extra === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(extra ?? { error: 'no such path' }));
      return;
    }
    response.on('close', () => {
      if (!response.writableFinished) this.dropped += 1;
    });
    await this.#speak(response);
  }

  async #speak(response: ServerResponse): Promise<void> {
    const answer = this.#answers.shift() ?? { pieces: ['nothing'] };
    if ('never' in answer) return;
    if ('status' in answer) {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: answer.message } }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if ('raw' in answer) {
      response.end(answer.raw);
      return;
    }
    const { pieces, reasoning = [], finish = 'stop' } = answer;
    const send = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
    for (const text of reasoning) send({ choices: [{ delta: { reasoning_content: text } }] });
    for (const content of pieces) {
      if (response.destroyed) return;
      send({ choices: [{ delta: { content } }] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    send({ choices: [{ delta: {}, finish_reason: finish }] });
    const usage = {
      prompt_tokens: 40,
      completion_tokens: pieces.length,
      prompt_tokens_details: { cached_tokens: 30 },
    };
    send({ choices: [], usage });
    response.end('data: [DONE]\n\n');
  }
}
