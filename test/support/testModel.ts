// The small real model of the tests that need one, and an engine on it.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createLlamaEngine,
  type LlamaEngine,
  type LlamaEngineOptions,
} from '../../server/src/engine/index.ts';
import { preflexorMarkers } from '../../server/src/protocol/index.ts';

/** Path of the small model. It is a fault, not a reason to skip, when it is missing. */
export function testModelFile(): string {
  const file = process.env['PREFLEXOR_TEST_MODEL'];
  if (file) return file;
  throw new Error(
    'PREFLEXOR_TEST_MODEL must name SmolLM2-135M-Instruct.Q4_1.gguf; "npm test -- model" gets the file and sets it.',
  );
}

/** The engine host as its source, which Node runs as it is. */
export const hostModule = fileURLToPath(new URL('../../server/src/engine/llama/host.ts', import.meta.url));

/** An engine on `file` with one thread, so that nothing is measured, and a small context. */
export function testEngine(file: string, options: Partial<LlamaEngineOptions> = {}): LlamaEngine {
  return createLlamaEngine({
    modelName: basename(file),
    resolveModel: () =>
      Promise.resolve({
        file,
        identity: { id: 'test-model', file: basename(file), sha256: '0'.repeat(64) },
        markers: preflexorMarkers,
        chatTemplate: 'embedded',
      }),
    ...{ gpu: 'cpu', contextTokens: 4096, threads: 1, idleUnloadMs: 0, adapter: null, hostModule },
    measurementsFile: '/nowhere/measurements.json',
    onLog: () => undefined,
    ...options,
  });
}
