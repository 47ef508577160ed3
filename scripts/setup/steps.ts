// Says what is being done and how long it took. A step that is up to date says nothing.

/** Does `work` under a line on the terminal, unless it is already done. */
export async function step(title: string, done: boolean, work: () => Promise<unknown>): Promise<void> {
  if (done) return;
  const started = Date.now();
  console.log(`${title} …`);
  await work();
  console.log(`  done in ${seconds(Date.now() - started)}`);
}

export function seconds(milliseconds: number): string {
  return milliseconds < 10_000
    ? `${(milliseconds / 1000).toFixed(1)} s`
    : `${String(Math.round(milliseconds / 1000))} s`;
}
