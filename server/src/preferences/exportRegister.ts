// Which notes' pairs went into which exported file, by the file's hash: training runs name the hash of what they read,
// and so an adapter that was trained on a note can be told. Holds hashes of paths, no text.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { homePlaces, makeFolders, nodeFileSystem, writeDurably, type FileOptions } from '../state/index.ts';

const Registered = z.object({
  schema: z.literal(1),
  time: z.iso.datetime(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The workspace's key (state/places.ts). */
  workspace: z.string(),
  /** sha256 of each note's path in the workspace. */
  notes: z.array(z.string()),
});
export type RegisteredExport = z.infer<typeof Registered>;

export function notePathHash(notePath: string): string {
  return createHash('sha256').update(notePath).digest('hex');
}

export class ExportRegister {
  readonly #folder: string;
  readonly #options: FileOptions;

  constructor(home: string, options: FileOptions = {}) {
    this.#folder = homePlaces(home).exports;
    this.#options = options;
  }

  /** @param content the exported file */
  async add(
    content: string | Uint8Array,
    { workspace, notes, time }: { workspace: string; notes: ReadonlySet<string>; time: string },
  ): Promise<void> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const hashes = [...notes].map(notePathHash).sort();
    const entry: RegisteredExport = { schema: 1, time, sha256, workspace, notes: hashes };
    await makeFolders(this.#folder, { ...this.#options, mode: 0o700 });
    await writeDurably(
      path.join(this.#folder, `${sha256}.json`),
      `${JSON.stringify(entry)}\n`,
      this.#options,
    );
  }

  /** Files that cannot be understood are left out. */
  async list(): Promise<RegisteredExport[]> {
    const fileSystem = this.#options.fileSystem ?? nodeFileSystem;
    const names = await fileSystem.readdir(this.#folder).catch(() => []);
    const found: RegisteredExport[] = [];
    for (const name of names.filter((one) => one.endsWith('.json')).sort()) {
      const text = await fileSystem.readFile(path.join(this.#folder, name), 'utf8').catch(() => '');
      const decoded = Registered.safeParse(parsed(text));
      if (decoded.success) found.push(decoded.data);
    }
    return found;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
