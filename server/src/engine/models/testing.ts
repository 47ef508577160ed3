// For the tests of this room only: writes small GGUF and zip files, and serves a file over HTTP in all the ways
// in which that goes wrong.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { TestContext } from 'node:test';
import { preflexorMarkers, type ModelSource } from '../../protocol/index.ts';
import type { CatalogueModel } from './catalogue.ts';
import { usualPolicy, type DownloadPolicy } from './download.ts';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A folder that is gone after the test. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preflexor-models-'));
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export const never = new AbortController().signal;

/** Impatient, so that tests are quick. */
export const quickPolicy: DownloadPolicy = {
  ...usualPolicy,
  connectMs: 5_000,
  stallMs: 500,
  attempts: 3,
  backOffMs: 1,
  longestBackOffMs: 20,
  progressMs: 0,
};

// GGUF

type Writable = string | number | boolean | { u64: bigint } | { i32s: readonly number[] } | readonly string[];

export interface TinyTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A well-formed GGUF file of version 3 with f32 tensors whose data is a counting pattern. */
export function writeGguf(
  metadata: Readonly<Record<string, Writable>>,
  tensors: readonly TinyTensor[],
): Buffer {
  const parts: Buffer[] = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(metadata).length),
  ];
  for (const [key, value] of Object.entries(metadata)) parts.push(text(key), ...typed(value));
  let offset = 0;
  for (const { name, shape } of tensors) {
    parts.push(text(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset));
    offset += Math.ceil(floats(shape) / 32) * 32;
  }
  const header = padded(Buffer.concat(parts));
  const data = tensors.map(({ shape }, index) => padded(Buffer.alloc(floats(shape), index + 1)));
  return Buffer.concat([header, ...data]);
}

const floats = (shape: readonly number[]): number =>
  4 * shape.reduce((product, length) => product * length, 1);

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function typed(value: Writable): Buffer[] {
  if (typeof value === 'string') return [u32(8), text(value)];
  if (typeof value === 'boolean') return [u32(7), Buffer.from([value ? 1 : 0])];
  if (typeof value === 'number') return [u32(4), u32(value)];
  if ('u64' in value) return [u32(10), u64(value.u64)];
  if ('i32s' in value) {
    const numbers = Buffer.alloc(4 * value.i32s.length);
    value.i32s.forEach((each, index) => numbers.writeInt32LE(each, 4 * index));
    return [u32(9), u32(5), u64(value.i32s.length), numbers];
  }
  return [u32(9), u32(8), u64(value.length), ...value.map(text)];
}

export const tinyMetadata = {
  'general.architecture': 'llama',
  'general.name': 'Tiny',
  'general.license': 'mit',
  'llama.context_length': 128,
  'llama.block_count': 2,
  'llama.embedding_length': 8,
  'llama.feed_forward_length': 16,
  'llama.attention.head_count': 2,
  'llama.attention.head_count_kv': 1,
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.tokens': ['a', 'b', 'c', '<end>'],
  'tokenizer.chat_template': '{{ messages }}',
} satisfies Record<string, Writable>;

export const tinyTensors: readonly TinyTensor[] = [
  { name: 'token_embd.weight', shape: [8, 4] },
  { name: 'blk.0.attn_q.weight', shape: [8, 8] },
  { name: 'blk.1.attn_q.weight', shape: [8, 8] },
  { name: 'output_norm.weight', shape: [8] },
];

/** A whole (and useless) language model. `name` makes models differ; `rows` of 32 bytes make them large. */
export function tinyModel(name = 'Tiny', rows = 0): Buffer {
  const ballast = rows === 0 ? [] : [{ name: 'blk.1.ballast', shape: [8, rows] }];
  return writeGguf({ ...tinyMetadata, 'general.name': name }, [...tinyTensors, ...ballast]);
}

type LanguageEntry = Extract<CatalogueModel, { kind: 'language' }>;

/** A catalogue entry for `content`, from Hugging Face unless other sources are named. */
export function entryFor(content: Buffer, changes: Partial<LanguageEntry> = {}): CatalogueModel {
  return {
    kind: 'language',
    id: 'tiny',
    name: 'Tiny',
    file: 'tiny.gguf',
    bytes: content.length,
    sha256: sha256(content),
    license: 'MIT',
    roles: ['reasoner'],
    markers: preflexorMarkers,
    chatTemplate: 'embedded',
    sources: [huggingFaceSource],
    shape: {
      trainedContext: 128,
      layers: 2,
      heads: 2,
      keyValueHeads: [1, 1],
      keyLength: 4,
      valueLength: 4,
      embeddingLength: 8,
      feedForwardLength: 16,
      vocabulary: 4,
      sliding: null,
    },
    ...changes,
  };
}

