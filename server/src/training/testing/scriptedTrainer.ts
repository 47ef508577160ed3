// A small program that behaves as the trainer's process does, or as badly as its first argument says. Run by node;
// speaks PROTOCOL.md's lines. For the tests of this room only.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [behaviour = 'train', ...rest] = process.argv.slice(2);
let seq = 0;

function line(event: string, fields: Record<string, unknown> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, seq: seq++, ...fields })}\n`);
}

function hello(): void {
  line('hello', {
    ...{ protocol: 1, version: '0', device: 'none', features: [], precision: 'f32', threads: 1 },
    pid: process.pid,
  });
}

function step(number: number): void {
  const figures = {
    ...{ loss: 1 / number, 'rewards/chosen': 0, 'rewards/rejected': 0, 'rewards/margins': 0.1 },
    ...{ 'rewards/accuracies': 1, grad_norm: 1, lr: 1e-4, tokens: 10, tokens_per_second: 5 },
    ...{ peak_bytes: 1, seconds_remaining: 1 },
  };
  line('step', { step: number, ...figures });
}

interface Config {
  readonly task: string;
  readonly out: string;
  readonly steps: number;
  readonly records: unknown[];
}

function config(): Config {
  const file = rest.at(-1);
  if (file === undefined) throw new Error('no configuration');
  return JSON.parse(readFileSync(file, 'utf8')) as Config;
}

/** Takes steps until it is told to stop or has taken them all; pauses when told to. */
async function train(tick: number): Promise<void> {
  const { out, steps, records } = config();
  hello();
  line('started', { step: 0, steps, resumed: false, records: records.length, heldout: 0, parameters: 1 });
  let [paused, stopped] = [false, false];
  createInterface({ input: process.stdin }).on('line', (word) => {
    if (word === 'stop') stopped = true;
    if (word === 'pause' || word === 'resume') {
      paused = word === 'pause';
      line(paused ? 'paused' : 'resumed', { step: taken });
    }
  });
  let taken = 0;
  while (taken < steps && !stopped) {
    await new Promise((resolve) => setTimeout(resolve, tick));
    if (!paused) step(++taken);
  }
  const checkpoint = `${out}/checkpoint.safetensors`;
  writeFileSync(checkpoint, `step ${taken}`);
  line('checkpoint', { step: taken, file: checkpoint });
  line('done', {
    step: taken,
    stopped,
    adapter: out,
    gguf: `${out}/adapter.gguf`,
    peft: `${out}/peft`,
    peak_bytes: 1,
  });
  process.exit(0);
}

switch (behaviour) {
  case 'train':
    await train(1);
    break;
  case 'endless':
    await train(20);
    break;
  case 'refuses':
    hello();
    line('failed', { code: 'bad-data', message: 'Record 3 is wrong.', hint: 'Mend it.' });
    process.exitCode = 1;
    break;
  case 'crashes':
    hello();
    step(1);
    process.stderr.write('GGML_ASSERT(everything) failed\n', () => process.kill(process.pid, 'SIGSEGV'));
    break;
  case 'half-line':
    hello();
    process.stdout.write('{"event":"step","seq":1,"st', () => process.exit(3));
    break;
  case 'garbage':
    hello();
    process.stdout.write('Segmentation is fun\n');
    setInterval(() => undefined, 1000);
    break;
  case 'silent':
    setInterval(() => undefined, 1000);
    break;
  case 'deaf':
    // Neither reads its words nor ends by itself.
    hello();
    setInterval(() => undefined, 1000);
    break;
}
