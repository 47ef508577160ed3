// Begins an answer and then neither goes on nor listens: no cancel is ever confirmed.
import { begin, runFakeHost } from './fakeHost.ts';

runFakeHost({ generate: begin, cancel: () => undefined });
