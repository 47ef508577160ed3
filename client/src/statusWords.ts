// What the status item and its menu say of the engine. Pure.
import type { EngineStatus } from '../../server/src/protocol/index.ts';

export interface StatusWords {
  /** With at most one icon. */
  readonly text: string;
  /** For screen readers, and as a tooltip: no icons. */
  readonly spoken: string;
  readonly failed: boolean;
}

const nameLength = 28;

/**
 * @param status null: the server has said nothing yet. @param runs runs that are waiting or running
 * @param host of the model server that the settings name; null: the model runs here
 * @param recording whether what the writer decides is kept to learn from
 */
export function statusWords(
  status: EngineStatus | null,
  runs: number,
  host: string | null = null,
  recording = true,
): StatusWords {
  const local = recording ? localWords(status, runs) : paused(localWords(status, runs));
  if (host === null) return local;
  // Before the first word has gone there, and not only then.
  const text = local.text.replace('$(sparkle)', '$(cloud)');
  return { ...local, text, spoken: `${local.spoken}. Your text goes to ${host}` };
}

function paused(words: StatusWords): StatusWords {
  return {
    ...words,
    text: `${words.text} · not recording`,
    spoken: `${words.spoken}. Your decisions are not recorded`,
  };
}

function localWords(status: EngineStatus | null, runs: number): StatusWords {
  if (!status) return words('sparkle', 'PRefLexOR', 'PRefLexOR');
  const name = status.model === null ? 'No model' : shortModel(status.model);
  switch (status.state) {
    case 'no-model':
      return words('sparkle', 'No model', 'PRefLexOR: no model is chosen');
    case 'unloaded':
      return runs > 0
        ? words('loading~spin', name, `PRefLexOR: ${name}, starting`)
        : words('sparkle', name, `PRefLexOR: ${name}, not loaded`);
    case 'loading': {
      const share = status.fraction === null ? '' : ` ${percent(status.fraction)}`;
      return words('loading~spin', `${name} · loading${share}`, `PRefLexOR: loading ${name}${share}`);
    }
    case 'measuring':
      return words(
        'loading~spin',
        `${name} · measuring`,
        `PRefLexOR: measuring the best thread count for ${name}`,
      );
    case 'ready':
      return words('sparkle', name, `PRefLexOR: ${name}, ready`);
    case 'generating': {
      const { tokensPerSecond } = status;
      const speed =
        tokensPerSecond === null || tokensPerSecond === 0 ? '' : ` · ${rate(tokensPerSecond)} tokens/s`;
      return words(
        'loading~spin',
        `${name}${speed}`,
        `PRefLexOR: ${name} is writing${speed.replace(' ·', ',')}`,
      );
    }
    case 'failed':
      return {
        ...words('warning', name, `PRefLexOR: ${status.error?.message ?? `${name} failed`}`),
        failed: true,
      };
  }
}

/** A fact of the menu, with where a press on it leads. */
export interface StatusFact {
  readonly label: string;
  readonly description: string;
  readonly detail?: string;
  readonly leadsTo: 'chooseModel' | 'showLog' | `preflexor.${string}`;
}

/** What is known of the engine, line by line. */
export function statusFacts(status: EngineStatus, host: string | null = null): StatusFact[] {
  const facts: StatusFact[] = [
    {
      label: 'Model',
      description:
        status.model === null ? 'none' : `${shortModel(status.model)} · ${stateWords[status.state]}`,
      ...(status.error && { detail: [status.error.message, status.error.remedy ?? ''].join(' ').trim() }),
      leadsTo: status.error ? 'showLog' : 'chooseModel',
    },
  ];
  if (host !== null) {
    const detail = 'The model runs on that server: what it is to think about leaves this editor.';
    facts.push({
      label: 'Your text goes to',
      description: host,
      detail,
      leadsTo: 'preflexor.engine.url',
    });
  } else if (status.backend !== null) {
    const detail = status.fallback === null ? {} : { detail: status.fallback };
    facts.push({ label: 'Runs on', description: status.backend, ...detail, leadsTo: 'preflexor.engine.gpu' });
  }
  if (status.contextTokens !== null) {
    const description = `${count(status.contextTokens)} tokens`;
    facts.push({ label: 'Context', description, leadsTo: 'preflexor.engine.contextTokens' });
  }
  if (status.threads) {
    const { prompt, generation } = status.threads;
    const description = `${prompt} for prompts, ${generation} for writing`;
    facts.push({ label: 'Threads', description, leadsTo: 'preflexor.engine.threads' });
  }
  if (status.memoryBytes !== null && status.memoryBytes > 0) {
    const description = bytes(status.memoryBytes);
    facts.push({ label: 'Memory', description, leadsTo: 'preflexor.engine.idleUnloadMinutes' });
  }
  return facts;
}

const stateWords: Record<EngineStatus['state'], string> = {
  'no-model': 'none chosen',
  unloaded: 'not loaded',
  loading: 'loading',
  measuring: 'measuring threads',
  ready: 'ready',
  generating: 'writing',
  failed: 'failed',
};

/** A model's id, or the name of its file. */
export function shortModel(model: string): string {
  const name = (/[^/\\]+$/.exec(model)?.[0] ?? model).replace(/\.gguf$/i, '');
  return name.length > nameLength ? `${name.slice(0, nameLength - 1)}…` : name;
}

/** Bytes in the unit that reads best: 98 MB, 2.0 GB. */
export function bytes(value: number): string {
  if (value < 1e6) return `${Math.ceil(value / 1e3)} kB`;
  return value < 1e9 ? `${Math.round(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

function rate(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function words(icon: string, text: string, spoken: string): StatusWords {
  return { text: `$(${icon}) ${text}`, spoken, failed: false };
}
