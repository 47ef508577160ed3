// Where the background worker's parts are put together: the process that teaches, the trainer's estimate, and what is
// read of the machine.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createShelf,
  createTeachingHolder,
  createTrainer,
  promptsFolder,
  shippedText,
  withTokenizer,
} from './composition.ts';
import { availableMemory, describeGguf, ModelStore } from './engine/index.ts';
import type { TeachingHooks } from './lsp/teaching.ts';
import { encodeSettings, TeachReport, type Settings, type TeachingPreset } from './protocol/index.ts';
import { makeFolders, prepareWorkspace, workspacePlaces, writeDurably } from './state/index.ts';
import {
  busyShare,
  dayWindow,
  teachingNeeds,
  readPower,
  realSystem,
  teachLines,
  teachPreset,
  TeachingWorker,
  type PhaseQuestion,
  type TeachingTask,
  type WorkerPorts,
} from './teaching/index.ts';
import { estimateTraining } from './training/index.ts';
import { programVersion } from './version.ts';
import { anchorTexts, workspacePrompts } from './workflow/index.ts';

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
  const places = workspacePlaces(root);
  await prepareWorkspace(places, 'teaching');
  // Adapters and checkpoints are large, and can be made again: nothing for a repository of notes.
  await writeDurably(join(places.teaching, '.gitignore'), '*\n');
  const numbers = (await readdir(places.teaching)).map(Number).filter((number) => Number.isInteger(number));
  const run = join(places.teaching, String(Math.max(0, ...numbers) + 1));
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
  const shelf = createShelf(home);
  try {
    const pairs = join(scratch, 'pairs.jsonl');
    const plan = async ({ phase, steps, tokens }: PhaseQuestion) => {
      const own = phase === 1 ? teaching.phase1 : teaching.phase2;
      const { mask: kind, maskShare: share, steps: _own, ...numbers } = own;
      // More words than there are tokens: each record is as long as it may be.
      const words = (word: string) => Array.from({ length: tokens }, () => word).join(' ');
      const record = { prompt: 'What is it?', chosen: words('grain'), rejected: words('texture') };
      await writeFile(pairs, `${JSON.stringify(record)}\n`);
      const wishes = { ...numbers, phase, steps, maxLength: tokens, mask: { kind, share } };
      return await estimateTraining(
        {
          ...{ pairs, heldout: null, wishes, model, shape, adapter: null, reference: null },
          anchor: await anchorTexts({ named: null, root, shipped: shippedText() }, signal),
          threads: Math.max(1, Math.floor(availableParallelism() / 2)),
        },
        {
          trainer: createTrainer(home, log),
          withTokenizer: (use) => withTokenizer(settings, home, log, use),
          ...{ registry: shelf.registry, now: Date.now, version: programVersion },
        },
        scratch,
        signal,
      );
    };
    const freeDiskBytes = async () => {
      const { bavail, bsize } = await statfs(root);
      return bavail * bsize;
    };
    const ports = { plan, freeDiskBytes, secondsPerSample: () => secondsPerSample(root) };
    return await teachingNeeds(teaching, writerPairs, ports, signal);
  } finally {
    await shelf.dispose();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** By the last run of this folder that was finished; null: there was none. */
async function secondsPerSample(root: string): Promise<number | null> {
  const { teaching } = workspacePlaces(root);
  const numbers = (await readdir(teaching).catch(() => [])).map(Number).filter(Number.isInteger);
  for (const number of numbers.sort((a, b) => b - a)) {
    try {
      const text = await readFile(join(teaching, String(number), 'report.json'), 'utf8');
      const { phases, seconds } = TeachReport.parse(JSON.parse(text));
      const made = phases.reduce((sum, { kept }) => sum + kept, 0);
      if (made > 0) return seconds.samples / made;
    } catch {
      // Broken off, or of another version.
    }
  }
  return null;
}
