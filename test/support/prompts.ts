// The built-in prompts, as tests of the core read them.
import { join } from 'node:path';
import type { PromptSet } from '../../server/src/reasoning/index.ts';
import { workspacePrompts } from '../../server/src/workflow/index.ts';

const builtIn = join(import.meta.dirname, '..', '..', 'server', 'prompts');

/** A built-in set, without a workspace's own files. */
export async function builtInPrompts(
  set: 'sciences' | 'humanities' | 'plain' = 'sciences',
): Promise<PromptSet> {
  return await workspacePrompts(builtIn, join(builtIn, 'no-workspace'), set);
}