/** A catalogue entry for the tiny encoder of bertTesting.ts. */
export function embedderEntry(source: ModelSource, hash: string | null): CatalogueModel {
  return {
    kind: 'embedder',
    roles: ['embedder'],
    id: 'tiny-bert',
    name: 'Tiny BERT',
    file: 'tiny-bert.gguf',
    bytes: 100_000,
    sha256: hash,
    license: 'MIT',
    prefixes: { query: 'query: ', passage: '' },
    pooling: 'mean',
    dimensions: 8,
    maxTokens: 32,
    sources: [source],
    shape: {
      trainedContext: 32,
      layers: 2,
      heads: 2,
      keyValueHeads: [2, 2],
      keyLength: 4,
      valueLength: 4,
      embeddingLength: 8,
      feedForwardLength: 16,
      vocabulary: 40,
      sliding: null,
    },
  };
}

export const huggingFaceSource: ModelSource = {
  kind: 'hugging-face',
  repository: 'someone/tiny-GGUF',
  revision: '0123456789abcdef0123456789abcdef01234567',
  path: 'tiny.gguf',
};

// Zip

/** A zip archive whose members are stored, not compressed. */
export function writeZip(members: Readonly<Record<string, Buffer>>): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const file = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, nameBytes, content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    files.push(file);
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, tail, nameBytes]),
    );
    offset += file.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from('PK\u0005\u0006'), end]);
}

// HTTP

/** How the server treats one request; the requests after the last one named are served properly. */
export type Behaviour =
  | { readonly kind: 'serve' }
  /** Sends so many bytes of what was asked for, then nothing more until `cut` ends the connection. */
  | { readonly kind: 'stall'; readonly after: number }
  /** Announces so many bytes and sends none. */
  | { readonly kind: 'announce'; readonly bytes: number }
  | { readonly kind: 'ignore-range' }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'redirect'; readonly to: string };

export interface ServedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Serves one file under every path, with ranges and an ETag, on the loopback address. */
export class FileServer {
  readonly requests: ServedRequest[] = [];
  content: Buffer;
  etag: string | null;
  /** Answers 401 unless this token is sent. */
  token: string | null = null;
  readonly #behaviours: Behaviour[] = [];
  readonly #server: Server;
  readonly #stalled = new Set<ServerResponse>();
  #waiting: { count: number; resolve: () => void }[] = [];

  private constructor(content: Buffer) {
    this.content = content;
    this.etag = `"${sha256(content).slice(0, 16)}"`;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(context: TestContext, content: Buffer): Promise<FileServer> {
    const server = new FileServer(content);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    context.after(() => {
      server.#server.closeAllConnections();
      server.#server.close();
    });
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Treats the coming requests like this, in turn. */
  next(...behaviours: Behaviour[]): void {
    this.#behaviours.push(...behaviours);
  }

  /** Fulfilled when so many requests have come and been answered as far as they will be. */
  async received(count: number): Promise<void> {
    if (this.requests.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Ends the connections that stall. */
  cut(): void {
    for (const response of this.#stalled) response.destroy();
    this.#stalled.clear();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push({ path: request.url ?? '', headers: request.headers });
    const behaviour = this.#behaviours.shift() ?? { kind: 'serve' };
    if (behaviour.kind === 'announce') {
      response.writeHead(200, { 'content-length': behaviour.bytes }).flushHeaders();
    } else if (behaviour.kind === 'redirect') response.writeHead(302, { location: behaviour.to }).end();
    else if (behaviour.kind === 'status') response.writeHead(behaviour.status, behaviour.headers).end('no');
    else if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401).end('no');
    } else this.#serve(request, response, behaviour);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.requests.length < count) return true;
      resolve();
      return false;
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): void {
    const total = this.content.length;
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const condition = request.headers['if-range'];
    const whole =
      asked === undefined ||
      behaviour.kind === 'ignore-range' ||
      (condition !== undefined && condition !== this.etag);
    const start = whole ? 0 : Number(asked);
    const headers = this.etag === null ? {} : { etag: this.etag };
    if (start >= total && start > 0) {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${total}` }).end();
      return;
    }
    const body = this.content.subarray(start);
    response.writeHead(whole ? 200 : 206, {
      ...headers,
      'content-length': body.length,
      ...(!whole && { 'content-range': `bytes ${start}-${total - 1}/${total}` }),
    });
    if (behaviour.kind === 'stall') {
      this.#stalled.add(response);
      response.write(body.subarray(0, behaviour.after));
    } else response.end(body);
  }
}
