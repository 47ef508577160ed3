// What a method is: its name, what comes with it and what comes back.
import { z } from 'zod';
import { TextDocument } from '../text.ts';

/** A request: who asks waits for the result, and may cancel. */
export interface RequestMethod<
  P extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
  M extends string = string,
> {
  readonly method: M;
  readonly direction: 'client-to-server';
  readonly params: P;
  readonly result: R;
  /** What streams over `$/progress` under the caller's partial-result token. */
  readonly partial?: z.ZodType;
}

/** A notification: progress and state, never needed to stay correct. */
export interface NotificationMethod<P extends z.ZodType = z.ZodType> {
  readonly method: string;
  readonly direction: 'server-to-client';
  readonly params: P;
}

/** Declares a request; `partial` is what streams while it goes on. */
export function request<P extends z.ZodType, R extends z.ZodType, const M extends string>(
  method: M,
  params: P,
  result: R,
  partial?: z.ZodType,
): RequestMethod<P, R, M> {
  return { method, direction: 'client-to-server', params, result, ...(partial && { partial }) };
}

/** Declares a notification. */
export function notification<P extends z.ZodType>(method: string, params: P): NotificationMethod<P> {
  return { method, direction: 'server-to-client', params };
}

/** The folder that a request is about: the one of this document, else every workspace folder. */
export const ofFolder = { textDocument: TextDocument.optional() };
