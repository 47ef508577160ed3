// The editor on the other side of a view: the only caller of `acquireVsCodeApi`. What comes in is decoded;
// views never see a raw message. memoryHost.ts is its twin for tests.
import { z } from 'zod';

/** What VS Code gives a webview. */
export interface EditorApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare global {
  function acquireVsCodeApi(): EditorApi;
}

/** A view's way to the client and back. */
export interface Host<ToView, FromView> {
  send(message: FromView): void;
  onMessage(hear: (message: ToView) => void): void;
  /** What this view saved before it was hidden: selection and scroll place only. */
  savedState(): unknown;
  saveState(state: unknown): void;
}

/**
 * Connects a view. @param toView decodes what comes in
 * @param failed hears what could not be read, and what was thrown and not caught, in words
 */
export function connectHost<ToView, FromView>(
  toView: z.ZodType<ToView>,
  failed: (host: Host<ToView, FromView>, problem: string) => void,
): Host<ToView, FromView> {
  const api = acquireVsCodeApi();
  const host: Host<ToView, FromView> = {
    send: (message) => {
      api.postMessage(message);
    },
    onMessage: (hear) => {
      addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        const decoded = toView.safeParse(data);
        if (decoded.success) hear(decoded.data);
        else failed(host, `A message could not be read. ${z.prettifyError(decoded.error)}`);
      });
    },
    savedState: () => api.getState(),
    saveState: (state) => {
      api.setState(state);
    },
  };
  addEventListener('error', ({ message }) => {
    failed(host, message);
  });
  addEventListener('unhandledrejection', ({ reason }) => {
    failed(host, String(reason));
  });
  return host;
}
