// Gets what stages need, each thing once and only when a stage asks for it.
import { build, isBuilt } from '../setup/build.ts';
import { findChromium, installChromium } from '../setup/chromium.ts';
import { codeServerName, installCodeServer, isCodeServerInstalled } from '../setup/codeServer.ts';
import { explain } from '../setup/errors.ts';
import { buildLlamaServer, isLlamaServerBuilt } from '../setup/llamaServer.ts';
import { getModel, installedModel } from '../setup/model.ts';
import { step } from '../setup/steps.ts';
import { testEnvironment, type Need } from './stages.ts';

/** Why something is missing, or undefined when it is there. */
export type Obstacle = string | undefined;

export class Preparation {
  #model: string | undefined;
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
    return testEnvironment(this.#model);
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
      case 'model': {
        const env = testEnvironment(undefined);
        this.#model = await installedModel(env);
        return step('Getting the small language model (98 MB, once)', this.#model !== undefined, async () => {
          this.#model = await getModel(env);
        });
      }
    }
  }
}
