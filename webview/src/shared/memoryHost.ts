// The in-memory twin of the editor, for tests in a browser: put it into the page before the view's own script.
// It keeps what the view sends and saves; a test sends by `window.postMessage`, as the editor does.
import type { EditorApi } from './host.ts';

declare global {
  interface Window {
    /** What the view has sent, oldest first. */
    sentByView: unknown[];
    savedByView: unknown;
  }
}

window.sentByView = [];
window.savedByView = undefined;

const api: EditorApi = {
  postMessage: (message) => {
    window.sentByView.push(structuredClone(message));
  },
  getState: () => window.savedByView,
  setState: (state) => {
    window.savedByView = structuredClone(state);
  },
};

Object.assign(window, { acquireVsCodeApi: () => api });
