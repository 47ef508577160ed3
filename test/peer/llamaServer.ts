// Starts llama-server on loopback with the small model and an adapter that it can't be mistaken without.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { llamaServerFile } from '../../scripts/setup/llamaServer.ts';
import { freePort, keep, type Kept } from '../../scripts/setup/processes.ts';
import { adapterFile } from '../support/ggufFile.ts';
import { testModelFile } from '../support/testModel.ts';

const Slots = z.array(z.object({ is_processing: z.boolean() }));

export class LlamaServer {
  readonly address: string;
  readonly #process: Kept;
  readonly #folder: string;

  private constructor(address: string, process: Kept, folder: string) {
    this.address = address;
    this.#process = process;
    this.#folder = folder;
  }

  /** One slot, so that who comes second waits for who came first. Resolves when the model is loaded. */
  static async start(): Promise<LlamaServer> {
    const folder = await mkdtemp(join(tmpdir(), 'preflexor-peer-'));
    const adapter = join(folder, 'adapter.gguf');
    await writeFile(adapter, adapterFile('llama', 0.5));
    const port = String(await freePort(0));
    const args = [
      ...['--model', testModelFile(), '--lora', adapter],
      ...['--host', '127.0.0.1', '--port', port, '--parallel', '1', '--ctx-size', '4096', '--threads', '2'],
      ...['--slots', '--metrics', '--no-ui', '--offline'],
    ];
    const server = new LlamaServer(`http://127.0.0.1:${port}`, keep(llamaServerFile(), args), folder);
    await server.#ready();
    return server;
  }

  async stop(): Promise<void> {
    await this.#process.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Tokens that it has generated since it started. */
  async generatedTokens(): Promise<number> {
    const text = await (await fetch(`${this.address}/metrics`)).text();
    return Number(/^llamacpp:tokens_predicted_total (\d+)/m.exec(text)?.[1]);
  }

  async isIdle(): Promise<boolean> {
    const slots = Slots.parse(await (await fetch(`${this.address}/slots`)).json());
    return slots.every(({ is_processing: works }) => !works);
  }

  /** The answer of one of its own endpoints, which no other server has. */
  async post(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.address}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return await response.json();
  }

  async #ready(): Promise<void> {
    for (;;) {
      if (this.#process.isGone())
        throw new Error(`llama-server ended:\n${this.#process.output().slice(-3000)}`);
      const healthy = await fetch(`${this.address}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (healthy) return;
      await delay(100);
    }
  }
}
