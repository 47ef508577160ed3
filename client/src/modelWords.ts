// How the model picker speaks of a model, and of a download. Pure.
import type { DownloadProgress, ModelListing } from '../../server/src/protocol/index.ts';
import { bytes } from './statusWords.ts';

/** The size and terms, and whether it is here. */
export function modelDescription({ bytes: size, license }: ModelListing): string {
  return `${bytes(size)} · ${license}`;
}

/** Whether it can be used, and what it needs. */
export function modelDetail({ installed, fits, estimatedBytes, hosts }: ModelListing): string {
  const where = installed ? 'On this machine' : `To be downloaded${fromHosts(hosts)}`;
  const memory = `needs about ${bytes(estimatedBytes)} of memory`;
  return `${where} · ${memory}${fits ? '' : ', more than is free now'}`;
}

/** What is asked before a download: how much, and who is contacted. */
export function downloadQuestion(model: ModelListing): { readonly message: string; readonly detail: string } {
  const { name, bytes: size, hosts, license, fits } = model;
  return {
    message: `Download ${name} (${bytes(size)})${fromHosts(hosts)}?`,
    detail: [
      `Licence: ${license}.`,
      fits ? null : 'It is expected to need more memory than this machine has free now.',
      'Nothing of your notes is sent. The file is checked before it is used; a download that breaks off goes on where it was.',
    ]
      .filter((sentence) => sentence !== null)
      .join(' '),
  };
}

/** One line for a step, and how far it has come since `before` in per cent (0 where that can't be told). */
export function downloadStep(
  { event, received, total }: DownloadProgress,
  before: number,
): { readonly message: string; readonly increment: number; readonly received: number } {
  const increment = total === null || total === 0 ? 0 : Math.max(0, ((received - before) / total) * 100);
  const of = total === null ? '' : ` of ${bytes(total)}`;
  const message = {
    progress: `${bytes(received)}${of}`,
    verifying: 'checking the file',
    unpacking: 'unpacking',
    converting: 'making the GGUF file',
    done: 'done',
  }[event];
  return { message, increment: event === 'progress' ? increment : 0, received };
}

function fromHosts(hosts: readonly string[] | undefined): string {
  return hosts && hosts.length > 0 ? ` from ${hosts.join(' or ')}` : '';
}
