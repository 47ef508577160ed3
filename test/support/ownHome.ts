// An application home of a test's own with the models of all tests: index, caches and adapters in it are nobody else's.
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { testHome } from '../../scripts/setup/paths.ts';

/** Makes `home`, unless it is there, and gives it back. */
export async function ownHome(home: string): Promise<string> {
  await mkdir(home, { recursive: true });
  const models = join(process.env['PREFLEXOR_HOME'] ?? testHome, 'models');
  await symlink(models, join(home, 'models')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  return home;
}
