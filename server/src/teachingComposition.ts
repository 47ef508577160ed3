// Where the background worker's parts are put together: the process that teaches, the trainer's estimate, and what is
// read of the machine.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTeachingHolder, createTrainer, promptsFolder } from './composition.ts';
import { availableMemory, describeGguf, ModelStore } from './engine/index.ts';
import type { TeachingHooks } from './lsp/teaching.ts';
import { encodeSettings, type Settings, type TeachingPreset } from './protocol/index.ts';
import { makeFolders, writeDurably } from './state/index.ts';
import {
  busyShare,
  dayWindow,
  estimateRun,
  prepareRuns,
  secondsPerSample,
  teachingNeeds,
  readPower,
  realSystem,
  teachLines,
  teachPreset,
  TeachingWorker,
  type TeachingTask,
  type WorkerPorts,
} from './teaching/index.ts';
import { workspacePrompts } from './workflow/index.ts';

const settingsName = 'settings.json';

/** The worker of one server. Starts nothing before it is asked to, or is begun. */
export function createTeachingWorker(home: string, hooks: TeachingHooks): TeachingWorker {
  const holder = createTeachingHolder(home);
  let before = cpus();
  const ports: WorkerPorts = {
    home,
    now: Date.now,
    every: (ms, work) => {
      const timer = setInterval(work, ms);
      timer.unref();
      return () => {
        clearInterval(timer);
      };
    },
    folders: hooks.folders,
    async wishes() {
      const settings = await hooks.settings();
      return {
        mode: settings['teaching.start'],
        newPairs: settings['teaching.newPairs'],
        window: dayWindow(settings['teaching.window']),
        idleMinutes: settings['teaching.idleMinutes'],
        onBattery: settings['teaching.onBattery'],
        preset: settings['teaching.preset'],
      };
    },
    pairs: hooks.pairs,
    estimate: async (root, preset, writerPairs, signal) => {
      const settings = forTeaching(await hooks.settings(root));
      return await estimateOf({ home, root, preset, writerPairs, settings, log: hooks.log }, signal);
    },
    power: () => readPower(process.platform, realSystem),
    busyShare() {
      const after = cpus();
      const share = busyShare(
        before.map(({ times }) => times),
        after.map(({ times }) => times),
      );
      before = after;
      return share;
    },
    prepare: async (root) => await newRun(root, forTeaching(await hooks.settings(root))),
    run: (task, signal) =>
      teachLines(argumentsOf(task), { program: commandLine(), onLog: hooks.log }, signal),
    makeRoom: hooks.makeRoom,
    availableBytes: () => availableMemory(),
    holder: () => holder.current(),
    log: hooks.log,
  };
  return new TeachingWorker(ports);
}

/** What is learnt stays on this machine, whatever answers the writer's questions. */
function forTeaching(settings: Settings): Settings {
  return { ...settings, 'engine.url': '' };
}

/** A folder for a run, with the settings that it is done with from its first start to its last. */
async function newRun(root: string, settings: Settings): Promise<string> {
  const { folder, newest } = await prepareRuns(root);
  const run = join(folder, String(newest + 1));
  await makeFolders(run);
  await writeDurably(join(run, settingsName), `${JSON.stringify(encodeSettings(settings), null, 2)}\n`);
  return run;
}

function argumentsOf({ root, run, preset, ignored }: TeachingTask): string[] {
  return [
    ...['teach', '--json', '--workspace', root, '--out', run, '--preset', preset],
    ...['--settings', join(run, settingsName)],
    ...(ignored.length === 0 ? [] : ['--ignore', ignored.join(',')]),
  ];
}

/** The command line beside the bundle, or its source where the sources run as they are. */
function commandLine(): string {
  const bundled = fileURLToPath(new URL('./cli.js', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('./cli.ts', import.meta.url));
}

interface EstimateTask {
  readonly home: string;
  readonly root: string;
  readonly preset: TeachingPreset;
  readonly writerPairs: number;
  readonly settings: Settings;
  readonly log: (text: string) => void;
}

async function estimateOf(task: EstimateTask, signal: AbortSignal) {
  const { home, root, preset, writerPairs, settings, log } = task;
  const model = await new ModelStore({ home }).findModel(settings.model, { signal });
  const shape = await describeGguf(model.file, signal);
  const prompts = await workspacePrompts(promptsFolder(), root, settings['reasoning.promptSet']);
  const teaching = teachPreset(preset, shape, prompts.thinkingParts);
  const scratch = await mkdtemp(join(tmpdir(), 'preflexor-estimate-'));
  try {
    const wish = {
      ...{ settings: teaching, model: model.file, writerPairs, anchored: 2 },
      threads: Math.max(1, Math.floor(availableParallelism() / 2)),
      sampleSeconds: await secondsPerSample(root, model.identity.sha256),
    };
    return await teachingNeeds(teaching, writerPairs, {
      estimate: () => estimateRun(wish, createTrainer(home, log), scratch, signal),
      freeDiskBytes: async () => {
        const { bavail, bsize } = await statfs(root);
        return bavail * bsize;
      },
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
