// The connection to the language server: starts it, decodes what it answers, and knows nothing of features.
import { window, type CancellationToken, type ExtensionContext, type LogOutputChannel } from 'vscode';
import {
  LanguageClient,
  ProgressType,
  RevealOutputChannelOn,
  State,
  TransportKind,
  WorkDoneProgress,
  type Middleware,
} from 'vscode-languageclient/node';
import { z } from 'zod';
import type { NotificationMethod, RequestMethod } from '../../server/src/protocol/index.ts';
import { failureOf, type Failure } from './failure.ts';
import type { Releasable } from './feature.ts';

/** What a caller of a long request may want besides its result. */
export interface RequestOptions<Step = never> {
  readonly token?: CancellationToken;
  /** Partial results, decoded with `schema`; they end before the result comes. */
  readonly partial?: { readonly schema: z.ZodType<Step>; readonly hear: (step: Step) => void };
  /** What the request is doing, in words; `percentage` 0 to 100. */
  readonly hearWork?: (message: string | null, percentage: number | null) => void;
}

/** A request that failed, with what to tell the writer. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly failure: Failure;

  constructor(failure: Failure, cause: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** The server, as the features see it. */
export interface Server {
  readonly log: LogOutputChannel;
  /** @throws RequestError */
  request<P extends z.ZodType, R extends z.ZodType, Step = never>(
    method: RequestMethod<P, R>,
    params: z.input<P>,
    options?: RequestOptions<Step>,
  ): Promise<z.output<R>>;
  onNotification<P extends z.ZodType>(
    method: NotificationMethod<P>,
    hear: (params: z.output<P>) => void,
  ): Releasable;
  /** Hears each start, the first one and those after a crash. */
  onStarted(hear: () => void): Releasable;
}

/** Makes the connection; `start` begins it, and requests wait for it. */
export class LanguageServer implements Server {
  readonly log: LogOutputChannel;
  readonly #client: LanguageClient;
  #tokens = 0;

  constructor(context: ExtensionContext, executeCommand: NonNullable<Middleware['executeCommand']>) {
    this.log = window.createOutputChannel('PRefLexOR', { log: true });
    const module = context.asAbsolutePath('dist/languageServer.js');
    this.#client = new LanguageClient(
      'preflexor',
      'PRefLexOR',
      {
        run: { module, transport: TransportKind.ipc },
        debug: { module, transport: TransportKind.ipc, options: { execArgv: ['--inspect=6019'] } },
      },
      {
        documentSelector: [
          { scheme: 'file', language: 'markdown' },
          { scheme: 'untitled', language: 'markdown' },
        ],
        outputChannel: this.log,
        // Failed requests that the writer asked for are shown by their feature; the others only go to the log.
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        middleware: { executeCommand },
      },
    );
    context.subscriptions.push(this.log);
  }

  /** Starts the server. A failure is in the log, and told again by each request. */
  async start(): Promise<void> {
    try {
      await this.#client.start();
    } catch (error) {
      this.log.error(`The language server did not start: ${String(error)}`);
    }
  }

  async request<P extends z.ZodType, R extends z.ZodType, Step = never>(
    method: RequestMethod<P, R>,
    params: z.input<P>,
    options: RequestOptions<Step> = {},
  ): Promise<z.output<R>> {
    const { token, partial, hearWork } = options;
    const listening: Releasable[] = [];
    const tokens: { partialResultToken?: string; workDoneToken?: string } = {};
    if (partial) {
      tokens.partialResultToken = this.#newToken('partial');
      listening.push(
        this.#client.onProgress(new ProgressType<unknown>(), tokens.partialResultToken, (value) => {
          const decoded = partial.schema.safeParse(value);
          if (decoded.success) partial.hear(decoded.data);
          else
            this.log.warn(
              `${method.method}: a partial result could not be read. ${z.prettifyError(decoded.error)}`,
            );
        }),
      );
    }
    if (hearWork) {
      tokens.workDoneToken = this.#newToken('work');
      listening.push(
        this.#client.onProgress(WorkDoneProgress.type, tokens.workDoneToken, (value) => {
          if (value.kind !== 'end') hearWork(value.message ?? null, value.percentage ?? null);
        }),
      );
    }
    try {
      // The library does not start again a server that it gave up; somebody who asks for something may.
      if (this.#client.state === State.Stopped) await this.#client.start();
      const sent = { ...asObject(params), ...tokens };
      // A token that is undefined would be taken for a second parameter, in the place of the server's own token.
      const result: unknown = token
        ? await this.#client.sendRequest(method.method, sent, token)
        : await this.#client.sendRequest(method.method, sent);
      return method.result.parse(result);
    } catch (error) {
      const failure = failureOf(error);
      // What the server expected to go wrong, it has logged itself.
      if (!isExpected(failure)) this.log.error(`${method.method}: ${describe(error)}`);
      throw new RequestError(failure, error);
    } finally {
      for (const one of listening) one.dispose();
    }
  }

  onNotification<P extends z.ZodType>(
    method: NotificationMethod<P>,
    hear: (params: z.output<P>) => void,
  ): Releasable {
    return this.#client.onNotification(method.method, (params: unknown) => {
      const decoded = method.params.safeParse(params);
      if (decoded.success) hear(decoded.data);
      else this.log.warn(`${method.method} could not be read. ${z.prettifyError(decoded.error)}`);
    });
  }

  onStarted(hear: () => void): Releasable {
    return this.#client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) hear();
    });
  }

  /** Stops the server; it ends its own children. */
  async stop(): Promise<void> {
    if (this.#client.state === State.Running) await this.#client.stop(4000);
  }

  #newToken(what: string): string {
    this.#tokens += 1;
    return `preflexor-${what}-${this.#tokens}`;
  }
}

function isExpected({ code }: Failure): boolean {
  return code !== 'unexpected' && code !== 'server-down';
}

function asObject(params: unknown): object {
  return typeof params === 'object' && params !== null ? params : {};
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return `its answer could not be read. ${z.prettifyError(error)}`;
  return error instanceof Error ? error.message : String(error);
}
