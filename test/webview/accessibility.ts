// What axe-core finds in a page that keeps people out.
import type { Page } from 'playwright-core';

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** axe is run by the debugger, not by the page, whose policy forbids it. */
export async function seriousFindings(page: Page, source: string): Promise<string[]> {
  await page.evaluate(source);
  const { violations } = await page.evaluate(async () => {
    return await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
