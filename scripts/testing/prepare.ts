// Gets what stages need, each thing once and only when a stage asks for it.
import { build, isBuilt } from '../setup/build.ts';
import { findChromium, installChromium } from '../setup/chromium.ts';
import { codeServerName, installCodeServer, isCodeServerInstalled } from '../setup/codeServer.ts';
import { explain } from '../setup/errors.ts';
import { buildLlamaServer, isLlamaServerBuilt } from '../setup/llamaServer.ts';
import { getModel, installedModel, smallEmbedder, smallModel, smallModels } from '../setup/model.ts';
import type { SmallModel } from '../setup/model.ts';
import {
  findPython,
  installObjectStore,
  isObjectStoreInstalled,
  objectStoreName,
} from '../setup/objectStore.ts';
import { step } from '../setup/steps.ts';
import { testEnvironment, type Need } from './stages.ts';

/** Why something is missing, or undefined when it is there. */
export type Obstacle = string | undefined;

export class Preparation {
  readonly #models: Partial<Record<SmallModel, string>> = {};
  readonly #known = new Map<Need, Obstacle>();

  /** The first obstacle among the needs; what is already known is not tried again. */
  async obstacle(needs: readonly Need[]): Promise<Obstacle> {
    for (const need of needs) {
      if (!this.#known.has(need)) this.#known.set(need, await this.#tryTo(need));
      const obstacle = this.#known.get(need);
      if (obstacle) return obstacle;
    }
    return undefined;
  }

  environment(): NodeJS.ProcessEnv {
    return testEnvironment(this.#models);
  }

  async #tryTo(need: Need): Promise<Obstacle> {
    try {
      await this.#get(need);
      return undefined;
    } catch (error) {
      console.error(explain(error));
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #get(need: Need): Promise<void> {
    switch (need) {
      case 'build':
        return step('Building', isBuilt(), build);
      case 'code-server':
        return step(`Installing ${codeServerName} (once)`, isCodeServerInstalled(), installCodeServer);
      case 'chromium':
        return step('Installing Chromium (once)', findChromium() !== undefined, installChromium);
      case 'llama-server':
        return step('Building llama-server (once, some ten minutes)', isLlamaServerBuilt(), buildLlamaServer);
      case 'model':
        return this.#getModel(smallModel);
      case 'embedder':
        return this.#getModel(smallEmbedder);
      case 'object-store': {
        // Without Python the tests that need it are left out, with that as the reason.
        const done = findPython() === undefined || isObjectStoreInstalled();
        return step(`Installing ${objectStoreName}, an S3-compatible store (once)`, done, installObjectStore);
      }
    }
  }

  async #getModel(id: SmallModel): Promise<void> {
    const env = testEnvironment({});
    const file = await installedModel(id, env);
    if (file !== undefined) this.#models[id] = file;
    await step(`Getting ${smallModels[id]}`, file !== undefined, async () => {
      this.#models[id] = await getModel(id, env);
    });
  }
}
