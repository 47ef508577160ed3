// How a request of ours is answered, by its declaration in the protocol.
import type { CancellationToken } from 'vscode-languageserver/node';
import type { z } from 'zod';

export type Answer<M extends { params: z.ZodType; result: z.ZodType }> = (
  params: z.infer<M['params']>,
  token: CancellationToken,
) => Promise<z.infer<M['result']>>;
