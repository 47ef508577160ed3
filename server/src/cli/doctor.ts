// preflexor doctor: what works on this machine, and how to mend what does not.
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { availableMemory, ModelStore, probeBackends } from '../engine/index.ts';
import { createTrainer, findProgram } from '../composition.ts';
import { PreflexorError, sentence } from '../errors.ts';
import { bytesText } from './output.ts';
import type { Settings } from '../protocol/index.ts';
import { logged, settingsOf, withEngine, type Context } from './context.ts';

interface Problem {
  readonly what: string;
  readonly fix: string;
}

interface Report {
  readonly node: string;
  readonly platform: string;
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly gpus: readonly string[];
  readonly backend: string | null;
  readonly memory: { readonly total: number; readonly available: number };
  readonly models: readonly { readonly id: string; readonly file: string; readonly sha256ok: boolean }[];
  /** What finds passages: the id or path that the settings name, and whether it is here and verified. */
  readonly embedder: { readonly id: string; readonly here: boolean };
  /** `selfTest`: whether the trainer's own check passes; null when there is no trainer. */
  readonly trainer: { readonly found: boolean; readonly selfTest: boolean | null };
  /** The model server, where one is used; null: the model runs here. */
  readonly server: ServerReport | null;
  readonly problems: readonly Problem[];
}

interface ServerReport {
  readonly address: string;
  /** null: it does not answer. */
  readonly model: string | null;
  readonly contextTokens: number | null;
  /** Whether the writer's text goes to another machine. */
  readonly leavesMachine: boolean;
}

/** Looks, hashes the models that are here, and prints what it found. Fails when reasoning can't work. */
export async function doctorCommand(context: Context): Promise<void> {
  const { output, signal } = context;
  const problems: Problem[] = [];
  output.progress('Looking for GPUs');
  const probed = await probeBackends(signal);
  if (!probed.backend) {
    problems.push({
      what: `The model library does not start: ${probed.reasons.join(' ')}`,
      fix: 'Run "npm ci" again on this machine; its native part is chosen by platform.',
    });
  }
  const models = await checkModels(context, problems);
  const settings = settingsOf(context.options);
  const isHere = (name: string) =>
    models.some(({ id, file, sha256ok }) => sha256ok && (id === name || file === name));
  const server = settings['engine.url'] === '' ? null : await askServer(context, settings, problems);
  const needed = [
    ...(server ? [] : [{ name: settings.model, what: 'The model' }]),
    { name: settings['retrieval.embedder'], what: 'The embedding model' },
    ...(settings['retrieval.reranker'] === ''
      ? []
      : [{ name: settings['retrieval.reranker'], what: 'The reranking model' }]),
  ];
  for (const { name, what } of needed) {
    if (!isHere(name)) {
      problems.push({ what: `${what} ${name} is not here.`, fix: `preflexor models get ${name}` });
    }
  }
  const embedder = { id: settings['retrieval.embedder'], here: isHere(settings['retrieval.embedder']) };
  const processors = cpus();
  const report: Report = {
    node: process.versions.node,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: { model: processors[0]?.model.trim() ?? 'unknown', cores: processors.length },
    gpus: probed.gpus,
    backend: probed.backend,
    memory: { total: totalmem(), available: await availableMemory() },
    models,
    embedder,
    trainer: await checkTrainer(context, problems),
    server,
    problems,
  };
  output.result(report, readable(report));
}

async function checkTrainer(context: Context, problems: Problem[]): Promise<Report['trainer']> {
  const { home, output, signal } = context;
  const say = (error: unknown): void => {
    if (signal.aborted) throw error;
    const fix = PreflexorError.is(error) ? error.remedy : null;
    const what = error instanceof Error ? error.message : String(error);
    problems.push({ what, fix: fix ?? 'npm run build:native' });
  };
  try {
    findProgram();
  } catch (error) {
    say(error);
    return { found: false, selfTest: null };
  }
  output.progress('Checking the trainer');
  try {
    const passed = await createTrainer(home, (text) => logged(context, text)).selfTest(signal);
    if (!passed) {
      problems.push({
        what: "The trainer's own check fails on this machine: do not train here.",
        fix: 'npm run build:native -- --tests',
      });
    }
    return { found: true, selfTest: passed };
  } catch (error) {
    say(error);
    return { found: true, selfTest: false };
  }
}

async function askServer(context: Context, settings: Settings, problems: Problem[]): Promise<ServerReport> {
  const address = settings['engine.url'];
  const leavesMachine = !isThisMachine(address);
  context.output.progress(`Asking ${address}`);
  try {
    return await withEngine(context, settings, async (engine) => {
      const { identity, contextTokens } = await engine.load(context.signal);
      return { address, model: identity.id, contextTokens, leavesMachine };
    });
  } catch (error) {
    if (context.signal.aborted) throw error;
    problems.push({ what: sentence(error), fix: 'Start the server, or leave --engine-url out.' });
    return { address, model: null, contextTokens: null, leavesMachine };
  }
}

/** Loopback addresses (RFC 6890): what goes there stays here. */
export function isThisMachine(address: string): boolean {
  const host = URL.parse(address)?.hostname ?? '';
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** Hashes every model that is here, whatever its record says. */
async function checkModels(context: Context, problems: Problem[]): Promise<Report['models']> {
  const store = new ModelStore({ home: context.home });
  const here = (await store.listModels()).filter((model) => model.installed);
  const checked: { id: string; file: string; sha256ok: boolean }[] = [];
  for (const { id, file } of here) {
    context.output.progress(`Checking ${id}`);
    try {
      const sha256ok = await store.checkModel(id, { signal: context.signal });
      checked.push({ id, file, sha256ok });
      if (!sha256ok) {
        problems.push({
          what: `${file} is not what it was when it was checked.`,
          fix: `preflexor models get ${id}`,
        });
      }
    } catch (error) {
      if (context.signal.aborted) throw error;
      checked.push({ id, file, sha256ok: false });
      problems.push({ what: sentence(error), fix: `preflexor models get ${id}` });
    }
  }
  return checked;
}

function serverLines(server: ServerReport | null): string[] {
  if (!server) return [];
  const where = server.leavesMachine ? 'your text leaves this machine' : 'your text stays on this machine';
  return [`Server    ${server.model ?? 'no answer'} at ${server.address}: ${where}`];
}

function readable(report: Report): string {
  const { memory, problems } = report;
  return [
    `Node      ${report.node} on ${report.platform}`,
    `Processor ${report.cpu.model}, ${report.cpu.cores} cores`,
    `GPUs      ${report.gpus.length > 0 ? report.gpus.join(', ') : 'none that can be used'}`,
    `Runs on   ${report.backend ?? 'nothing'}`,
    `Memory    ${bytesText(memory.available)} of ${bytesText(memory.total)} available`,
    ...serverLines(report.server),
    ...report.models.map(({ id, sha256ok }) => `Model     ${id}: ${sha256ok ? 'verified' : 'damaged'}`),
    `Embedder  ${report.embedder.id}: ${report.embedder.here ? 'ready' : 'not here'}`,
    `Trainer   ${!report.trainer.found ? 'not built' : report.trainer.selfTest ? 'checked' : 'fails its check'}`,
    ...(problems.length === 0
      ? ['All is well.']
      : problems.flatMap(({ what, fix }) => ['', what, `  → ${fix}`])),
  ].join('\n');
}
