// How long VS Code says that our client's activation takes, beside its own markdown extension in the same window.
//   node bench/activation.ts [--write]      after `npm run build`, with code-server in .cache
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Workbench } from '../test/support/workbench.ts';
import { median, report } from './measure.ts';

const windows = 5;

/** Milliseconds of activation by extension, as `Developer: Show Running Extensions` lists them. */
async function activations(folder: string): Promise<Map<string, number>> {
  const workbench = await Workbench.start({ folder, name: 'bench-activation' });
  try {
    await workbench.openFile('note.md');
    await workbench.runCommand('Developer: Show Running Extensions');
    return await workbench.until('both extensions to be listed', async () => {
      const rows = await workbench.page.locator('.runtime-extensions-editor .extension').allInnerTexts();
      const times = new Map<string, number>();
      for (const row of rows) {
        const time = /Activation: (\d+)ms/.exec(row)?.[1];
        const name = row.split('\n')[0]?.trim();
        if (time !== undefined && name) times.set(name, Number(time));
      }
      return times.has('PRefLexOR') && [...times.keys()].some((name) => name.startsWith('Markdown'))
        ? times
        : undefined;
    });
  } finally {
    await workbench.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'preflexor-bench-'));
await writeFile(join(folder, 'note.md'), '# A note\n\nA paragraph.\n');
const own: number[] = [];
const peer: number[] = [];
for (let turn = 0; turn < windows; turn += 1) {
  const times = await activations(folder);
  own.push(times.get('PRefLexOR') ?? NaN);
  const [, time] = [...times].find(([name]) => name.startsWith('Markdown')) ?? [];
  peer.push(time ?? NaN);
}
await rm(folder, { recursive: true });

await report('activation', {
  activationMs: {
    ours: median(own),
    peer: median(peer),
    ratio: median(own) / median(peer),
    goal: 'below 100 ms',
  },
  peer: "VS Code's own markdown extension, in the same windows",
  windows,
});
