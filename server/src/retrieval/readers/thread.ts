// The thread that reads documents: parsers take their time there, and may run out of memory, without holding up the
// server. Entry of its own bundle (dist/readerThread.js); started by readerThread.ts only.
import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { readDocument } from './readDocument.ts';
import type { FromThread, ToThread } from './threadMessages.ts';

function serve(port: MessagePort): void {
  const stops = new Map<number, AbortController>();
  const questions = new Map<number, (bytes: Uint8Array | null) => void>();
  let asked = 0;
  const say = (message: FromThread): void => port.postMessage(message);

  const read = async ({ id, path, bytes, maxBytes }: Extract<ToThread, { type: 'read' }>): Promise<void> => {
    const stop = new AbortController();
    stops.set(id, stop);
    const readOther = (other: string): Promise<Uint8Array | null> => {
      const question = (asked += 1);
      say({ type: 'other', id, question, path: other });
      return new Promise((resolve) => questions.set(question, resolve));
    };
    try {
      const result = await readDocument(path, bytes, { readOther, maxBytes, signal: stop.signal });
      say({ type: 'done', id, result });
    } catch (error) {
      say({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) });
    } finally {
      stops.delete(id);
    }
  };

  port.on('message', (message: ToThread) => {
    if (message.type === 'read') void read(message);
    else if (message.type === 'stop') stops.get(message.id)?.abort();
    else {
      questions.get(message.question)?.(message.bytes);
      questions.delete(message.question);
    }
  });
}

if (parentPort) serve(parentPort);
