// Types of dll.mjs, which is plain JavaScript because the trainer's build runs before anything is built.
export function exportedNames(bytes: Buffer): string[];
export function moduleDefinition(file: string, names: readonly string[]): string;
export function manifestResource(manifest: Buffer): Buffer;
