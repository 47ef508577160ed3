// Server-sent events: the data of each event out of bytes that come in any pieces.
import { z } from 'zod';
import { PreflexorError } from '../../errors.ts';
import { CompletionChunk } from './wire.ts';

/** An event that is longer than this is no token of a chat. */
const mostCharacters = 4_000_000;

/**
 * The chunks of a streamed completion, until `[DONE]` or the end of the stream.
 * @throws PreflexorError `engine-failed` for what is no event of this kind
 */
export async function* completionChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<CompletionChunk> {
  for await (const data of eventData(body)) {
    if (data === '[DONE]') return;
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch (error) {
      throw notUnderstood('what it sends is not JSON', error);
    }
    const decoded = CompletionChunk.safeParse(value);
    if (!decoded.success) throw notUnderstood(z.prettifyError(decoded.error), decoded.error);
    if (decoded.data.error) throw notUnderstood(decoded.data.error.message, null);
    yield decoded.data;
  }
}

/** The `data` of each event; comments and other fields are passed over (WHATWG HTML, section 9.2). */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = '';
  let data: string[] = [];
  for await (const bytes of body) {
    held += decoder.decode(bytes, { stream: true });
    if (held.length > mostCharacters) throw notUnderstood('one of its events has no end', null);
    const lines = held.split(/\r\n|\n|\r(?!$)/);
    held = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
  }
  if (held.startsWith('data:')) data.push(held.slice(5).replace(/^ /, ''));
  if (data.length > 0) yield data.join('\n');
}

function notUnderstood(reason: string, cause: unknown): PreflexorError {
  return new PreflexorError('engine-failed', `The model server was not understood: ${reason}.`, {
    remedy: 'Check that preflexor.engine.url names a server that speaks the OpenAI chat API.',
    ...(cause !== null && { cause }),
  });
}
